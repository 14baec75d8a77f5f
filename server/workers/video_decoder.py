"""Decodes one session's video, frame by frame."""

from __future__ import annotations

from collections import deque
from typing import cast

import av

from server.media.convert import as_i420
from server.workers.messages import EncodedInput

_DECODERS = {"VP8": "libvpx", "H264": "h264"}
# Frames that a decoder may hold back, since they are shown after later ones: H.264's most is 16.
_MAX_HELD = 17


class NotDecoded(Exception):
    """A frame can not be decoded; what builds on it can not either."""


class VideoDecoder:
    """A video's frames in, in order, and pictures out.

    Parameters
    ----------
    max_pixels
        Larger pictures are not decoded; no room is made for them.
    """

    def __init__(self, max_pixels: int) -> None:
        self._max_pixels = max_pixels
        self._codec: str | None = None
        self._context: av.VideoCodecContext | None = None
        self._held: deque[EncodedInput] = deque(maxlen=_MAX_HELD)

    def decode(self, frame: EncodedInput) -> tuple[EncodedInput, av.VideoFrame] | None:
        """Decode the next frame.

        Returns
        -------
        The newest picture that there is now, yuv420p, and the frame that it was; None when the
        decoder holds it back, or there is nothing to be shown in it.

        Raises
        ------
        NotDecoded
            The reason.
        """
        if frame.codec != self._codec:
            self._begin(frame.codec)
        assert self._context is not None
        packet = av.Packet(frame.data)
        packet.pts = packet.dts = frame.info.number
        self._held.append(frame)
        try:
            pictures = self._context.decode(packet)
        except av.FFmpegError as error:
            raise NotDecoded(error.strerror) from error
        if not pictures:
            return None
        picture = pictures[-1]
        shown = next((held for held in self._held if held.info.number == picture.pts), frame)
        return shown, as_i420(picture)

    def _begin(self, codec: str) -> None:
        self._held.clear()
        context = av.CodecContext.create(_DECODERS[codec], "r")
        # Of several, each holds a frame back; the cores are the lanes'.
        context.thread_count = 1
        context.options = {"max_pixels": str(self._max_pixels)}
        self._codec, self._context = codec, cast(av.VideoCodecContext, context)
