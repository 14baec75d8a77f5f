"""One frame as a worker's lanes get it."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import cast

import av
import cv2
import numpy as np

from server.media.decoding import Array, NotDecodable, decode
from server.media.planes import planes_of
from server.workers.mailbox import FrameInfo


class LaneFrame:
    """A frame as the lanes get it.

    A picture is decoded, or a frame's colours are converted, by the first who looks at it, on their
    thread: the dispatcher must not wait for that.

    Parameters
    ----------
    info
        What is known of it; of a decoded frame, its size is read from that.
    content
        Planes as the mailbox has them, which stay there until then; a frame of a video, yuv420p; or
        a JPEG or PNG.
    taken_s
        When it was taken for the lanes, by ``time.monotonic()``.
    """

    def __init__(
        self, info: FrameInfo, content: Array | av.VideoFrame | bytes, taken_s: float
    ) -> None:
        self.is_live = isinstance(content, av.VideoFrame)
        """Whether it is of a video that goes on, and soon too old to be of use."""
        if isinstance(content, av.VideoFrame):
            info = replace(info, width=content.width, height=content.height)
        self.info = info
        self.taken_s = taken_s
        self.fault: str | None = None
        """Why it can not be decoded, once that is known."""
        self._looking = threading.Lock()
        self._content: Array | av.VideoFrame | bytes | None = content
        self._planes: Array | None = None
        self._rgb: Array | None = None

    def is_before(self, time_s: float) -> bool:
        """Whether it is of a video that goes on, and came before then (`time.monotonic()`)."""
        return self.is_live and self.info.received_monotonic_s < time_s

    def rgb(self) -> Array | None:
        """The picture, (H, W, 3), or None if it can not be decoded."""
        with self._looking:
            if self._rgb is None and self.fault is None:
                if isinstance(self._content, bytes):
                    self._decode(self._content)
                else:
                    rgb = cv2.cvtColor(self._i420(), cv2.COLOR_YUV2RGB_I420)
                    self._rgb = cast(Array, rgb)[: self.info.height, : self.info.width]
                self._content = None
            return self._rgb

    def planes(self) -> Array | None:
        """The same as `planes_of` has it; None if it can not be decoded.

        What came as a picture, or was looked at in the mailbox, lacks an odd last row or column.
        """
        self.let_go()
        with self._looking:
            if self._planes is not None or isinstance(self._content, av.VideoFrame):
                return self._i420()
        rgb = self.rgb()
        return None if rgb is None else as_planes(rgb)

    def let_go(self) -> None:
        """Be ready for the mailbox to be read on or closed: planes not looked at yet are copied.

        Waits for whoever is converting them just now, never for a picture to be decoded.
        """
        if isinstance(self._content, np.ndarray):
            with self._looking:
                if isinstance(self._content, np.ndarray):
                    self._planes, self._content = self._content.copy(), None

    def _i420(self) -> Array:
        if isinstance(self._content, np.ndarray):
            return self._content
        if self._planes is None:
            self._planes, self._content = planes_of(cast(av.VideoFrame, self._content)), None
        return self._planes

    def _decode(self, data: bytes) -> None:
        try:
            self._rgb = decode(data)
        except NotDecodable as error:
            self.fault = str(error)
        else:
            # The header's size may be turned, and is only a claim.
            height, width = self._rgb.shape[:2]
            self.info = replace(self.info, width=width, height=height)


def as_planes(rgb: Array) -> Array | None:
    """A picture, (H, W, 3), as planes; without its last row or column where that is odd.

    None of a picture that is one pixel wide or high.
    """
    height, width = (length & ~1 for length in rgb.shape[:2])
    if not height or not width:
        return None
    planes = cv2.cvtColor(np.ascontiguousarray(rgb[:height, :width]), cv2.COLOR_RGB2YUV_I420)
    return cast(Array, planes)
