"""Whoever wants each picture as it comes."""

from __future__ import annotations

import logging
from collections.abc import Callable

from server.media.capture import Capture

logger = logging.getLogger(__name__)

Listener = Callable[[Capture], None]


class Listeners:
    """Give each picture to all; what one of them raises is logged, and harms no other."""

    def __init__(self) -> None:
        self._listeners: list[Listener] = []

    def __len__(self) -> int:
        return len(self._listeners)

    def add(self, listener: Listener) -> None:
        """Give every picture to someone from now on."""
        self._listeners.append(listener)

    def remove(self, listener: Listener) -> bool:
        """Give them no more; tells whether they got any until now."""
        if listener not in self._listeners:
            return False
        self._listeners.remove(listener)
        return True

    def clear(self) -> None:
        """Give nobody any more."""
        self._listeners.clear()

    def give(self, capture: Capture) -> None:
        """Give a picture to all, who may leave meanwhile."""
        for listener in list(self._listeners):
            try:
                listener(capture)
            except Exception:
                logger.exception("A picture could not be taken")
