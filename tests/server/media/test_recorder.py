"""Recordings are really made and really decoded; frames carry their number as a bar code."""

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from av.video.frame import PictureType

from server.media.recorder import (
    FRAGMENT_MS,
    MAX_AUDIO_FRAMES,
    MAX_VIDEO_BYTES,
    MAX_VIDEO_FRAMES,
    Recorder,
    RecordingError,
    check_directory,
)

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


async def until(condition: Callable[[], bool], within_s: float = 10) -> None:
    """Wait for what another thread or process does; it has no event that could be awaited."""
    async with asyncio.timeout(within_s):
        while not condition():
            await asyncio.sleep(0.001)


async def submit(recorder: Recorder, frame: av.VideoFrame, time_ms: float) -> None:
    """Hand a frame over, no faster than it is encoded."""
    submitted = recorder.frames_written + recorder.frames_dropped
    recorder.video(frame, time_ms)
    await until(lambda: recorder.frames_written + recorder.frames_dropped > submitted)


async def record(
    root: Path,
    video: list[tuple[av.VideoFrame, float]],
    audio: list[tuple[av.AudioFrame, float]] | None = None,
) -> Recorder:
    """Record in the order of time, audio first where times are equal; and close."""
    recorder = Recorder(root, "session", audio=audio is not None)
    items = [(time, 0, frame) for frame, time in audio or []]
    items += [(time, 1, frame) for frame, time in video]
    for time_ms, _, frame in sorted(items, key=lambda item: item[:2]):
        if isinstance(frame, av.VideoFrame):
            await submit(recorder, frame, time_ms)
        else:
            recorder.audio(frame, time_ms)
    await recorder.close({})
    assert recorder.error is None
    return recorder


def summary_of(recorder: Recorder) -> dict[str, Any]:
    return json.loads((recorder.directory / "summary.json").read_bytes())


# Video


@pytest.mark.parametrize(
    "audio",
    [None, [], [(silence(960), 20.0 * n) for n in range(250)]],
    ids=["video only", "audio that never comes", "audio"],
)
async def test_every_frame_keeps_its_own_time(tmp_path: Path, audio: list | None) -> None:
    random = np.random.default_rng(7)
    times = np.concatenate([[0.0], np.cumsum(random.uniform(5, 120, 80))])
    video = [(numbered(number), float(time)) for number, time in enumerate(times)]

    recorder = await record(tmp_path, video, audio)

    movie = play(recorder.directory / "video.mp4")
    assert movie.numbers == list(range(81))
    assert movie.times_ms == pytest.approx(times, abs=0.02)
    assert (recorder.frames_written, recorder.frames_dropped) == (81, 0)
    if audio is not None:
        assert movie.sound is not None
        assert np.abs(movie.sound).max() < 0.001
        assert len(movie.sound) / 48 == pytest.approx(times[-1], abs=50)


async def test_the_first_frame_may_come_at_any_time(tmp_path: Path) -> None:
    video = [(numbered(n), 5000 + 40.0 * n) for n in range(5)]

    recorder = await record(tmp_path, video, [(tone(960), 5100.0)])

    movie = play(recorder.directory / "video.mp4")
    assert movie.times_ms == pytest.approx([5000, 5040, 5080, 5120, 5160], abs=0.02)
    assert movie.loud_ms() == pytest.approx([5100, 5120], abs=3)


async def test_times_that_repeat_or_go_back_are_moved_on(tmp_path: Path) -> None:
    times = [-20.0, 0, 33, 33, 33, 20, 66, 1000, 500, 1033]

    recorder = Recorder(tmp_path, "session", audio=False)
    for number, time_ms in enumerate(times):
        await submit(recorder, numbered(number), time_ms)
    await recorder.close({})

    movie = play(recorder.directory / "video.mp4")
    assert movie.numbers == list(range(10))
    assert movie.times_ms == pytest.approx([0, 1, 33, 34, 35, 36, 66, 1000, 1001, 1033], abs=0.02)


