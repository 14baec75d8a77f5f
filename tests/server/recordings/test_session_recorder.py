"""Recordings are really made, killed, starved of disk, and decoded."""

import asyncio
import json
import os
import threading
from pathlib import Path

import av
import numpy as np
import pytest

from server.media.picture import EncodedPicture
from server.recordings.session_backlog import MAX_AUDIO_FRAMES, MAX_VIDEO_BYTES
from server.recordings.session_recorder import Recorder
from tests.server.recordings.movies import numbered, play, silence, tone
from tests.server.recordings.recorded import record, submit, summary_of, until
from tests.support import pictures

# Video and audio


async def test_the_first_frame_may_come_at_any_time(tmp_path: Path) -> None:
    video = [(numbered(n), 5000 + 40.0 * n) for n in range(5)]

    recorder = await record(tmp_path, video, [(tone(960), 5100.0)])

    movie = play(recorder.directory / "video.mp4")
    assert movie.times_ms == pytest.approx([5000, 5040, 5080, 5120, 5160], abs=0.02)
    assert movie.loud_ms() == pytest.approx([5100, 5120], abs=3)


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


async def test_pictures_are_recorded_as_frames_are(tmp_path: Path) -> None:
    """A damaged one among them is left out."""
    recorder = Recorder(tmp_path, "session", audio=False)
    for number in range(12):
        shown = numbered(number).to_ndarray(format="rgb24")
        data = b"no picture" if number == 5 else pictures.jpeg(shown)
        recorder.video(EncodedPicture(data, 640, 480), number * 100.0)
        await until(lambda n=number: recorder.frames_written >= n + (n < 5))
    await recorder.close({})
    assert recorder.error is None
    movie = play(recorder.directory / "video.mp4")
    assert movie.numbers == [n for n in range(12) if n != 5]


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
    await until(lambda: written.read_bytes() == b'{"n":1}\n', within_s=60)
    await recorder.close({})


async def test_the_summary_tells_what_was_recorded(tmp_path: Path) -> None:
    recorder = await record(tmp_path, [(numbered(n), 40.0 * n) for n in range(10)])

    recording = summary_of(recorder)["recording"]
    size = sum(
        (recorder.directory / name).stat().st_size for name in ("video.mp4", "results.jsonl")
    )
    assert recording == {
        "files": ["video.mp4"],
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
