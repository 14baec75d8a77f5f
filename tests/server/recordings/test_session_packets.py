"""Recordings of sessions whose video comes encoded."""

import asyncio
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest

from server.media.encoded_frame import EncodedFrame
from server.recordings import session_movies
from server.recordings.session_backlog import KEY_FRAME_EVERY_MS, MAX_PACKETS, Backlog
from server.recordings.session_recorder import Recorder
from server.search.video import IndexedVideo
from tests.server.recordings.movies import number_of, numbered, play, silence, tone
from tests.server.recordings.packets import encode
from tests.server.recordings.recorded import summary_of, until

Video = list[tuple[EncodedFrame, float]]


async def record(
    root: Path, video: Video, audio: list[tuple[av.AudioFrame, float]] | None = None
) -> Recorder:
    """Record in the order of time, as fast as it is written; and close."""
    recorder = Recorder(root, "session", audio=audio is not None)
    items = [(time, 0, frame) for frame, time in audio or []]
    items += [(time, 1, frame) for frame, time in video]
    done = 0
    for time_ms, _, frame in sorted(items, key=lambda item: item[:2]):
        if isinstance(frame, av.AudioFrame):
            recorder.audio(frame, time_ms)
            continue
        recorder.encoded(frame, time_ms)
        done += 1
        await until(lambda n=done: recorder.frames_written + recorder.frames_dropped >= n)
    await recorder.close({})
    assert recorder.error is None
    return recorder


@pytest.mark.parametrize(("codec", "name"), [("H264", "video.mp4"), ("VP8", "video.webm")])
async def test_a_video_is_recorded_as_it_came(tmp_path: Path, codec: str, name: str) -> None:
    recorder = await record(tmp_path, encode(codec, range(20)))

    assert play(recorder.directory / name).numbers == list(range(20))
    told = summary_of(recorder)["recording"]
    assert (told["files"], told["frames_written"], told["frames_dropped"]) == ([name], 20, 0)
    assert told["bytes_written"] == (recorder.directory / name).stat().st_size


async def test_another_codec_or_size_goes_on_in_the_next_file(tmp_path: Path) -> None:
    video = encode("H264", range(10))
    video += encode("H264", range(10, 20), (640, 480))
    video += encode("VP8", range(20, 30), (640, 480)) + encode("VP8", range(30, 40))
    video += encode("H264", range(40, 50))

    recorder = await record(tmp_path, video)

    names = ["video.mp4", "video-2.mp4", "video-3.webm", "video-4.mp4"]
    assert summary_of(recorder)["recording"]["files"] == names
    movies = [play(recorder.directory / name) for name in names]
    assert [number for movie in movies for number in movie.numbers] == list(range(50))
    times_ms = [time for movie in movies for time in movie.times_ms]
    assert times_ms == pytest.approx([40.0 * n for n in range(50)], abs=0.02)
    assert [len(movie.numbers) for movie in movies] == [10, 10, 20, 10]
    size = sum((recorder.directory / name).stat().st_size for name in (*names, "results.jsonl"))
    assert recorder.bytes_written == size
    assert recorder.frames_written == 50


@pytest.mark.parametrize("codecs", [("VP8", "H264"), ("H264", "VP8")])
async def test_sound_goes_on_in_the_next_file(tmp_path: Path, codecs: tuple[str, str]) -> None:
    """A tone over the seam: nothing of it is missing, and nothing is in both files."""
    video = encode(codecs[0], range(25)) + encode(codecs[1], range(25, 50))
    loud = range(800, 1200)
    audio = [(tone(960) if t in loud else silence(960), float(t)) for t in range(0, 2000, 20)]

    recorder = await record(tmp_path, video, audio)

    first, second = (
        play(recorder.directory / name).sound for name in summary_of(recorder)["recording"]["files"]
    )
    # The first goes on until the second one's video begins, but for what is less than a block.
    assert len(first) / 48 == pytest.approx(1000, abs=22)
    whole = np.concatenate([first, second[len(first) :]])[1024:]
    # WebM's times are in milliseconds, so a piece may seem to begin so much later.
    assert np.isnan(whole).sum() < 2 * 48
    power = np.convolve(np.nan_to_num(whole) ** 2, np.full(192, 1 / 192), mode="same")
    edges = (np.flatnonzero(np.diff((power > 0.05).astype(int))) + 1024) / 48
    assert edges == pytest.approx([800, 1200], abs=4)


