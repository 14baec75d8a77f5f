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

    It is decoded, or its colours are converted, by the first who looks at it, on their thread: the
    dispatcher must not wait for that. Until then planes stay in the mailbox.
    """

    def __init__(self, info: FrameInfo, content: Array, taken_s: float) -> None:
        self.info = info
        self.taken_s = taken_s
        self.fault: str | None = None
        """Why it can not be decoded, once that is known."""
        self._looking = threading.Lock()
        self._encoded = content.copy() if content.ndim == 1 else None
        self._planes = content if content.ndim == 2 else None
        self._rgb: Array | None = None

    def rgb(self) -> Array | None:
        """The picture, (H, W, 3), or None if it can not be decoded."""
        with self._looking:
            if self._planes is not None:
                rgb = cv2.cvtColor(self._planes, cv2.COLOR_YUV2RGB_I420)
                self._rgb = cast(Array, rgb)[: self.info.height, : self.info.width]
                self._planes = None
            elif self._encoded is not None:
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

    def let_go(self) -> None:
        """Be ready for the mailbox to be read on or closed: planes not looked at yet are copied.

        Waits for whoever is converting them just now, never for a picture to be decoded.
        """
        if self._planes is not None:
            with self._looking:
                if self._planes is not None:
                    self._planes = self._planes.copy()
