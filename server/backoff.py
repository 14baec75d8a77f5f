"""How long to wait before the next try."""

from __future__ import annotations

from collections.abc import Callable

LONGEST_S = 30.0


class Backoff:
    """Pauses that grow: each is twice as long as the one before, up to a limit.

    Parameters
    ----------
    first_s, longest_s
        Their lengths.
    between
        Draws a number between two, as `random.uniform` does: then each pause is anything up to that
        length ("full jitter"). Many who lose a server at the same moment would otherwise all come
        back at the same moment too, again and again. Source: M. Brooker, "Exponential Backoff And
        Jitter".
    """

    def __init__(
        self,
        first_s: float,
        longest_s: float = LONGEST_S,
        between: Callable[[float, float], float] | None = None,
    ) -> None:
        self._first_s = self._next_s = first_s
        self._longest_s = longest_s
        self._between = between

    def pause_s(self) -> float:
        """The next pause."""
        pause_s, self._next_s = self._next_s, min(2 * self._next_s, self._longest_s)
        return pause_s if self._between is None else self._between(0.0, pause_s)

    def reset(self) -> None:
        """It went well: begin anew."""
        self._next_s = self._first_s
