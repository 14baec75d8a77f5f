"""Writing an MP4 file whose frames keep their own times: H.264 video, and AAC audio if wanted.

The MP4 is fragmented: a piece that plays by itself is handed to the file every `FRAGMENT_MS`, so a
process that is killed loses less than a second, and nothing has to be finished or repaired
afterwards.
"""

from fractions import Fraction

import av
from av.filter import Graph
from av.video.format import VideoFormat
from av.video.frame import PictureType

from server.recordings.counted_file import CountedFile
from server.recordings.mp4_sound import SoundTrack

# Times are kept in RTP's clock for video (RFC 6184, section 5.1), so nothing is rounded twice.
VIDEO_TIME_BASE = Fraction(1, 90_000)
TICKS_PER_MS = 90
# An MP4 track's times must rise. A millisecond is what a repeated or earlier time is moved on by.
MIN_STEP_TICKS = 1 * TICKS_PER_MS
FRAGMENT_MS = 400
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
# How far audio may trail video before silence takes its place.
AUDIO_LATENESS_MS = 500


class MovieWriter:
    """A fragmented MP4 file, H.264 and AAC, in which every frame keeps its own time.

    Everything is done in the calling thread. What `file` raises comes through.

    Parameters
    ----------
    file
        Where the MP4 goes; `close` closes it.
    width, height
        Size of the picture in pixels; an odd one is made even. Frames of other sizes are fitted in.
    audio_from_ms
        The time at which the audio track begins, None for a file without one.

    Attributes
    ----------
    frames_written
        Video frames encoded so far.
    """

    def __init__(
        self, file: CountedFile, *, width: int, height: int, audio_from_ms: float | None
    ) -> None:
        # 4:2:0 chroma needs even sizes.
        width += width % 2
        height += height % 2
        self.frames_written = 0
        self._last_ticks = -MIN_STEP_TICKS
        self._next_key_ticks = 0
        self._held: av.Packet[av.VideoStream] | None = None
        self._fitter = _Fitter(width, height)
        self._file = file
        self._container = av.open(
            file,
            mode="w",
            format="mp4",
            # A fragment that fits is handed over in one piece: 0.4 s up to 20 Mb/s.
            buffer_size=2**20,
            container_options={
                # frag_discont keeps times absolute, and no shift moves them: without both, a track
                # that does not begin at zero is moved there, away from the other one.
                "movflags": "frag_keyframe+empty_moov+default_base_moof+frag_discont",
                "avoid_negative_ts": "disabled",
                "frag_duration": str(FRAGMENT_MS * 1000),
                # In microseconds. A track with nothing to say must not hold back the other one,
                # which FFmpeg does for ten seconds by default.
                "max_interleave_delta": "1000",
            },
        )
        rate_limit = str(round(width * height * NOMINAL_FPS * MAX_BITS_PER_PIXEL))
        self._stream = self._container.add_stream(
            "libx264",
            rate=NOMINAL_FPS,
            options={**X264_OPTIONS, "maxrate": rate_limit, "bufsize": rate_limit},
            width=width,
            height=height,
            time_base=VIDEO_TIME_BASE,
        )
        # The cores are for the analyzers; one thread has time for many streams' frames.
        self._stream.codec_context.thread_count = 1
        self._sound: SoundTrack | None = None
        if audio_from_ms is not None:
            self._sound = SoundTrack(self._container, audio_from_ms)

    @property
    def bytes_written(self) -> int:
        """Bytes handed to the operating system so far."""
        return self._file.bytes_written

    def video(self, frame: av.VideoFrame, time_ms: float) -> None:
        """Encode one frame, of any size and pixel format, without changing it.

        A time that does not rise is moved on to 1 ms after the frame before it.
        """
        image = self._fitter.fit(frame)
        if not self._stream.codec_context.is_open:
            _copy_colour(image, self._stream.codec_context)
        ticks = max(round(time_ms * TICKS_PER_MS), self._last_ticks + MIN_STEP_TICKS)
        self._last_ticks = ticks
        image.pts, image.time_base = ticks, VIDEO_TIME_BASE
        # The decoder's own type would tell the encoder which type to use.
        image.pict_type = PictureType.NONE
        if ticks >= self._next_key_ticks:
            image.pict_type = PictureType.I
            self._next_key_ticks = ticks + KEYFRAME_INTERVAL_TICKS
        for packet in self._stream.encode(image):
            self._mux(packet)
        if self._sound:
            self._sound.fill_until(ticks / TICKS_PER_MS - AUDIO_LATENESS_MS)
        self.frames_written += 1

    def audio(self, frame: av.AudioFrame, time_ms: float) -> None:
        """Encode the samples of `frame`, the first of which was taken at `time_ms`.

        The first video frame must have been written. Without an audio track, nothing is done.
        """
        if self._sound:
            self._sound.put(frame, time_ms)

    def close(self) -> None:
        """Write what the encoders hold, and the end of the file."""
        try:
            if self.frames_written:
                for packet in self._stream.encode(None):
                    self._mux(packet)
                if self._held is not None:
                    self._container.mux(self._held)
                if self._sound:
                    self._sound.fill_until(self._last_ticks / TICKS_PER_MS)
                    self._sound.flush()
            self._container.close()
        finally:
            self._file.close()

    def _mux(self, packet: "av.Packet[av.VideoStream]") -> None:
        """Write `packet`; in a file with audio, once its duration is known.

        The muxer dates a fragment by the durations before it. When audio ends a fragment, it does
        not know the last frame's yet, and takes the nominal one.
        """
        if self._sound is None:
            self._container.mux(packet)
            return
        if self._held is not None and packet.pts is not None and self._held.pts is not None:
            self._held.duration = packet.pts - self._held.pts
            self._container.mux(self._held)
        self._held = packet


