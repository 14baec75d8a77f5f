"""Which result is the last of a video: the one to wait for when it has ended."""

from __future__ import annotations

from collections import deque

# More frames than a decoder may hold back, since they are shown after later ones.
_MAX_HELD = 17


class LastWanted:
    """Follows a video's frames, in the order of decoding.

    Attributes
    ----------
    number
        Of the last frame that analyzers are to see, in the order of showing; 0 before there is one.
    """

    def __init__(self) -> None:
        self.number = 0
        self._shown = 0
        self._recent: deque[int] = deque(maxlen=_MAX_HELD)

    def note(self, number: int, timestamp: int, is_wanted: bool) -> None:
        """Take the next frame.

        Parameters
        ----------
        number
            In the order of decoding; these rise by one.
        timestamp
            When it is shown.
        is_wanted
            Whether analyzers are to see it.
        """
        is_later = not self.number or timestamp > self._shown
        if is_wanted and is_later:
            # Those that are shown after it, and came before it.
            self.number = number - sum(other > timestamp for other in self._recent)
            self._shown = timestamp
        elif not is_later:
            # It is shown before the last one, and so moves it on.
            self.number += 1
        self._recent.append(timestamp)
