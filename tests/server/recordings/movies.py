"""Frames and sound to record, and what a decoder makes of the file."""

from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np

from server.recordings.counted_file import CountedFile
from server.recordings.encoded_movie import EncodedMovie
from server.recordings.sound import SoundTrack

BITS = 16
BLACK, WHITE = 16, 235


def numbered(number: int, width: int = 640, height: int = 480) -> av.VideoFrame:
    """A frame with vertical bars across its width: the bits of `number`, lowest first."""
    luma = np.empty((height, width), np.uint8)
    for bit, columns in enumerate(np.array_split(np.arange(width), BITS)):
        luma[:, columns] = WHITE if number >> bit & 1 else BLACK
    return from_luma(luma)


def from_luma(luma: np.ndarray) -> av.VideoFrame:
    height, width = luma.shape
    frame = av.VideoFrame(width, height, "yuv420p")
    for plane, content in zip(frame.planes, (luma, 128, 128), strict=True):
        rows = np.frombuffer(plane, np.uint8).reshape(plane.height, plane.line_size)
        rows[:, : plane.width] = content
    return frame


def luma_of(frame: av.VideoFrame) -> np.ndarray:
    plane = frame.planes[0]
    rows = np.frombuffer(plane, np.uint8).reshape(plane.height, plane.line_size)
    return rows[:, : plane.width]


def number_of(frame: av.VideoFrame) -> int:
    if frame.width < BITS:
        return 0
    bars = np.array_split(luma_of(frame).mean(axis=0), BITS)
    return sum(1 << bit for bit, bar in enumerate(bars) if bar.mean() > 128)


def tone(samples: int, *, rate_hz: int = 48_000, layout: str = "stereo") -> av.AudioFrame:
    """A loud 1 kHz tone in 16-bit samples, interleaved, as the Opus decoder gives them."""
    wave = 20_000 * np.cos(2 * np.pi * 1000 * np.arange(samples) / rate_hz)
    channels = 2 if layout == "stereo" else 1
    data = np.repeat(wave.astype(np.int16), channels).reshape(1, -1)
    frame = av.AudioFrame.from_ndarray(data, format="s16", layout=layout)
    frame.sample_rate = rate_hz
    return frame


def silence(samples: int) -> av.AudioFrame:
    frame = av.AudioFrame.from_ndarray(
        np.zeros((1, 2 * samples), np.int16), format="s16", layout="stereo"
    )
    frame.sample_rate = 48_000
    return frame


@dataclass(frozen=True)
class Movie:
    """What a decoder makes of a recording."""

    numbers: list[int]
    times_ms: list[float]
    sizes: set[tuple[int, int]]
    frames: list[av.VideoFrame]
    sound: np.ndarray | None  # mono, indexed by samples at 48 kHz from time zero

    def loud_ms(self) -> list[float]:
        """The times of the samples, in ms, at which a burst of tone begins or ends."""
        assert self.sound is not None
        # 4 ms windows hold whole periods of the tone; 96 samples are 2 ms.
        power = np.convolve(self.sound**2, np.full(192, 1 / 192), mode="same")
        edges = np.flatnonzero(np.diff((power > 0.05).astype(int)))
        return [float(edge) / 48 for edge in edges]


def write(
    path: Path,
    video: list[tuple[av.VideoFrame, float]],
    audio: list[tuple[av.AudioFrame, float]] | None = None,
) -> EncodedMovie:
    """Write in the order of time, video first where times are equal; and close."""
    first, start_ms = video[0]
    sound = None if audio is None else SoundTrack(start_ms)
    movie = EncodedMovie(
        CountedFile(path),
        width=first.width,
        height=first.height,
        sound=sound,
        time_ms=start_ms,
    )
    items = [(time, 0, frame) for frame, time in video]
    items += [(time, 1, frame) for frame, time in audio or []]
    for time_ms, _, frame in sorted(items, key=lambda item: item[:2]):
        if isinstance(frame, av.VideoFrame):
            movie.video(frame, time_ms)
        elif sound is not None:
            sound.put(frame, time_ms)
    movie.close()
    return movie


def play(path: Path) -> Movie:
    with av.open(str(path)) as container:
        frames = list(container.decode(video=0))
    with av.open(str(path)) as container:
        pieces = list(container.decode(audio=0)) if container.streams.audio else None
    return Movie(
        numbers=[number_of(frame) for frame in frames],
        times_ms=[float(frame.pts * frame.time_base * 1000) for frame in frames],
        sizes={(frame.width, frame.height) for frame in frames},
        frames=frames,
        sound=None if pieces is None else _on_a_timeline(pieces),
    )


def _on_a_timeline(pieces: list[av.AudioFrame]) -> np.ndarray:
    starts = [round(piece.pts * piece.time_base * 48_000) for piece in pieces]
    end = max((s + p.samples for s, p in zip(starts, pieces, strict=True)), default=0)
    timeline = np.full(end, np.nan, np.float32)
    for start, piece in zip(starts, pieces, strict=True):
        timeline[start : start + piece.samples] = piece.to_ndarray().mean(axis=0)
    return timeline