async def test_a_session_that_comes_back_with_another_codec_leaves_a_gap(tmp_path: Path) -> None:
    before = encode("VP8", range(5))
    after = [(frame, time + 25_000) for frame, time in encode("H264", range(5, 10))]
    audio = [(tone(960), 20.0 * n) for n in range(10)]
    audio += [(tone(960), 25_210.0 + 20 * n) for n in range(10)]

    recorder = await record(tmp_path, before + after, audio)

    first, second = (
        play(recorder.directory / name) for name in summary_of(recorder)["recording"]["files"]
    )
    assert first.times_ms[-1] == pytest.approx(160)
    assert len(first.sound) / 48 < 300
    assert second.times_ms[0] == pytest.approx(25_200)
    with av.open(str(recorder.directory / "video-2.mp4")) as container:
        sound = [frame.time for frame in container.decode(audio=0)]
    assert sound[0] == pytest.approx(25.2, abs=0.03)


async def test_a_damaged_frame_leaves_out_what_follows_up_to_the_next_key_frame(
    tmp_path: Path,
) -> None:
    video = encode("VP8", range(20), keys=(0, 10))
    video[4] = (replace(video[4][0], is_damaged=True), video[4][1])

    recorder = await record(tmp_path, video)

    assert play(recorder.directory / "video.webm").numbers == [*range(4), *range(10, 20)]
    assert (recorder.frames_written, recorder.frames_dropped) == (14, 6)


async def test_it_begins_with_a_key_frame_that_can_be_written(tmp_path: Path) -> None:
    video = encode("H264", range(30), keys=(0, 10, 20))
    video[10] = (replace(video[10][0], data=b"\0\0\1\x65" + bytes(20)), video[10][1])

    recorder = await record(tmp_path, video[5:])

    assert play(recorder.directory / "video.mp4").numbers == list(range(20, 30))
    assert (recorder.frames_written, recorder.frames_dropped) == (10, 15)


async def test_what_a_key_frame_that_says_nothing_breaks_off_goes_on(tmp_path: Path) -> None:
    video = encode("H264", range(15), keys=(0, 5, 10))
    video[5] = (replace(video[5][0], data=b"\0\0\1\x65" + bytes(20)), video[5][1])

    recorder = await record(tmp_path, video)

    assert play(recorder.directory / "video.mp4").numbers == [*range(5), *range(10, 15)]
    assert summary_of(recorder)["recording"]["files"] == ["video.mp4"]


async def test_frames_that_are_raw_go_on_in_a_file_of_their_own(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path, "session", audio=False)
    for frame, time_ms in encode("VP8", range(5)):
        recorder.encoded(frame, time_ms)
    for number in range(5, 10):
        recorder.video(numbered(number), 40.0 * number)
    for frame, time_ms in encode("VP8", range(10, 15)):
        recorder.encoded(frame, time_ms)
    await recorder.close({})

    names = summary_of(recorder)["recording"]["files"]
    assert names == ["video.webm", "video-2.mp4", "video-3.webm"]
    played = [number for name in names for number in play(recorder.directory / name).numbers]
    assert played == list(range(15))


async def test_files_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_movies, "MAX_FILES", 3)
    told: list[str] = []
    recorder = Recorder(tmp_path, "session", audio=False, on_error=told.append)
    for number in range(5):
        codec = ("VP8", "H264")[number % 2]
        recorder.encoded(*encode(codec, range(number, number + 1))[0])
    await recorder.close({})

    assert told == [
        "recording stopped: the video changed its codec or its size too often: 3 files are the most"
    ]
    names = summary_of(recorder)["recording"]["files"]
    assert names == ["video.webm", "video-2.mp4", "video-3.webm"]
    assert [play(recorder.directory / name).numbers for name in names] == [[0], [1], [2]]


async def test_nothing_is_left_open(tmp_path: Path) -> None:
    video = encode("VP8", range(3)) + encode("H264", range(3, 6))
    await record(tmp_path, video, [(tone(960), 0.0)])
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(3):
        await record(tmp_path, video, [(tone(960), 0.0)])

    assert len(os.listdir("/proc/self/fd")) == before


# The backlog


def test_packets_are_bounded_and_go_on_with_a_key_frame() -> None:
    backlog = Backlog()
    key, delta = (frame for frame, _ in encode("VP8", range(2)))

    wanted = [backlog.put_encoded(key, 0.0)]
    wanted += [backlog.put_encoded(delta, 1.0 * n) for n in range(1, MAX_PACKETS + 5)]
    assert wanted == [False] * MAX_PACKETS + [True] * 5
    assert backlog.video_dropped == 5
    for _ in range(10):
        backlog.take()
    assert backlog.put_encoded(delta, 400.0) is True, "what it builds on is missing"
    assert backlog.put_encoded(key, 401.0) is False
    assert backlog.put_encoded(delta, 402.0) is False
    backlog.close()
    times_ms = []
    while (batch := backlog.take()) is not None:
        assert batch.video is not None
        times_ms.append(batch.video[1])
    assert times_ms == [*map(float, range(10, MAX_PACKETS)), 401.0, 402.0]


