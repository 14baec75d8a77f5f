"""Receiving video: frames without delay, as they were encoded, and losses mended."""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

from aiortc import RTCRtpReceiver, rtcrtpreceiver
from aiortc.jitterbuffer import JitterFrame
from aiortc.rtp import RtpPacket

from server.media.bitstream import picture_size
from server.media.encoded_frame import EncodedFrame
from server.rtc.jitter_buffer import Packet, VideoJitterBuffer
from server.rtc.passed_over import pass_over
from server.rtc.remb import bounded_estimator

logger = logging.getLogger(__name__)

# What a decoder makes room for before anybody sees the picture; the server's --max-video-pixels.
DEFAULT_MAX_PIXELS = 4096 * 4096
_TIMESTAMPS = 1 << 32

_max_pixels = DEFAULT_MAX_PIXELS

_original_handle_rtp_packet = RTCRtpReceiver._handle_rtp_packet
_ending_decoders: set[threading.Thread] = set()


def install() -> None:
    """Replace how a receiver puts frames together and how its decoder ends."""
    RTCRtpReceiver._handle_rtp_packet = _handle_rtp_packet  # type: ignore[method-assign]
    RTCRtpReceiver._RTCRtpReceiver__stop_decoder = _stop_decoder  # type: ignore[attr-defined]
    rtcrtpreceiver.threading = SimpleNamespace(  # type: ignore[assignment,attr-defined]
        Thread=_DecoderThread, Event=threading.Event
    )


def set_max_pixels(pixels: int) -> None:
    """Hand over no frame that says that its picture has more."""
    global _max_pixels
    _max_pixels = pixels


class _DecoderThread(threading.Thread):
    """A receiver's decoder; a video's begins with the first frame that is to be decoded here.

    aiortc starts it before anything comes. Drop when a receiver gives encoded frames, and needs
    none for that.
    """

    def start(self) -> None:
        if self.name != "video-decoder":
            super().start()

    def begin(self) -> None:
        if self.ident is None:
            super().start()


async def decoders_ended() -> None:
    """Wait for the decoder threads of connections that were closed.

    Each still tells its track that it has ended, which needs the event loop to be there.
    """
    for thread in list(_ending_decoders):
        await asyncio.to_thread(thread.join)
        _ending_decoders.discard(thread)


async def request_key_frame(receiver: RTCRtpReceiver) -> None:
    """Ask the sender of this receiver's video for a key frame (PLI, RFC 4585, section 6.3.1).

    Drop when RTCRtpReceiver has a public method for it. Does nothing before the first packet, when
    the sender is not known yet.
    """
    held = _held(receiver)
    if held.ssrc is not None:
        await receiver._send_rtcp_pli(held.ssrc)


def on_encoded_frame(receiver: RTCRtpReceiver, take: Callable[[EncodedFrame], None] | None) -> None:
    """Have a receiver's video as it comes, and not decoded; None has it decoded again.

    Parameters
    ----------
    receiver
        Of video.
    take
        Called on the event loop with each frame, its timestamp unwrapped and from 0 on: must be
        quick.

    Notes
    -----
    aiortc hands frames to its own decoder only. Drop when it has encoded streams (W3C's WebRTC
    Encoded Transform).
    """
    _held(receiver).tap = take


def on_too_large(receiver: RTCRtpReceiver, refused: Callable[[str], None] | None) -> None:
    """Hear, in one line, of frames that are not decoded since their pictures are too large."""
    _held(receiver).refused = refused


def limit_bitrate(receiver: RTCRtpReceiver, share: float | None) -> None:
    """Have a sender send less (REMB, draft-alvestrand-rmcat-remb).

    Parameters
    ----------
    receiver
        Of video.
    share
        Of what came when this was first called; None has it send what the line carries again.
    """
    bounded_estimator(receiver).bound(share)


def received_codec(receiver: RTCRtpReceiver) -> str | None:
    """What a receiver's video comes in, or, before it comes, what was agreed on first."""
    if (codec := _held(receiver).codec) is not None:
        return codec
    codecs = receiver._RTCRtpReceiver__codecs  # type: ignore[attr-defined]
    return next((str(codec.name) for codec in codecs.values()), None)


async def _handle_rtp_packet(self: RTCRtpReceiver, packet: RtpPacket, arrival_time_ms: int) -> None:
    """Hand over a video frame with its last packet, and mend losses.

    aiortc waits for the next frame's first packet, which costs a frame of delay: 33 ms at 30 fps.
    It asks for a lost packet only when another is lost, waits for it until 512 others have come,
    and asks for a key frame only after a decoding error (aiortc#1350). Drop the buffer when its own
    honours the marker bit, asks again and gives up in time.
    """
    if self._track is None or self._track.kind != "video":
        await _original_handle_rtp_packet(self, packet, arrival_time_ms)
        return
    held = _held(self)
    await _original_handle_rtp_packet(self, packet, arrival_time_ms)
    if held.ssrc is None:
        return
    now_s = time.monotonic()
    frames = held.video.take(now_s)
    if wanted := held.video.wanted_packets(now_s):
        await self._send_rtcp_nack(held.ssrc, wanted)
    if held.video.wants_key_frame(now_s):
        await self._send_rtcp_pli(held.ssrc)
    for frame in frames:
        _hand_over(self, held, frame)