async def test_a_reconnect_leaves_a_gap_and_no_more(tmp_path: Path) -> None:
    times = [0.0, 33, 66, 25_000, 25_033, 25_066]
    audio = [(silence(960), 20.0 * n) for n in range(4)] + [(tone(960), 25_020.0)]

    recorder = await record(tmp_path, [(numbered(n), t) for n, t in enumerate(times)], audio)

    movie = play(recorder.directory / "video.mp4")
    assert movie.times_ms == pytest.approx(times, abs=0.02)
    assert movie.loud_ms() == pytest.approx([25_020, 25_040], abs=3)
    assert not np.isnan(movie.sound).any()  # no hole


async def test_a_leap_of_the_clock_is_not_filled_with_hours_of_silence(tmp_path: Path) -> None:
    hour_ms = 3_600_000.0
    video = [(numbered(0), 0.0), (numbered(1), hour_ms), (numbered(2), hour_ms + 1000)]

    recorder = await record(tmp_path, video, [])

    with av.open(str(recorder.directory / "video.mp4")) as container:
        packets = [p for p in container.demux(audio=0) if p.pts is not None]
    assert 0 < len(packets) < 200
    movie_times = [float(p.pts * p.time_base) for p in packets]
    assert movie_times[-1] == pytest.approx(3601, abs=0.1)


@pytest.mark.parametrize("sound", ["none", "silent", "spoken"])
async def test_the_file_on_disk_trails_by_a_fragment(tmp_path: Path, sound: str) -> None:
    recorder = Recorder(tmp_path, "session", audio=sound != "none")
    for number in range(100):
        if sound == "spoken":
            recorder.audio(tone(1600), number * 1000 / 30)
        await submit(recorder, numbered(number), number * 1000 / 30)

    movie = play(recorder.directory / "video.mp4")
    # A fragment is closed by the frame after it, and one more may wait for its duration.
    assert 3300 - movie.times_ms[-1] < FRAGMENT_MS + 2 * 34
    await recorder.close({})


async def test_key_frames_come_by_time(tmp_path: Path) -> None:
    video = [(numbered(n), 250.0 * n) for n in range(30)]
    for frame, _ in video:
        frame.pict_type = PictureType.I  # what the sender's encoder chose is nothing to us

    recorder = await record(tmp_path, video)

    with av.open(str(recorder.directory / "video.mp4")) as container:
        keys = [
            float(packet.pts * packet.time_base)
            for packet in container.demux(video=0)
            if packet.pts is not None and packet.is_keyframe
        ]
    assert keys == [0, 2, 4, 6]


async def test_a_new_frame_size_is_fitted_into_the_first_one(tmp_path: Path) -> None:
    portrait = from_luma(np.full((640, 360), WHITE, np.uint8))
    small = from_luma(np.full((120, 160), WHITE, np.uint8))
    thin = from_luma(np.full((1000, 1), WHITE, np.uint8))
    video = [(numbered(1), 0.0), (portrait, 40.0), (small, 80.0), (thin, 120.0), (numbered(9), 160)]

    recorder = await record(tmp_path, video)

    movie = play(recorder.directory / "video.mp4")
    assert movie.sizes == {(640, 480)}
    assert (movie.numbers[0], movie.numbers[-1]) == (1, 9)
    bright = luma_of(movie.frames[1]) > 128
    # 360x640 scaled to a height of 480 is 270 wide, in the middle.
    assert bright.any(axis=0).nonzero()[0][[0, -1]] == pytest.approx([185, 454], abs=2)
    assert bright[:, 200:440].all()
    assert (luma_of(movie.frames[2]) > 128).all()  # the same shape fills the picture
    assert (luma_of(movie.frames[3]) > 128).any(axis=0).sum() <= 4


@pytest.mark.parametrize(("width", "height"), [(641, 361), (640, 361), (1, 1), (2, 2)])
async def test_odd_and_tiny_sizes(tmp_path: Path, width: int, height: int) -> None:
    video = [(numbered(n, width, height), 40.0 * n) for n in range(3)]

    recorder = await record(tmp_path, video)

    movie = play(recorder.directory / "video.mp4")
    assert movie.sizes == {(width + width % 2, height + height % 2)}
    assert len(movie.frames) == 3
    if width > 600:
        assert movie.numbers == [0, 1, 2]


