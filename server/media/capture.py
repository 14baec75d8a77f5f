"""A picture that was taken, and where such pictures come from."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import av

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Capture:
    """One picture.

    Attributes
    ----------
    frame
        In whatever pixel format the camera has. Nobody changes its picture; an encoder sets its
        times and its type.
    captured_s
        When it was taken, by ``time.monotonic()``.
    small
        The same picture for analyzers, where the camera makes one itself: yuv420p, of the size that
        `analyzed_size` tells.
    """

    frame: av.VideoFrame
    captured_s: float
    small: av.VideoFrame | None = None


# Models look at some hundred pixels anyway; larger pictures cost more to copy, convert and scale.
ANALYZED_WIDTH = 640


def analyzed_size(width: int, height: int) -> tuple[int, int]:
    """The size in which pictures are analyzed: width and height, both even, of the same shape."""
    if width > ANALYZED_WIDTH:
        width, height = ANALYZED_WIDTH, round(height * ANALYZED_WIDTH / width)
    return max(width & ~1, 2), max(height & ~1, 2)


Listener = Callable[[Capture], None]


class Listeners(list[Listener]):
    """Whoever wants each picture. What one of them raises is logged, and harms no other."""

    def give(self, capture: Capture) -> None:
        """Give a picture to all, who may leave meanwhile."""
        for listener in list(self):
            try:
                listener(capture)
            except Exception:
                logger.exception("A picture could not be taken")


class Pictures(Protocol):
    """Where they come from, while somebody wants them."""

    def subscribe(self, listener: Listener) -> None: ...

    def unsubscribe(self, listener: Listener) -> None: ...
