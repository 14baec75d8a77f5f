"""Encoding live video for viewers who come and go: no delay, a key frame when one is asked for."""

from __future__ import annotations

import enum
from fractions import Fraction
from typing import TypeAlias, cast

import av
from av.video.frame import PictureType

from server.media.bitrate import worth_changing
from server.media.convert import as_i420

# RTP's clock for video (RFC 6184, section 5.1; RFC 7741, section 4.1).
VIDEO_CLOCK_HZ = 90_000
TIME_BASE = Fraction(1, VIDEO_CLOCK_HZ)
NOMINAL_FPS = 30

Packet: TypeAlias = "av.Packet[av.VideoStream]"

_OPTIONS = {
    # 4.7 ms of CPU for 1536x864 at 3 Mb/s; aiortc's own settings take 50.
    "libx264": {
        "preset": "ultrafast",
        "tune": "zerolatency",
        # Key frames come when they are asked for.
        "g": "100000",
        # Or they would be mere I frames, which a new viewer can not begin with.
        "forced-idr": "1",
    },
    # 8.6 ms at 1.5 Mb/s.
    "libvpx": {
        "deadline": "realtime",
        "cpu-used": "-6",
        "lag-in-frames": "0",
        "error-resilient": "1",
        "noise-sensitivity": "0",
        "g": "100000",
    },
}


class Codec(enum.StrEnum):
    """What browsers decode, each of them at least one (RFC 7742, section 5)."""

    H264 = "H264"
    VP8 = "VP8"


_ENCODERS = {Codec.H264: "libx264", Codec.VP8: "libvpx"}


class Encoder:
    """One encoder. Slow: for a thread of its own.

    Parameters
    ----------
    codec
        What it makes.
    bitrate
        To begin with, in bits a second.
    """

    def __init__(self, codec: Codec, bitrate: int) -> None:
        self.codec = codec
        self.bitrate = bitrate
        self._context: av.VideoCodecContext | None = None
        self._last_ticks = -1

    def encode(self, frame: av.VideoFrame, time_s: float, *, key_frame: bool) -> list[Packet]:
        """Encode a frame.

        Parameters
        ----------
        frame
            Of any size and pixel format; a new size begins with a key frame. Its times and its
            type are set: encoders that share a frame must take turns.
        time_s
            Since whenever, but always rising.
        key_frame
            Whether one is wanted.

        Returns
        -------
        Packets with times in RTP's clock; usually one.
        """
        context = self._ready(frame)
        own = as_i420(frame, context.width, context.height)
        ticks = max(int(time_s * VIDEO_CLOCK_HZ), self._last_ticks + 1)
        own.pts = self._last_ticks = ticks
        own.time_base = TIME_BASE
        own.pict_type = PictureType.I if key_frame else PictureType.NONE
        packets = context.encode(own)
        for packet in packets:
            packet.time_base = TIME_BASE
        return packets

    def _ready(self, frame: av.VideoFrame) -> av.VideoCodecContext:
        # 4:2:0 needs even sizes.
        size = (frame.width & ~1, frame.height & ~1)
        context = self._context
        if (
            context is None
            or (context.width, context.height) != size
            or worth_changing(context.bit_rate or 0, self.bitrate)
        ):
            context = self._context = self._open(*size)
        return context

    def _open(self, width: int, height: int) -> av.VideoCodecContext:
        name = _ENCODERS[self.codec]
        context = cast(av.VideoCodecContext, av.CodecContext.create(name, "w"))
        context.width, context.height = width, height
        context.pix_fmt = "yuv420p"
        context.time_base = TIME_BASE
        context.framerate = Fraction(NOMINAL_FPS)
        context.bit_rate = self.bitrate
        # One: more split the picture or wait for frames, and other streams want the cores too.
        context.thread_count = 1
        context.options = _OPTIONS[name]
        if self.codec is Codec.H264:
            context.profile = "Baseline"
        return context
