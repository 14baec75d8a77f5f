"""The sound of an MP4 file: samples go where their time says, with silence in between."""

from fractions import Fraction

import av
import numpy as np
from av.audio.resampler import AudioResampler
from av.container import OutputContainer
from numpy.typing import NDArray

AUDIO_RATE_HZ = 48_000
SAMPLES_PER_MS = AUDIO_RATE_HZ // 1000
AUDIO_BIT_RATE = 128_000
# Half the CPU of the default: 0.12 ms a block.
AAC_OPTIONS = {"aac_coder": "fast"}
# What FFmpeg's AAC encoder takes: 32-bit float, a plane for each channel.
PCM_FORMAT = "fltp"
PCM_LAYOUT = "stereo"
# AAC-LC codes 1024 samples at a time, and FFmpeg's encoder starts with one block of priming, which
# it dates before the first sample (ISO/IEC 14496-3; libavcodec/aacenc.c, initial_padding).
AAC_BLOCK = 1024
# Arrival jitter below this is absorbed; beyond it, silence is put in or samples are cut.
AUDIO_TOLERANCE = 40 * SAMPLES_PER_MS
# A longer gap than this stays a gap in the track: a leap of the sender's clock must not cost hours
# of encoded silence. A session's connection may be gone for 30 s and come back.
MAX_SILENCE = 60 * AUDIO_RATE_HZ

Samples = NDArray[np.float32]  # (2, samples), -1 to 1


class SoundTrack:
    """An AAC track without holes, whose samples are placed by time.

    Gaps are filled with silence and overlaps cut, since many players take an audio track for
    continuous and would run ahead of the video after a hole.

    Parameters
    ----------
    container
        The file, which gains the track; nothing may have been written to it yet.
    start_ms
        The time at which the track begins. What lies before it is cut.
    """

    def __init__(self, container: OutputContainer, start_ms: float) -> None:
        self._container = container
        self._stream = container.add_stream(
            "aac", rate=AUDIO_RATE_HZ, bit_rate=AUDIO_BIT_RATE, options=AAC_OPTIONS
        )
        # The index of the first waiting sample, counted from the file's time zero. With the first
        # at AAC_BLOCK, the priming is dated zero and the muxer has nothing below it to shift.
        self._start = max(round(start_ms * SAMPLES_PER_MS), AAC_BLOCK)
        # Whether the last thing encoded was sound, which what comes next should join on to.
        self._flowing = False
        self._waiting: Samples = np.empty((2, 0), np.float32)
        self._resampler = AudioResampler(PCM_FORMAT, PCM_LAYOUT, AUDIO_RATE_HZ)
        self._source: tuple[str, str, int] | None = None

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
        self._append(np.zeros((2, -self._waiting.shape[1] % AAC_BLOCK), np.float32))

    def _append(self, samples: Samples) -> None:
        waiting = np.concatenate([self._waiting, samples], axis=1)
        while waiting.shape[1] >= AAC_BLOCK:
            self._encode(waiting[:, :AAC_BLOCK])
            waiting = waiting[:, AAC_BLOCK:]
            self._start += AAC_BLOCK
        self._waiting = waiting

    def _encode(self, block: Samples) -> None:
        frame = av.AudioFrame.from_ndarray(
            np.ascontiguousarray(block), format=PCM_FORMAT, layout=PCM_LAYOUT
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
