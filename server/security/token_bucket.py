"""How many things a second are taken of something that comes in bunches."""

from __future__ import annotations

# A network holds things up, and lets them go together.
_BURST_S = 0.2


class TokenBucket:
    """Takes so many a second, and bunches of them as they come over a network.

    One of `limits`' windows would drop a frame in every second of a camera whose 30 are a little
    uneven.

    Parameters
    ----------
    per_s
        Frames, or messages, a second; 0 takes all.
    burst_s
        What comes within it may come at once.

    Attributes
    ----------
    per_s
        The same.
    refused
        Those that were not taken.
    """

    def __init__(self, per_s: float, burst_s: float = _BURST_S) -> None:
        self.refused = 0
        self.per_s = per_s
        self._most = max(per_s * burst_s, 1.0)
        self._tokens = self._most
        self._last_s: float | None = None

    def allow(self, now_s: float) -> bool:
        """Whether to take what has come now.

        Parameters
        ----------
        now_s
            Seconds, of a clock that does not go back.
        """
        if not self.per_s:
            return True
        if self._last_s is not None:
            gained = (now_s - self._last_s) * self.per_s
            self._tokens = min(self._tokens + gained, self._most)
        self._last_s = now_s
        if self._tokens < 1.0:
            self.refused += 1
            return False
        self._tokens -= 1.0
        return True