@pytest.mark.parametrize("pixel_format", ["rgb24", "yuvj420p", "nv12", "gray"])
async def test_any_pixel_format(tmp_path: Path, pixel_format: str) -> None:
    colour = np.empty((480, 640, 3), np.uint8)
    colour[:] = (200, 60, 60) if pixel_format != "gray" else (120, 120, 120)
    frame = av.VideoFrame.from_ndarray(colour, "rgb24").reformat(format=pixel_format)

    # Audio comes first, and must not settle the video's settings.
    early = [(silence(4800), 0.0)]
    recorder = await record(tmp_path, [(frame, 40.0 * n) for n in range(3)], early)

    for decoded in play(recorder.directory / "video.mp4").frames:
        seen = decoded.to_ndarray(format="rgb24").mean(axis=(0, 1))
        assert seen == pytest.approx(colour[0, 0], abs=4)


async def test_the_frames_of_others_are_not_changed(tmp_path: Path) -> None:
    frame = numbered(5)
    frame.pts, frame.time_base = 4711, Fraction(1, 90_000)
    frame.pict_type = PictureType.P
    pixels = bytes(frame.planes[0])

    await record(tmp_path, [(frame, 40.0 * n) for n in range(5)])

    assert (frame.pts, frame.time_base) == (4711, Fraction(1, 90_000))
    assert frame.pict_type == PictureType.P
    assert bytes(frame.planes[0]) == pixels


async def test_noise_does_not_fill_the_disk(tmp_path: Path) -> None:
    random = np.random.default_rng(3)
    frames = [from_luma(random.integers(0, 255, (480, 640), np.uint8)) for _ in range(10)]
    video = [(frames[n % 10], 1000 / 30 * n) for n in range(120)]

    recorder = await record(tmp_path, video)

    seconds = 4
    assert recorder.bytes_written * 8 / seconds < 1.5 * 640 * 480 * 30 * 0.25


# Audio


@pytest.mark.parametrize(
    ("rate_hz", "layout"), [(48_000, "stereo"), (48_000, "mono"), (16_000, "mono")]
)
async def test_audio_is_in_time_with_the_video(tmp_path: Path, rate_hz: int, layout: str) -> None:
    video = [(numbered(0xFFFF if 1000 <= 40 * n < 1200 else 0), 40.0 * n) for n in range(50)]
    ms20 = rate_hz // 50
    burst = [(tone(ms20, rate_hz=rate_hz, layout=layout), 1000 + 20.0 * n) for n in range(10)]

    recorder = await record(tmp_path, video, burst)

    movie = play(recorder.directory / "video.mp4")
    white = [t for t, number in zip(movie.times_ms, movie.numbers, strict=True) if number]
    assert (white[0], white[-1]) == pytest.approx((1000, 1160), abs=0.02)
    assert movie.loud_ms() == pytest.approx([1000, 1200], abs=3)
    assert not np.isnan(movie.sound).any()


async def test_uneven_arrival_does_not_break_a_tone(tmp_path: Path) -> None:
    random = np.random.default_rng(5)
    video = [(numbered(n), 40.0 * n) for n in range(30)]
    audio = [(tone(960), 100 + 20.0 * n + random.uniform(-15, 15)) for n in range(50)]

    recorder = await record(tmp_path, video, sorted(audio, key=lambda item: item[1]))

    edges = play(recorder.directory / "video.mp4").loud_ms()
    assert len(edges) == 2
    assert edges[1] - edges[0] == pytest.approx(1000, abs=5)


async def test_audio_that_comes_again_or_late_is_cut(tmp_path: Path) -> None:
    video = [(numbered(n), 40.0 * n) for n in range(50)]
    # The second second of tone lies half under the first one.
    audio = [(tone(48_000), 200.0), (tone(48_000), 700.0)]

    recorder = await record(tmp_path, video, audio)

    assert play(recorder.directory / "video.mp4").loud_ms() == pytest.approx([200, 1700], abs=3)


async def test_audio_may_change_its_form(tmp_path: Path) -> None:
    video = [(numbered(n), 40.0 * n) for n in range(20)]
    audio = [(tone(960), 100.0), (tone(320, rate_hz=16_000, layout="mono"), 120.0)]
    audio += [(tone(960, layout="mono"), 140.0)]

    recorder = await record(tmp_path, video, audio)

    assert play(recorder.directory / "video.mp4").loud_ms() == pytest.approx([100, 160], abs=4)


