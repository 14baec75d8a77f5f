"""How long to wait before the next try."""

from __future__ import annotations

import random
from collections.abc import Callable

FIRST_S = 0.5
LONGEST_S = 30.0


class Backoff:
    """Pauses that grow, each of a random length ("full jitter").

    Many cameras lose a server at the same moment. Were their pauses equal, they would all come back
    at the same moment too, again and again. Source: M. Brooker, "Exponential Backoff And Jitter".

    Parameters
    ----------
    between
        Draws a number between two; `random.uniform`.
    """

    def __init__(self, between: Callable[[float, float], float] = random.uniform) -> None:
        self._between = between
        self._most_s = FIRST_S

    def pause_s(self) -> float:
        """The next pause: anything up to a limit that doubles each time."""
        most_s, self._most_s = self._most_s, min(2 * self._most_s, LONGEST_S)
        return self._between(0.0, most_s)

    def long_pause_s(self) -> float:
        """A pause for what only a person can mend."""
        return self._between(LONGEST_S / 2, LONGEST_S)

    def reset(self) -> None:
        """It went well: begin anew."""
        self._most_s = FIRST_S
