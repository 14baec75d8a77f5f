"""A recording of frames that are encoded for it: H.264 in an MP4 file, with sound if wanted."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import av
from av.container import OutputContainer
from av.video.frame import PictureType
from av.video.stream import VideoStream

from server.recordings.counted_file import CountedFile
from server.recordings.fitting import Fitter
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

KEYFRAME_INTERVAL_TICKS = 2000 * TICKS_PER_MS

# On a filmed exercise at 640x480, ultrafast takes 0.9 ms of CPU a frame flat out and 1.8 ms at
# a camera's pace, superfast half as much again or twice that, for less than half the size. The CPU
# is what the analyzers are short of. CRF 25 gave 39 dB and 2.7 Mb/s; WebRTC itself delivers 1 to 2,
# so a finer one would spend its bits on the artefacts of the first encoding.
X264_OPTIONS = {
    "preset": "ultrafast",
    "tune": "zerolatency",
    "crf": "25",
    # Key frames come when we ask for them, by time: the frame rate varies.
    "g": "100000",
}
# What noise can push the rate to, averaged over a second: 2.3 Mb/s at 640x480, 15.5 at 1920x1080.
MAX_BITS_PER_PIXEL = 0.25
NOMINAL_FPS = 30


class EncodedMovie:
    """A file in which every frame keeps its own time.

    Everything is done in the calling thread. What `file` raises comes through.

    Parameters
    ----------
    file
        Where the MP4 goes; `close` closes it.
    width, height
        Size of the picture in pixels; an odd one is made even. Frames of other sizes are fitted in.
    sound
        The track of sound that goes on in it; None for a file without one.
    time_ms
        The time of the first frame.

    Attributes
    ----------
    frames_written
        Frames encoded so far.
    """

    kind = Kind.MP4

    def __init__(
        self,
        file: CountedFile,
        *,
        width: int,
        height: int,
        sound: SoundTrack | None = None,
        time_ms: float = 0.0,
    ) -> None:
        # 4:2:0 chroma needs even sizes.
        self._width = width + width % 2
        self._height = height + height % 2
        self.frames_written = 0
        self._last_ticks = -MIN_STEP_TICKS
        self._next_key_ticks = 0
        self._fitter = Fitter(self._width, self._height)
        self._container = LiveContainer(file, self.kind, self._add_video, sound, time_ms)

    @property
    def bytes_written(self) -> int:
        """Bytes handed to the operating system so far."""
        return self._container.bytes_written

    def video(self, frame: av.VideoFrame, time_ms: float) -> None:
        """Encode one frame, of any size and pixel format, without changing it.

        A time that does not rise is moved on to 1 ms after the frame before it.
        """
        image = self._fitter.fit(frame)
        if not self._encoder.is_open:
            _copy_colour(image, self._encoder)
        ticks = max(round(time_ms * TICKS_PER_MS), self._last_ticks + MIN_STEP_TICKS)
        self._last_ticks = ticks
        image.pts, image.time_base = ticks, VIDEO_TIME_BASE
        # The decoder's own type would tell the encoder which type to use.
        image.pict_type = PictureType.NONE
        if ticks >= self._next_key_ticks:
            image.pict_type = PictureType.I
            self._next_key_ticks = ticks + KEYFRAME_INTERVAL_TICKS
        self._encode(image)
        self._container.keep_sound_up(ticks)
        self.frames_written += 1

    def close(self) -> None:
        """Write what the encoder holds, and the end of the file."""
        if self.frames_written:
            self._encode(None)
        self._container.close(self._last_ticks if self.frames_written else None)

    @property
    def _encoder(self) -> av.VideoCodecContext:
        return self._container.video.codec_context

    def _add_video(self, container: OutputContainer) -> VideoStream:
        rate_limit = str(round(self._width * self._height * NOMINAL_FPS * MAX_BITS_PER_PIXEL))
        stream = container.add_stream(
            "libx264",
            rate=NOMINAL_FPS,
            options={**X264_OPTIONS, "maxrate": rate_limit, "bufsize": rate_limit},
            width=self._width,
            height=self._height,
            time_base=VIDEO_TIME_BASE,
        )
        # The cores are for the analyzers; one thread has time for many streams' frames.
        stream.codec_context.thread_count = 1
        return stream

    def _encode(self, image: av.VideoFrame | None) -> None:
        for packet in self._container.video.encode(image):
            self._container.write(cast("VideoPacket", packet))


def _copy_colour(image: av.VideoFrame, encoder: av.VideoCodecContext) -> None:
    """Tell the encoder how the frames code colour, or players guess it from the size."""
    encoder.color_range = image.color_range
    encoder.colorspace = image.colorspace
    encoder.color_primaries = image.color_primaries
    encoder.color_trc = image.color_trc
