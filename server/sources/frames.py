"""The frames of an open source: as they are encoded, where a worker decodes them, or decoded."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass

import av
from av.bitstream import BitStreamFilterContext
from av.video.stream import VideoStream

from server.media.bitstream import ParameterSets, picture_size
from server.media.convert import as_i420
from server.media.encoded_frame import EncodedFrame
from server.media.picture import EncodedPicture
from server.sources.container import MAX_PIXELS, OpenVideo, packets_of
from server.sources.errors import SourceRefused
from signaling.errors import SignalingError

# What a worker decodes, by FFmpeg's names.
_CODECS = {"h264": "H264", "vp8": "VP8"}
# JPEGs that follow each other, as cameras send them over HTTP. Those in other containers may lack
# tables, or hold half a picture each.
_PICTURES = "mpjpeg"
CLOCK_HZ = 90_000
"""Of an encoded frame's timestamp."""
# A frame of 4096 x 4096 that is hardly compressed.
MAX_FRAME_BYTES = 16 * 2**20
# What a live source may be ahead of its own times, and its frames a second, whatever those say.
MAX_AHEAD_S = 10.0
_MAX_LIVE_FPS = 240.0
_MACROBLOCK = 16
# Where neither the frames nor the container say anything of times.
_FALLBACK_FPS = 25.0


@dataclass(frozen=True, slots=True)
class TimedFrame:
    """A source's next frame.

    Attributes
    ----------
    frame
        As it is encoded, in the order of decoding; a picture of its own; or decoded, yuv420p.
    due_s
        When it is due, on the source's own clock; None where that says nothing. Of a live source
        it is due when it comes, but for one that sends far more than it can have made.
    """

    frame: EncodedFrame | EncodedPicture | av.VideoFrame
    due_s: float | None


def frames_of(video: OpenVideo, max_pixels: int, max_encoded_pixels: int) -> Iterator[TimedFrame]:
    """Read a source to its end.

    Parameters
    ----------
    video
        Open.
    max_pixels
        Larger frames are refused.
    max_encoded_pixels
        Of a video that a worker decodes; a larger one is decoded here.

    Raises
    ------
    SourceRefused
        A frame is larger.
    FFmpegError, OSError
        It can not be read any more.
    """
    context = video.stream.codec_context
    # A decoder makes room for whole macroblocks.
    is_small = _whole(context.width) * _whole(context.height) <= max_encoded_pixels
    # A camera of this machine is decoded here, as all its frames are.
    if context.name in _CODECS and is_small and not video.is_device:
        yield from _encoded(video, min(max_pixels, max_encoded_pixels))
    elif video.container.format.name == _PICTURES:
        yield from _pictures(video, max_pixels)
    else:
        yield from _decoded(video, max_pixels)


def _decoded(video: OpenVideo, max_pixels: int) -> Iterator[TimedFrame]:
    for packet in packets_of(video):
        try:
            frames = [frame for frame in packet.decode() if isinstance(frame, av.VideoFrame)]
        except av.error.InvalidDataError:
            # Damaged on its way; the next key frame mends it.
            continue
        for frame in frames:
            _check_size((frame.width, frame.height), max_pixels)
            yield TimedFrame(as_i420(frame), None if video.is_live else frame.time)


def _pictures(video: OpenVideo, max_pixels: int) -> Iterator[TimedFrame]:
    for packet in packets_of(video):
        try:
            picture = EncodedPicture.read(bytes(packet), max_pixels=MAX_PIXELS)
        except SignalingError:
            # Damaged on its way, or one that would fill the memory: the next one is another.
            continue
        _check_size((picture.width, picture.height), max_pixels)
        yield TimedFrame(picture, None)