class _Fitter:
    """Brings frames to one size in I420: scaled without distortion, centred, the rest black."""

    def __init__(self, width: int, height: int) -> None:
        self._width = width
        self._height = height
        self._geometry: tuple[int, int, str] | None = None
        self._graph = Graph()

    def fit(self, frame: av.VideoFrame) -> av.VideoFrame:
        """Return a frame whose attributes may be changed.

        It shares the pixels of `frame` when they fit as they are: a filter graph passes on a new
        reference to the same buffers, in 5 microseconds, where a copy takes 50 at 640x480.
        """
        geometry = (frame.width, frame.height, frame.format.name)
        if geometry != self._geometry:
            self._build(*geometry)
            self._geometry = geometry
        self._graph.push(frame)
        return self._graph.vpull()

    def _build(self, width: int, height: int, pixel_format: str) -> None:
        graph = Graph()
        graph.threads = 1
        chain = [
            graph.add_buffer(
                width=width,
                height=height,
                format=VideoFormat(pixel_format),
                time_base=VIDEO_TIME_BASE,
            )
        ]
        fitted_width, fitted_height = self._fitted_size(width, height)
        if (fitted_width, fitted_height) != (width, height):
            size = f"{fitted_width}:{fitted_height}"
            chain.append(graph.add("scale", f"{size}:flags=bilinear"))
        chain.append(graph.add("format", "yuv420p"))
        if (fitted_width, fitted_height) != (self._width, self._height):
            chain.append(graph.add("pad", f"{self._width}:{self._height}:-1:-1"))
        chain.append(graph.add("buffersink"))
        graph.link_nodes(*chain)
        graph.configure()
        self._graph = graph

    def _fitted_size(self, width: int, height: int) -> tuple[int, int]:
        if width in (self._width, self._width - 1) and height in (self._height, self._height - 1):
            return width, height  # An odd size is made even by a black line, which blurs nothing.
        scale = min(self._width / width, self._height / height)
        return max(2, round(width * scale / 2) * 2), max(2, round(height * scale / 2) * 2)


def _copy_colour(image: av.VideoFrame, encoder: av.VideoCodecContext) -> None:
    """Tell the encoder how the frames code colour, or players guess it from the size."""
    encoder.color_range = image.color_range
    encoder.colorspace = image.colorspace
    encoder.color_primaries = image.color_primaries
    encoder.color_trc = image.color_trc
