"""Hands what comes in order from a thread to the event loop, which may be behind."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class InOrderOnLoop(Generic[T]):
    """Hands things over one by one. When the loop is behind, the thread waits.

    Parameters
    ----------
    call_on_loop
        Calls something on the loop, from any thread.
    take
        Gets the things, there.
    max_items, max_bytes
        What may wait; one thing may, however large.
    """

    def __init__(
        self,
        call_on_loop: Callable[[Callable[[], None]], object],
        take: Callable[[T], None],
        *,
        max_items: int,
        max_bytes: int,
    ) -> None:
        self._call_on_loop = call_on_loop
        self._take = take
        self._max_items = max_items
        self._max_bytes = max_bytes
        self._items = self._bytes = 0
        self._is_closed = False
        self._changed = threading.Condition()

    def put(self, item: T, size: int) -> None:
        """Hand this over, on the thread; `size` is in bytes."""
        with self._changed:
            self._changed.wait_for(lambda: self._is_closed or self._has_room(size))
            if self._is_closed:
                return
            self._items += 1
            self._bytes += size
        self._call_on_loop(lambda: self._hand_over(item, size))

    def close(self) -> None:
        """Hand nothing over any more, nor wait."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()

    def _has_room(self, size: int) -> bool:
        if not self._items:
            return True
        return self._items < self._max_items and self._bytes + size <= self._max_bytes

    def _hand_over(self, item: T, size: int) -> None:
        with self._changed:
            self._items -= 1
            self._bytes -= size
            self._changed.notify_all()
            if self._is_closed:
                return
        self._take(item)