def _encoded(video: OpenVideo, max_pixels: int) -> Iterator[TimedFrame]:
    stream = video.stream
    codec = _CODECS[stream.codec_context.name]
    sets = ParameterSets()
    if codec == "H264":
        # RTSP says them in its description of the session alone.
        sets.complete(stream.codec_context.extradata or b"", is_key_frame=False)
    times = _Times(video)
    needs_key_frame = True
    for packet in _packets(video, codec):
        data = bytes(packet)
        needs_key_frame &= not packet.is_keyframe
        if not data or needs_key_frame:
            continue
        if len(data) > MAX_FRAME_BYTES:
            raise SourceRefused(f"a frame of it has {len(data)} bytes: at most {MAX_FRAME_BYTES}")
        if codec == "H264":
            data = sets.complete(data, packet.is_keyframe)
        try:
            size = picture_size(codec, data)
        except ValueError:
            # Damaged on its way; the next key frame mends it.
            needs_key_frame = True
            continue
        if size is not None:
            _check_size(size, max_pixels)
        due_s, shown_s = times.of(packet)
        timestamp = round(shown_s * CLOCK_HZ)
        frame = EncodedFrame(codec, 0, data, timestamp, packet.is_keyframe)
        yield TimedFrame(frame, due_s)


def _packets(video: OpenVideo, codec: str) -> Iterator[av.Packet[VideoStream]]:
    """Its packets; of H264 as Annex B, which MP4 and others do not keep (ISO/IEC 14496-15)."""
    packets = packets_of(video)
    if codec != "H264":
        yield from packets
        return
    annex_b = BitStreamFilterContext("h264_mp4toannexb", video.stream)
    for packet in packets:
        if packet.size:
            with contextlib.suppress(av.error.InvalidDataError):
                yield from annex_b.filter(packet)


class _Times:
    """When packets are due, and shown: their own times, or of a live source their arrival."""

    def __init__(self, video: OpenVideo) -> None:
        self._live = LivePace()
        self._is_live = video.is_live
        self._base = float(video.stream.time_base or 0)
        self._step_s = step_s(video.stream)
        self._due_s = float("-inf")

    def of(self, packet: av.Packet[VideoStream]) -> tuple[float, float]:
        """Seconds of both. Frames that are decoded before they are shown are due in that order."""
        pts, dts = packet.pts, packet.dts
        if self._is_live:
            held = pts - dts if pts is not None and dts is not None else 0
            at = dts if dts is not None else pts
            due_s = self._live.due_s(None if at is None else at * self._base)
            return due_s, time.monotonic() + held * self._base
        if (at := dts if dts is not None else pts) is not None:
            # Matroska has no dts, and FFmpeg does not know it of the first.
            self._due_s = max(at * self._base, self._due_s)
        else:
            self._due_s = max(self._due_s + self._step_s, 0.0)
        return self._due_s, self._due_s if pts is None else pts * self._base


class LivePace:
    """Keeps a source that calls itself live from sending a whole film at once.

    It may be `MAX_AHEAD_S` ahead of its own times: cameras begin with what they have kept.
    """

    def __init__(self) -> None:
        self._count = 0
        self._own_s = 0.0
        self._last_s: float | None = None

    def due_s(self, time_s: float | None) -> float:
        """When the next frame may come, in seconds since the first one.

        Parameters
        ----------
        time_s
            What it says itself, if it says anything; jumps do not count.
        """
        if time_s is not None:
            step_s = time_s - self._last_s if self._last_s is not None else 0.0
            self._last_s = time_s
            self._own_s += step_s if 0 <= step_s <= MAX_AHEAD_S else 0.0
        self._count += 1
        return max(self._own_s, self._count / _MAX_LIVE_FPS) - MAX_AHEAD_S


def _whole(length: int) -> int:
    return -(-length // _MACROBLOCK) * _MACROBLOCK


def step_s(stream: VideoStream) -> float:
    """Seconds from one frame to the next, on average."""
    return 1 / float(stream.average_rate or stream.guessed_rate or _FALLBACK_FPS)


def _check_size(size: tuple[int, int], max_pixels: int) -> None:
    """Refuse what is too large, before room is made for it where it is decoded elsewhere."""
    if size[0] * size[1] > max_pixels:
        raise SourceRefused(
            f"the source has {size[0]} x {size[1]} pixels: at most {max_pixels} are taken"
        )