async def test_audio_before_the_first_frame_is_kept_from_its_time_on(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path, "session", audio=True)
    for time_ms in (-40.0, -20.0, 0.0, 20.0, 40.0):
        recorder.audio(tone(960), time_ms)
    recorder.audio(silence(960), 60.0)
    for number in range(10):
        await submit(recorder, numbered(number), 40.0 * number)
    await recorder.close({})

    edges = play(recorder.directory / "video.mp4").loud_ms()
    # The encoder's priming takes the first 21 ms, and smears what follows into it a little.
    assert 10 < edges[0] < 25
    assert edges[-1] == pytest.approx(60, abs=3)


async def test_audio_without_video_is_bounded_and_leaves_no_file(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path, "session", audio=True)
    for number in range(50 * MAX_AUDIO_FRAMES):
        recorder.audio(silence(960), 20.0 * number)
    await recorder.close({})

    assert recorder.error is None
    assert sorted(p.name for p in recorder.directory.iterdir()) == ["results.jsonl", "summary.json"]


# Results and summary


async def test_a_session_without_a_frame(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "new" / "root", "session", audio=False)
    recorder.result(b'{"has_pose":false}')
    recorder.result('{"final": true,\n "name": "Zo\u00eb"}\n')
    await recorder.close({"id": "session", "reps": np.int64(3)})

    lines = (recorder.directory / "results.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == [
        {"has_pose": False},
        {"final": True, "name": "Zo\u00eb"},
    ]
    summary = summary_of(recorder)
    assert (summary["id"], summary["reps"]) == ("session", 3)
    assert summary["recording"]["frames_written"] == 0
    assert summary["recording"]["error"] is None
    assert sorted(p.name for p in recorder.directory.iterdir()) == ["results.jsonl", "summary.json"]


async def test_results_are_on_disk_while_the_session_goes_on(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path, "session", audio=False)
    recorder.result('{"n":1}')

    written = recorder.directory / "results.jsonl"
    await until(lambda: written.read_bytes() == b'{"n":1}\n', within_s=1)
    await recorder.close({})


async def test_the_summary_tells_what_was_recorded(tmp_path: Path) -> None:
    recorder = await record(tmp_path, [(numbered(n), 40.0 * n) for n in range(10)])

    recording = summary_of(recorder)["recording"]
    size = sum(
        (recorder.directory / name).stat().st_size for name in ("video.mp4", "results.jsonl")
    )
    assert recording == {
        "frames_written": 10,
        "frames_dropped": 0,
        "audio_frames_dropped": 0,
        "results_dropped": 0,
        "bytes_written": size,
        "error": None,
    }


async def test_a_recording_is_never_written_over(tmp_path: Path) -> None:
    recorders = [Recorder(tmp_path, "session", audio=False) for _ in range(3)]
    for number, recorder in enumerate(recorders):
        recorder.result(str(number))
        await recorder.close({})

    assert [r.directory.name for r in recorders] == ["session", "session-2", "session-3"]
    assert (tmp_path / "session" / "results.jsonl").read_text() == "0\n"


# Falling behind


async def test_a_slow_encoder_drops_frames_and_never_piles_them_up(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path, "session", audio=False)
    frame = numbered(1, 3840, 2160)
    frame_bytes = 3840 * 2160 * 3 // 2
    most_waiting = 0
    for number in range(300):
        recorder.video(frame, 33.0 * number)
        gone = recorder.frames_dropped + recorder.frames_written
        most_waiting = max(most_waiting, number + 1 - gone)
    await recorder.close({})

    assert recorder.error is None
    assert recorder.frames_dropped > 0
    assert recorder.frames_written + recorder.frames_dropped == 300
    # One more is in the encoder's hands.
    assert most_waiting <= MAX_VIDEO_BYTES // frame_bytes + 1
    assert len(play(recorder.directory / "video.mp4").frames) == recorder.frames_written


