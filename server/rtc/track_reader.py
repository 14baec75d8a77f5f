"""Drains a remote track: takes every frame at once, whether anyone wants it or not.

aiortc's queue of decoded frames has no bound, so a track that nobody reads grows in memory, and one
that is read slowly grows in delay.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from aiortc import MediaStreamTrack
from aiortc.mediastreams import MediaStreamError


async def drain(track: MediaStreamTrack, take: Callable[[Any], None]) -> None:
    """Hand every frame of a track to ``take`` until the track ends.

    Parameters
    ----------
    track
        A remote track, audio or video.
    take
        Called with each ``av.VideoFrame`` or ``av.AudioFrame`` on the event loop: must be quick.
    """
    while True:
        try:
            frame = await track.recv()
        except MediaStreamError:
            return
        take(frame)


def discard(_: Any) -> None:
    """Take a frame that nobody wants."""
