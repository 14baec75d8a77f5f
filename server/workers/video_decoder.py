"""Decodes one session's video, frame by frame."""

from __future__ import annotations

from bisect import insort
from dataclasses import replace
from typing import cast

import av

from server.media.convert import as_i420
from server.workers.messages import EncodedInput

_DECODERS = {"VP8": "libvpx", "H264": "h264"}
# Frames that a decoder may hold back, since they are shown after later ones: H264's most is 16.
_MAX_HELD = 17


class NotDecoded(Exception):
    """A frame can not be decoded; what builds on it can not either."""


class VideoDecoder:
    """A video's frames in, in order, and pictures out.

    Frames that are shown in another order than they are sent in are numbered in the order in which
    they are shown: whoever looks at them takes a smaller number for an older frame.

    Parameters
    ----------
    max_pixels
        Larger pictures are not decoded; no room is made for them.
    """

    def __init__(self, max_pixels: int) -> None:
        self._max_pixels = max_pixels
        self._codec: str | None = None
        self._context: av.VideoCodecContext | None = None
        self._held: dict[int, EncodedInput] = {}
        self._numbers: list[int] = []

    def decode(self, frame: EncodedInput) -> tuple[EncodedInput, av.VideoFrame] | None:
        """Decode the next frame.

        Returns
        -------
        The newest picture that there is now and that is wanted, or else the newest, yuv420p, and
        the frame that it was; None when the decoder holds it back, or there is nothing to be shown
        in it.

        Raises
        ------
        NotDecoded
            The reason.
        """
        shown = self._shown(frame)
        if not shown:
            return None
        wanted = [each for each in shown if each[0].is_wanted]
        told, picture = (wanted or shown)[-1]
        return told, as_i420(picture)

    def pictures(self, frame: EncodedInput) -> list[tuple[EncodedInput, av.VideoFrame]]:
        """Decode the next frame.

        Returns
        -------
        All pictures that there are now, in the order of showing, and the frame that each was;
        wanted or not.

        Raises
        ------
        NotDecoded
            The reason.
        """
        return [(told, as_i420(picture)) for told, picture in self._shown(frame)]

    def _shown(self, frame: EncodedInput) -> list[tuple[EncodedInput, av.VideoFrame]]:
        if frame.codec != self._codec:
            self._begin(frame.codec)
        assert self._context is not None
        packet = self._packet(frame) if frame.data else None
        try:
            pictures = self._context.decode(packet)
        except av.FFmpegError as error:
            self._forget(frame.info.number)
            raise NotDecoded(error.strerror) from error
        if packet is None:
            # It takes nothing any more.
            self._codec = None
        return [(self._frame_of(picture, frame), picture) for picture in pictures]

    def _packet(self, frame: EncodedInput) -> av.Packet[av.video.stream.VideoStream]:
        packet = av.Packet(frame.data)
        number = packet.pts = packet.dts = frame.info.number
        self._held[number] = frame
        insort(self._numbers, number)
        if len(self._held) > _MAX_HELD:
            # It was never shown.
            del self._held[next(iter(self._held))]
        del self._numbers[:-_MAX_HELD]
        return cast("av.Packet[av.video.stream.VideoStream]", packet)

    def _frame_of(self, picture: av.VideoFrame, newest: EncodedInput) -> EncodedInput:
        """What was sent of a picture, with its number in the order in which they are shown."""
        number = picture.pts
        if number is None or number not in self._held:
            return newest
        own = self._held.pop(number)
        if self._codec == "VP8" or picture.key_frame:
            # All that were sent before it have been shown, or never will be.
            self._numbers = [held for held in self._numbers if held >= number]
        place = self._numbers.pop(0) if self._numbers else number
        if own is newest:
            return own if place == number else replace(own, info=replace(own.info, number=place))
        # It was held back for those that are shown before it, and is not late for that.
        info = replace(newest.info, number=place, pts_ms=own.info.pts_ms)
        return replace(own, info=info)

    def _forget(self, number: int) -> None:
        self._held.pop(number, None)
        if number in self._numbers:
            self._numbers.remove(number)

    def _begin(self, codec: str) -> None:
        self._held.clear()
        self._numbers.clear()
        context = av.CodecContext.create(_DECODERS[codec], "r")
        # Of several, each holds a frame back; the cores are the lanes'.
        context.thread_count = 1
        context.options = {"max_pixels": str(self._max_pixels)}
        self._codec, self._context = codec, cast(av.VideoCodecContext, context)