def _hand_over(receiver: RTCRtpReceiver, held: _JitterBufferAdapter, frame: EncodedFrame) -> None:
    if receiver._RTCRtpReceiver__decoder_thread is None:  # type: ignore[attr-defined]
        return
    frame = replace(frame, timestamp=held.unwrapped(frame.timestamp))
    held.codec = frame.codec
    if not _is_within_bounds(held, frame):
        return
    if held.tap is not None:
        held.tap(frame)
        return
    receiver._RTCRtpReceiver__decoder_thread.begin()  # type: ignore[attr-defined]
    codec = receiver._RTCRtpReceiver__codecs[frame.payload_type]  # type: ignore[attr-defined]
    waiting = receiver._RTCRtpReceiver__decoder_queue  # type: ignore[attr-defined]
    waiting.put((codec, JitterFrame(data=frame.data, timestamp=frame.timestamp)))


def _is_within_bounds(held: _JitterBufferAdapter, frame: EncodedFrame) -> bool:
    """Whether a frame may be decoded: not one that says it is too large, nor those that follow."""
    try:
        size = picture_size(frame.codec, frame.data)
    except ValueError as error:
        pass_over(held, "A frame", error)
        return False
    if size is None:
        return not held.is_too_large
    was_too_large, held.is_too_large = held.is_too_large, size[0] * size[1] > _max_pixels
    if held.is_too_large and not was_too_large:
        text = f"pictures of {size[0]} x {size[1]} are more than {_max_pixels} pixels"
        pass_over(held, "A video", text)
        if held.refused is not None:
            held.refused(text)
    return not held.is_too_large


def _held(receiver: RTCRtpReceiver) -> _JitterBufferAdapter:
    """A video receiver's packets, as we hold them."""
    held = receiver._RTCRtpReceiver__jitter_buffer  # type: ignore[attr-defined]
    if not isinstance(held, _JitterBufferAdapter):
        held = receiver._RTCRtpReceiver__jitter_buffer = _JitterBufferAdapter(receiver)  # type: ignore[attr-defined]
        # What is missing is asked for here.
        receiver._RTCRtpReceiver__nack_generator = None  # type: ignore[attr-defined]
        bounded_estimator(receiver)
    return held


class _JitterBufferAdapter:
    """Stands in for aiortc's jitter buffer in a video receiver, and gives it nothing."""

    def __init__(self, receiver: RTCRtpReceiver) -> None:
        codecs = receiver._RTCRtpReceiver__codecs  # type: ignore[attr-defined]
        self.video = VideoJitterBuffer(lambda payload_type: str(codecs[payload_type].name))
        self.ssrc: int | None = None
        """Of the video itself, not of what is sent again."""
        self.codec: str | None = None
        self.tap: Callable[[EncodedFrame], None] | None = None
        self.refused: Callable[[str], None] | None = None
        self.is_too_large = False
        self._last: int | None = None
        self._unwrapped = 0

    def add(self, packet: RtpPacket) -> tuple[bool, None]:
        self.ssrc = packet.ssrc
        self.video.add(cast(Packet, packet), time.monotonic())
        return False, None

    def unwrapped(self, timestamp: int) -> int:
        """An RTP timestamp without its wrapping around, from 0 on.

        aiortc takes each one that falls for a wrap, and moves all that follow on by 13 hours: so it
        does with B frames, which are sent after what they are shown before.
        """
        ahead = 0 if self._last is None else (timestamp - self._last) % _TIMESTAMPS
        self._last = timestamp
        self._unwrapped += ahead if ahead < _TIMESTAMPS // 2 else ahead - _TIMESTAMPS
        return self._unwrapped


def _stop_decoder(self: RTCRtpReceiver) -> None:
    """End the decoder thread after the frame it is at; `decoders_ended` waits for it.

    aiortc's own joins it on the event loop, behind all that waits to be decoded, which stops every
    session meanwhile. Drop when it no longer does.
    """
    thread = self._RTCRtpReceiver__decoder_thread  # type: ignore[attr-defined]
    if thread is None:
        return
    self._RTCRtpReceiver__decoder_thread = None  # type: ignore[attr-defined]
    if thread.ident is None:
        assert self._track is not None
        self._track._queue.put_nowait(None)
        return
    _ending_decoders.add(thread)
    waiting: queue.Queue[Any] = self._RTCRtpReceiver__decoder_queue  # type: ignore[attr-defined]
    _empty(waiting)
    waiting.put(None)


def _empty(waiting: queue.Queue[Any]) -> None:
    while True:
        try:
            waiting.get_nowait()
        except queue.Empty:
            return
