"""What somebody can watch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from server.broadcast.viewer import Viewer
from server.media.encoder import Codec


class VideoStream(Protocol):
    """Video for viewers who come and go."""

    @property
    def codecs(self) -> Sequence[Codec]:
        """What it can be had in, the cheapest first."""

    def watch(self, codec: Codec) -> Viewer:
        """Join.

        Raises
        ------
        CameraUnavailable
            There is nothing to see.
        NotFound
            It has ended.
        """