def test_packets_are_bounded_in_bytes() -> None:
    backlog = Backlog()
    key = EncodedFrame("VP8", 96, bytes(10 * 2**20), 0, True)

    for number in range(5):
        backlog.put_encoded(key, 1.0 * number)

    assert backlog.video_dropped == 4


def test_a_key_frame_is_wanted_when_the_last_is_long_ago() -> None:
    backlog = Backlog()
    key, delta = (frame for frame, _ in encode("VP8", range(2)))
    backlog.put_encoded(key, 1000.0)

    assert backlog.put_encoded(delta, 1000.0 + KEY_FRAME_EVERY_MS - 1) is False
    assert backlog.put_encoded(delta, 1000.0 + KEY_FRAME_EVERY_MS) is True
    assert backlog.put_encoded(key, 1100.0 + KEY_FRAME_EVERY_MS) is False
    backlog.discard()
    assert backlog.put_encoded(delta, 99_000.0) is False, "nothing is recorded any more"


# Failures

FULL_DISK = """
import asyncio, resource, sys
from pathlib import Path
from server.recordings.session_recorder import Recorder
from tests.server.recordings.packets import encode

async def main():
    resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))
    told = []
    recorder = Recorder(Path(sys.argv[1]), "session", audio=True, on_error=told.append)
    video = encode(sys.argv[2], range(10))
    for number in range(3000):
        done = recorder.frames_written + recorder.frames_dropped
        recorder.encoded(video[number % 10][0], 40.0 * number)
        while recorder.frames_written + recorder.frames_dropped == done:
            await asyncio.sleep(0.001)
        if told:
            break
    await recorder.close({})
    print(*told)

asyncio.run(main())
"""


@pytest.mark.parametrize(("codec", "name"), [("H264", "video.mp4"), ("VP8", "video.webm")])
def test_a_full_disk_leaves_what_was_written(tmp_path: Path, codec: str, name: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(tmp_path), codec],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    video = tmp_path / "session" / name
    assert done.stdout == f"recording stopped: {video}: File too large\n", done.stderr
    assert "Traceback" not in done.stderr
    assert len(play(video).frames) > 10


LIVE = """
import sys, time
from pathlib import Path
from server.recordings.session_recorder import Recorder
from tests.server.recordings.movies import tone
from tests.server.recordings.packets import encode

recorder = Recorder(Path(sys.argv[1]), "session", audio=True)
video = encode(sys.argv[2], range(200))
begin = time.monotonic()
for number, (frame, _) in enumerate(video):
    time.sleep(max(0, begin + number / 25 - time.monotonic()))
    time_ms = 1000 * (time.monotonic() - begin)
    recorder.encoded(frame, time_ms)
    recorder.audio(tone(1920), time_ms)
    print(f"frame {number} {time_ms}", flush=True)
"""


@pytest.mark.parametrize(("codec", "name"), [("H264", "video.mp4"), ("VP8", "video.webm")])
def test_a_killed_process_loses_at_most_a_second(tmp_path: Path, codec: str, name: str) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", LIVE, str(tmp_path), codec],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[3],
    )
    assert process.stdout is not None
    times_ms: list[float] = []
    try:
        for line in process.stdout:
            times_ms.append(float(line.split()[2]))
            if len(times_ms) == 75:
                break
    finally:
        process.send_signal(signal.SIGKILL)
        rest, _ = process.communicate(timeout=60)
    times_ms += [float(line.split()[2]) for line in rest.splitlines()]

    movie = play(tmp_path / "session" / name)
    assert movie.numbers == list(range(len(movie.numbers)))
    assert movie.times_ms == pytest.approx(times_ms[: len(movie.numbers)], abs=2)
    assert movie.times_ms[-1] >= times_ms[-1] - 1000
    assert len(movie.sound) / 48 >= times_ms[-1] - 1000


async def test_close_waits_for_what_is_written(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path, "session", audio=False)
    for frame, time_ms in encode("VP8", range(100), (160, 120)):
        recorder.encoded(frame, time_ms)
    async with asyncio.timeout(60):
        await recorder.close({})

    assert play(recorder.directory / "video.webm").numbers == list(range(100))


# Who reads it


@pytest.mark.parametrize(("codec", "name"), [("H264", "video.mp4"), ("VP8", "video.webm")])
async def test_it_can_be_searched_in_parts(tmp_path: Path, codec: str, name: str) -> None:
    recorder = await record(tmp_path, encode(codec, range(10, 50), keys=(0, 20)))

    video = IndexedVideo.read(recorder.directory / name, 640 * 480)
    assert (video.width, video.height, len(video.times_s)) == (320, 240, 40)
    assert video.duration_s == pytest.approx(39 * 0.04)
    parts = video.split(2)
    assert [(part.start, part.end) for part in parts] == [(0, 20), (20, 40)]
    seen = [number_of(frame.picture) for part in parts for frame in video.decode(part, [5, 25])]
    assert seen == [15, 35]
