"""Who else wants to know what becomes of sessions."""

from __future__ import annotations

from typing import Any, Protocol


class Observer(Protocol):
    """Is told of events; must neither block nor raise."""

    def tell(self, kind: str, data: dict[str, Any]) -> None:
        """Something has happened: what, as ``session.started``, and to whom."""


class Observers:
    """Tells several of them.

    Parameters
    ----------
    observers
        In the order in which they are told.
    """

    def __init__(self, *observers: Observer) -> None:
        self._observers = observers

    def tell(self, kind: str, data: dict[str, Any]) -> None:
        """Tell all of them."""
        for each in self._observers:
            each.tell(kind, data)
