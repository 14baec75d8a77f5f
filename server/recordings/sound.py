"""The sound of a recording: samples go where their time says, with silence in between."""

from dataclasses import dataclass, field
from fractions import Fraction

import av
import numpy as np
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.container import OutputContainer
from numpy.typing import NDArray

AUDIO_RATE_HZ = 48_000
SAMPLES_PER_MS = AUDIO_RATE_HZ // 1000
AUDIO_BIT_RATE = 128_000
PCM_FORMAT = "fltp"
PCM_LAYOUT = "stereo"
# Arrival jitter below this is absorbed; beyond it, silence is put in or samples are cut.
AUDIO_TOLERANCE = 40 * SAMPLES_PER_MS
# How far sound may trail video before silence takes its place.
AUDIO_LATENESS_MS = 500
# A longer gap than this stays a gap in the track: a leap of the sender's clock must not cost hours
# of encoded silence. A session's connection may be gone for 30 s and come back.
MAX_SILENCE = 60 * AUDIO_RATE_HZ

Samples = NDArray[np.float32]  # (2, samples), -1 to 1


@dataclass(frozen=True, slots=True)
class SoundCodec:
    """How a file's sound is coded.

    Attributes
    ----------
    encoder
        FFmpeg's name of it.
    sample_format
        What the encoder takes.
    block
        Samples that are coded at a time.
    priming
        Samples that the encoder dates before the first one.
    """

    encoder: str
    sample_format: str
    block: int
    priming: int
    options: dict[str, str] = field(default_factory=dict)


# AAC-LC codes 1024 samples at a time, and FFmpeg's encoder starts with one block of priming
# (ISO/IEC 14496-3; libavcodec/aacenc.c, initial_padding). The fast coder takes half the CPU of the
# default: 0.12 ms a block.
AAC = SoundCodec("aac", "fltp", 1024, 1024, {"aac_coder": "fast"})
# Blocks of 20 ms, and libopus' lookahead of 6.5 ms (RFC 7845, section 4.2).
OPUS = SoundCodec("libopus", "flt", 960, 312, {"frame_duration": "20"})


class SoundTrack:
    """A track without holes, whose samples are placed by time; it may go on in another file.

    Gaps are filled with silence and overlaps cut, since many players take an audio track for
    continuous and would run ahead of the video after a hole.

    Parameters
    ----------
    start_ms
        The time at which the track begins. What lies before it is cut.
    """

    def __init__(self, start_ms: float) -> None:
        # The index of the first waiting sample, counted from the file's time zero.
        self._start = round(start_ms * SAMPLES_PER_MS)
        # Whether the last thing encoded was sound, which what comes next should join on to.
        self._flowing = False
        self._waiting: Samples = np.empty((2, 0), np.float32)
        self._resampler = AudioResampler(PCM_FORMAT, PCM_LAYOUT, AUDIO_RATE_HZ)
        self._source: tuple[str, str, int] | None = None
        self._codec = AAC
        self._stream: AudioStream | None = None
        self._container: OutputContainer | None = None

    def go_to(self, container: OutputContainer, codec: SoundCodec, time_ms: float) -> None:
        """Go on in a file, which gains the track; nothing may have been written to it yet.

        Parameters
        ----------
        container
            The file. The one before it must still be open.
        codec
            What it is coded in there.
        time_ms
            When the file's video begins. Where the track lags far behind, it begins there, too.
        """
        position = round(time_ms * SAMPLES_PER_MS)
        lags = position - self._end > AUDIO_LATENESS_MS * SAMPLES_PER_MS
        if lags:
            self._complete_block()
        self._flush_encoder()
        stream = container.add_stream(
            codec.encoder, rate=AUDIO_RATE_HZ, bit_rate=AUDIO_BIT_RATE, options=codec.options
        )
        assert isinstance(stream, AudioStream)
        stream.codec_context.format = codec.sample_format
        self._container, self._codec, self._stream = container, codec, stream
        # With the first sample behind the priming, the muxer has nothing below zero to shift.
        begins = max(position if lags else self._start, codec.priming)
        cut = min(begins - self._start, self._waiting.shape[1])
        self._start, self._waiting = begins, self._waiting[:, cut:]

    def is_in(self, container: OutputContainer) -> bool:
        """Whether it is there that it goes on."""
        return self._container is container

    def put(self, frame: av.AudioFrame, time_ms: float) -> None:
        """Encode the samples of `frame`, the first of which belongs at `time_ms`.

        Any format, layout and sample rate is taken, and may change from frame to frame.
        """
        position = round(time_ms * SAMPLES_PER_MS)
        samples = self._resample(frame)
        tolerance = AUDIO_TOLERANCE if self._flowing else 0
        if position > self._end + tolerance:
            self._fill(position)
        elif position < self._end - tolerance:
            samples = samples[:, self._end - position :]
        if samples.size:
            self._append(samples)
            self._flowing = True

    def fill_until(self, time_ms: float) -> None:
        """Encode silence up to `time_ms` if there is nothing yet."""
        self._fill(round(time_ms * SAMPLES_PER_MS))

    def flush(self) -> None:
        """Encode the last, partial block, and what the encoder holds."""
        self._complete_block()
        self._flush_encoder()

    def _flush_encoder(self) -> None:
        if self._stream is not None and self._container is not None:
            self._container.mux(self._stream.encode(None))

    @property
    def _end(self) -> int:
        return self._start + int(self._waiting.shape[1])

    def _fill(self, position: int) -> None:
        missing = position - self._end
        if missing <= 0:
            return
        self._flowing = False
        if missing > MAX_SILENCE:
            self._complete_block()
            self._start = position
        else:
            self._append(np.zeros((2, missing), np.float32))

    def _complete_block(self) -> None:
        self._append(np.zeros((2, -self._waiting.shape[1] % self._codec.block), np.float32))

    def _append(self, samples: Samples) -> None:
        waiting = np.concatenate([self._waiting, samples], axis=1)
        block = self._codec.block
        while waiting.shape[1] >= block:
            self._encode(waiting[:, :block])
            waiting = waiting[:, block:]
            self._start += block
        self._waiting = waiting

    def _encode(self, block: Samples) -> None:
        assert self._stream is not None
        assert self._container is not None
        is_planar = self._codec.sample_format == PCM_FORMAT
        samples = block if is_planar else block.T.reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(
            np.ascontiguousarray(samples), format=self._codec.sample_format, layout=PCM_LAYOUT
        )
        frame.sample_rate = AUDIO_RATE_HZ
        frame.time_base = Fraction(1, AUDIO_RATE_HZ)
        frame.pts = self._start
        self._container.mux(self._stream.encode(frame))

    def _resample(self, frame: av.AudioFrame) -> Samples:
        source = (frame.format.name, frame.layout.name, frame.sample_rate)
        if source != self._source:
            self._resampler = AudioResampler(PCM_FORMAT, PCM_LAYOUT, AUDIO_RATE_HZ)
            self._source = source
        pieces = [piece.to_ndarray() for piece in self._resampler.resample(frame)]
        return np.concatenate([np.empty((2, 0), np.float32), *pieces], axis=1)
