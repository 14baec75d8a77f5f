"""One frame as a worker's lanes get it."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import cast

import cv2

from server.media.decoding import Array, NotDecodable, decode
from server.workers.mailbox import FrameInfo


class LaneFrame:
    """A frame as the lanes get it.

    An encoded picture is decoded by the first lane that looks at it, on that lane's thread: the
    dispatcher must not wait for it.
    """

    def __init__(self, info: FrameInfo, content: Array, taken_s: float) -> None:
        self.info = info
        self.taken_s = taken_s
        self.fault: str | None = None
        """Why it can not be decoded, once that is known."""
        self._decoding = threading.Lock()
        self._encoded = content.copy() if content.ndim == 1 else None
        self._rgb: Array | None = None
        if content.ndim == 2:
            rgb = cv2.cvtColor(content, cv2.COLOR_YUV2RGB_I420)
            self._rgb = cast(Array, rgb)[: info.height, : info.width]

    def rgb(self) -> Array | None:
        """The picture, (H, W, 3), or None if it can not be decoded."""
        with self._decoding:
            if self._encoded is not None:
                try:
                    self._rgb = decode(self._encoded)
                except NotDecodable as error:
                    self.fault = str(error)
                else:
                    # The header's size may be turned, and is only a claim.
                    height, width = self._rgb.shape[:2]
                    self.info = replace(self.info, width=width, height=height)
                self._encoded = None
        return self._rgb
