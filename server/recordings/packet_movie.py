"""A recording of a video's packets as they came: nothing is decoded or encoded for it."""

from __future__ import annotations

from bisect import insort
from functools import partial
from typing import TYPE_CHECKING, cast

import av
from av.container import OutputContainer
from av.video.stream import VideoStream

from server.media.bitstream import may_reorder, shown_size
from server.media.encoded_frame import EncodedFrame
from server.recordings.counted_file import CountedFile
from server.recordings.live_container import (
    MIN_STEP_TICKS,
    TICKS_PER_MS,
    VIDEO_TIME_BASE,
    Kind,
    LiveContainer,
)
from server.recordings.sound import SoundTrack

if TYPE_CHECKING:
    from server.recordings.live_container import VideoPacket

# FFmpeg writes no VP8 into MP4, and WebM is made for it.
_KINDS = {"H264": Kind.MP4, "VP8": Kind.WEBM}
# Frames that are shown after one that comes later: what encoders make of B frames takes three.
_MAX_HELD = 4


class NotWritable(Exception):
    """A frame can not be written, nor what builds on it."""


class PacketMovie:
    """A file of one video's packets, each frame at its own time.

    Everything is done in the calling thread. What `file` raises comes through.

    Parameters
    ----------
    file
        Where it goes; `close` closes it.
    first
        The first frame, a key frame, which `kind_of` has taken.
    sound
        The track of sound that goes on in it; None for a file without one.
    time_ms
        The first frame's time.

    Attributes
    ----------
    frames_written
        Frames written so far.
    """

    def __init__(
        self, file: CountedFile, first: EncodedFrame, sound: SoundTrack | None, time_ms: float
    ) -> None:
        self.frames_written = 0
        self.kind = kind_of(first)
        self._codec = first.codec
        self._size = _size_of(first)
        self._order = DecodingOrder(may_reorder(first.codec, first.data))
        add_video = partial(_add_video, codec=first.codec, size=self._size)
        self._container = LiveContainer(file, self.kind, add_video, sound, time_ms)

    @property
    def bytes_written(self) -> int:
        """Bytes handed to the operating system so far."""
        return self._container.bytes_written

    def takes(self, frame: EncodedFrame) -> bool:
        """Whether a frame belongs into this file: H264 has one size in each, VP8 any.

        Raises
        ------
        NotWritable
            It is a key frame that `kind_of` does not take.
        """
        if frame.codec != self._codec:
            return False
        is_free = self.kind is Kind.WEBM or not frame.is_key_frame
        return is_free or _size_of(frame) == self._size

    def video(self, frame: EncodedFrame, time_ms: float) -> None:
        """Write a frame; a time that does not rise is moved on."""
        packet = cast("VideoPacket", av.Packet(frame.data))
        packet.stream = self._container.video
        packet.time_base = VIDEO_TIME_BASE
        packet.pts, packet.dts = self._order.place(round(time_ms * TICKS_PER_MS))
        packet.is_keyframe = frame.is_key_frame
        self._container.write(packet)
        self._container.keep_sound_up(packet.pts)
        self.frames_written += 1

    def close(self) -> None:
        """Write the end of the file."""
        self._container.close(self._order.last_shown if self.frames_written else None)


class DecodingOrder:
    """When frames are decoded, by when they are shown.

    A frame that comes may be shown before up to `_MAX_HELD` that came before it. So it is decoded
    at the time of the one that is shown so many frames before the latest, which is never later
    than its own. Without such frames both times are the same.

    Parameters
    ----------
    reorders
        Whether frames may be shown in another order than they come in.
    """

    def __init__(self, reorders: bool) -> None:
        self._held = _MAX_HELD if reorders else 0
        self._shown: list[int] = []
        self._decoded = 0

    @property
    def last_shown(self) -> int:
        """The latest time at which a frame is shown, in ticks."""
        return self._shown[-1]

    def place(self, ticks: int) -> tuple[int, int]:
        """When the next frame is shown and decoded, given when it was taken."""
        if not self._shown:
            # Before the first one, so many have to be decoded that none of them is below zero.
            first = max(ticks, self._held)
            self._decoded = first - self._held
            self._shown = [first]
            return first, self._decoded
        step = 1 if self._held else MIN_STEP_TICKS
        shown = max(ticks, self._decoded + step)
        insort(self._shown, shown)
        del self._shown[: -self._held - 1]
        is_full = len(self._shown) > self._held
        self._decoded = max(self._shown[0] if is_full else 0, self._decoded + 1)
        return max(shown, self._decoded), self._decoded


def kind_of(frame: EncodedFrame) -> Kind:
    """What kind of file a key frame's video goes into.

    Raises
    ------
    NotWritable
        It does not say how it is to be decoded, or can be decoded by nobody.
    """
    kind = _KINDS.get(frame.codec)
    if kind is None:
        raise NotWritable(f"{frame.codec} is not recorded")
    _size_of(frame)
    return kind


def _size_of(key_frame: EncodedFrame) -> tuple[int, int]:
    try:
        size = shown_size(key_frame.codec, key_frame.data)
    except ValueError as error:
        raise NotWritable(str(error)) from error
    if size is None or not all(size):
        raise NotWritable("a key frame does not say how large its picture is")
    return size


def _add_video(container: OutputContainer, *, codec: str, size: tuple[int, int]) -> VideoStream:
    width, height = size
    # Not a template: to make one, FFmpeg would have to decode a frame. It takes parameter sets
    # from the first packet.
    stream = container.add_mux_stream(codec.lower(), width=width, height=height)
    stream.time_base = VIDEO_TIME_BASE
    return cast(VideoStream, stream)
