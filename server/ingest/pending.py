"""Which result is of which picture, by the number that the session has given to it."""

from __future__ import annotations

from typing import Generic, TypeVar

# Only the newest picture waits, so all but a few of these were skipped already.
MAX_PENDING = 1024

T = TypeVar("T")


class PendingPictures(Generic[T]):
    """What came along with pictures whose result may still come."""

    def __init__(self) -> None:
        self._contexts: dict[int, T] = {}

    def add(self, number: int, context: T) -> None:
        """Keep what came along with the next picture; numbers rise."""
        self._contexts[number] = context
        if len(self._contexts) > MAX_PENDING:
            del self._contexts[next(iter(self._contexts))]

    def take(self, number: int) -> T | None:
        """What came along with a picture; forgets the older ones, which were skipped."""
        for older in [n for n in self._contexts if n < number]:
            del self._contexts[older]
        return self._contexts.pop(number, None)