async def test_small_frames_are_bounded_by_their_number(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path, "session", audio=False)
    frame = numbered(1)
    for number in range(1000):
        recorder.video(frame, 33.0 * number)
        waiting = number + 1 - recorder.frames_dropped - recorder.frames_written
        assert waiting <= MAX_VIDEO_FRAMES + 1
    await recorder.close({})
    assert recorder.frames_dropped > 0


async def test_close_leaves_the_event_loop_running(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path, "session", audio=False)
    frame = numbered(1, 3840, 2160)
    for number in range(6):
        recorder.video(frame, 33.0 * number)
    closing = asyncio.create_task(recorder.close({}))
    ticks = 0
    while not closing.done():
        await asyncio.sleep(0.001)
        ticks += 1
    await closing

    # Five large frames were still waiting, each many ticks of work.
    assert recorder.frames_written + recorder.frames_dropped == 6
    assert ticks >= 10


async def test_a_cancelled_close_still_finishes_the_recording(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path, "session", audio=False)
    for number in range(5):
        recorder.video(numbered(number, 1920, 1080), 33.0 * number)
    closing = asyncio.create_task(recorder.close({"first": True}))
    await asyncio.sleep(0)
    closing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await closing

    await recorder.close({"second": True})

    assert summary_of(recorder)["first"] is True
    assert play(recorder.directory / "video.mp4").numbers == [0, 1, 2, 3, 4]


async def test_what_comes_after_close_is_counted_as_dropped(tmp_path: Path) -> None:
    recorder = await record(tmp_path, [(numbered(0), 0.0)])

    recorder.video(numbered(1), 40.0)
    recorder.audio(silence(960), 40.0)
    recorder.result("{}")

    assert (recorder.frames_written, recorder.frames_dropped) == (1, 1)


async def test_nothing_is_left_open(tmp_path: Path) -> None:
    await record(tmp_path, [(numbered(0), 0.0)], [])  # imports and caches
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(5):
        await record(tmp_path, [(numbered(n), 40.0 * n) for n in range(3)], [(tone(960), 0.0)])

    assert len(os.listdir("/proc/self/fd")) == before
    assert not [t for t in threading.enumerate() if t.name.startswith("recorder")]


# Failures


@pytest.fixture(params=["below a file", "in a read-only file system"])
def unwritable(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A directory that even root can not create."""
    if request.param == "below a file":
        (tmp_path / "file").write_text("in the way")
        return tmp_path / "file" / "recordings"
    return Path("/proc/recordings")


def test_an_unwritable_directory_is_refused_at_start_up(unwritable: Path) -> None:
    with pytest.raises(RecordingError, match=f"cannot record to {unwritable}: [A-Z]") as caught:
        check_directory(unwritable)
    assert "\n" not in str(caught.value)


def test_an_unwritable_directory_is_refused_for_a_session(unwritable: Path) -> None:
    with pytest.raises(RecordingError, match=f"cannot record to {unwritable}"):
        Recorder(unwritable, "session", audio=False)
    assert not [t for t in threading.enumerate() if t.name.startswith("recorder")]


def test_a_file_is_no_directory(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(RecordingError, match=r"cannot record to .*file: Not a directory$"):
        check_directory(tmp_path / "file")
    with pytest.raises(RecordingError, match=r"cannot record to .*file"):
        Recorder(tmp_path / "file", "session", audio=False)


def test_check_directory_creates_it_and_leaves_nothing_in_it(tmp_path: Path) -> None:
    check_directory(tmp_path / "a" / "b")
    assert list((tmp_path / "a" / "b").iterdir()) == []


@pytest.mark.parametrize("session_id", ["", ".", "..", "../up", "a/b", "a\0b", "x" * 129, "ä"])
def test_a_session_id_can_not_leave_the_directory(tmp_path: Path, session_id: str) -> None:
    with pytest.raises(RecordingError, match="cannot record a session under the name"):
        Recorder(tmp_path / "root", session_id, audio=False)
    assert not (tmp_path / "root").exists()


async def test_a_directory_that_goes_away_stops_the_recording(tmp_path: Path) -> None:
    told = []

    def tell(text: str) -> None:
        told.append(text)
        raise RuntimeError("whoever is told may fail too")

    recorder = Recorder(tmp_path, "session", audio=False, on_error=tell)
    shutil.rmtree(recorder.directory)
    await submit(recorder, numbered(0), 0.0)
    await submit(recorder, numbered(1), 40.0)
    async with asyncio.timeout(10):
        await recorder.close({})

    video = recorder.directory / "video.mp4"
    assert told == [f"recording stopped: cannot record to {video}: No such file or directory"]
    assert recorder.error == told[0]
    assert (recorder.frames_written, recorder.frames_dropped) == (0, 2)


FULL_DISK = """
import asyncio, resource, sys
from pathlib import Path
import av, numpy as np
from server.media.recorder import Recorder

async def main():
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))
    told = []
    recorder = Recorder(Path(sys.argv[1]), "session", audio=True, on_error=told.append)
    random = np.random.default_rng(1)
    for number in range(1000):
        noise = random.integers(0, 255, (720, 640), np.uint8)
        frame = av.VideoFrame.from_ndarray(noise, "yuv420p")
        done = recorder.frames_written + recorder.frames_dropped
        recorder.video(frame, 33.0 * number)
        while recorder.frames_written + recorder.frames_dropped == done:
            await asyncio.sleep(0.001)
        if recorder.frames_dropped == 10:
            break
    await recorder.close({"id": "session"})
    assert told == [recorder.error], told
    assert recorder.frames_dropped == 10
    assert recorder.frames_written == number - 9
    print(recorder.error)

