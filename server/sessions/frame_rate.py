"""How many frames of one session are taken."""

from __future__ import annotations

# A camera's frames come in bunches when the network holds them up.
_BURST_S = 0.2


class FrameRate:
    """Takes so many frames a second, and bunches of them as they come over a network.

    A token bucket and not one of `limits`' windows: those would drop a frame of a camera whose 30 a
    second are a little uneven, in every second.

    Parameters
    ----------
    per_s
        Frames a second; 0 takes all.

    Attributes
    ----------
    refused
        Frames that were not taken.
    """

    def __init__(self, per_s: float) -> None:
        self.refused = 0
        self._per_s = per_s
        self._most = max(per_s * _BURST_S, 1.0)
        self._tokens = self._most
        self._last_s: float | None = None

    def allow(self, now_s: float) -> bool:
        """Whether to take the frame that has come now.

        Parameters
        ----------
        now_s
            Seconds, of a clock that does not go back.
        """
        if not self._per_s:
            return True
        if self._last_s is not None:
            gained = (now_s - self._last_s) * self._per_s
            self._tokens = min(self._tokens + gained, self._most)
        self._last_s = now_s
        if self._tokens < 1.0:
            self.refused += 1
            return False
        self._tokens -= 1.0
        return True
