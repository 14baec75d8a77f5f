"""A session's time: one line of milliseconds through all the tracks that feed it."""

from __future__ import annotations

from av.frame import Frame


class SessionClock:
    """Begins at the session's first frame, and goes on while its peer is away."""

    def __init__(self) -> None:
        self._began_s: float | None = None

    def go_on(self, elapsed_s: float, now_s: float) -> None:
        """Have so much elapsed, as the clock of another process had."""
        self._began_s = now_s - elapsed_s

    def elapsed_s(self, now_s: float) -> float:
        """Seconds since the first frame; 0 before it."""
        return now_s - self._began_s if self._began_s is not None else 0.0

    def begin(self, now_s: float) -> None:
        """Note the arrival of the first frame; later calls change nothing."""
        if self._began_s is None:
            self._began_s = now_s


class TrackClock:
    """Places one track's own times, which begin anew with each connection, on its session's.

    Parameters
    ----------
    session
        The clock of the session that the track feeds.
    """

    def __init__(self, session: SessionClock) -> None:
        self._session = session
        self._offset_ms: float | None = None

    def session_ms(self, frame: Frame, now_s: float) -> float:
        """Milliseconds since the session's first frame.

        The track's first frame is placed by its arrival; from then on the frames' own times count,
        so that the network's jitter is not in them.

        Parameters
        ----------
        frame
            A decoded frame; aiortc stamps every one.
        now_s
            When it arrived, by ``time.monotonic()``.
        """
        assert frame.pts is not None
        assert frame.time_base is not None
        return self.place_ms(float(frame.pts * frame.time_base) * 1000, now_s)

    def place_ms(self, track_ms: float, now_s: float) -> float:
        """The same of a time on the track's own clock, in milliseconds."""
        if self._offset_ms is None:
            self._session.begin(now_s)
            self._offset_ms = self._session.elapsed_s(now_s) * 1000 - track_ms
        return track_ms + self._offset_ms
