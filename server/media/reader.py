"""Drains a remote track: takes every frame at once, whether anyone wants it or not.

aiortc's queue of decoded frames has no bound, so a track that nobody reads grows in memory, and one
that is read slowly grows in delay.
"""

from __future__ import annotations

from collections.abc import Callable

from aiortc import MediaStreamTrack
from aiortc.mediastreams import MediaStreamError
from av.frame import Frame


async def drain(track: MediaStreamTrack, take: Callable[[Frame], None]) -> None:
    """Hand every frame of a track to ``take`` until the track ends.

    Parameters
    ----------
    track
        A remote track, audio or video.
    take
        Called on the event loop, so it must be quick.
    """
    while True:
        try:
            frame = await track.recv()
        except MediaStreamError:
            return
        take(frame)


def discard(_: Frame) -> None:
    """Take a frame that nobody wants."""