asyncio.run(main())
"""


def test_a_full_disk_stops_the_recording_and_nothing_else(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    video = tmp_path / "session" / "video.mp4"
    assert done.stdout == f"recording stopped: {video}: File too large\n"
    assert "Traceback" not in done.stderr
    summary = json.loads((tmp_path / "session" / "summary.json").read_bytes())
    assert summary["id"] == "session"
    assert summary["recording"]["error"] == done.stdout.strip()
    assert len(play(video).frames) > 10  # what was written before plays


LIVE = """
import sys, time
from pathlib import Path
from server.media.recorder import Recorder
from tests.server.media.test_recorder import numbered, tone

recorder = Recorder(Path(sys.argv[1]), "session", audio=sys.argv[2] != "none")
begin = time.monotonic()
for number in range(10_000):
    time.sleep(max(0, begin + number / 30 - time.monotonic()))
    time_ms = 1000 * (time.monotonic() - begin)
    recorder.video(numbered(number), time_ms)
    if sys.argv[2] == "spoken":
        recorder.audio(tone(1600), number * 1000 / 30)
    recorder.result('{"number": %d}' % number)
    print(f"frame {number} {time_ms}", flush=True)
"""


@pytest.mark.parametrize("sound", ["none", "silent", "spoken"])
def test_a_killed_process_loses_at_most_a_second(tmp_path: Path, sound: str) -> None:
    submitted = _record_until_killed(tmp_path, sound, frames=100)

    movie = play(tmp_path / "session" / "video.mp4")
    kept = len(movie.numbers)
    assert movie.numbers == list(range(kept))
    assert movie.times_ms == pytest.approx(submitted[:kept], abs=1)
    assert movie.times_ms[-1] >= submitted[-1] - 1000
    if sound == "spoken":
        assert len(movie.sound) / 48 >= submitted[-1] - 1000
    lines = (tmp_path / "session" / "results.jsonl").read_text().splitlines()
    assert [json.loads(line)["number"] for line in lines] == list(range(len(lines)))
    assert submitted[len(lines) - 1] >= submitted[-1] - 1000


def _record_until_killed(root: Path, sound: str, frames: int) -> list[float]:
    """Run a recording process, kill it after so many frames; the times of those submitted."""
    process = subprocess.Popen(
        [sys.executable, "-c", LIVE, str(root), sound],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[3],
    )
    times: list[float] = []
    try:
        assert process.stdout is not None
        for line in process.stdout:
            times.append(float(line.split()[2]))
            if len(times) == frames:
                break
    finally:
        process.send_signal(signal.SIGKILL)
        rest, _ = process.communicate(timeout=10)
    assert process.returncode == -signal.SIGKILL
    return times + [float(line.split()[2]) for line in rest.splitlines()]
