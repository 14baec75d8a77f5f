"""A clip plays in real time, from where it is told to, as often as it is told to."""

import asyncio
import time
from pathlib import Path

import pytest
from aiortc.mediastreams import MediaStreamError

from bench.harness import barcode
from client_test.clip import ClipTrack
from client_test.errors import BadSource

FRAMES, RATE_HZ = 45, 30


async def play(track: ClipTrack, limit: int = 1000) -> list[tuple[int | None, float]]:
    """Number and time in seconds of each frame, until the track ends."""
    played: list[tuple[int | None, float]] = []
    try:
        while len(played) < limit:
            frame = await track.recv()
            assert frame.time is not None
            played.append((barcode.read(frame.to_ndarray(format="rgb24")), frame.time))
    except MediaStreamError:
        pass
    return played


async def test_plays_every_frame_in_real_time(clip: Path) -> None:
    track = ClipTrack(clip)
    assert track.length_s == pytest.approx(FRAMES / RATE_HZ, abs=0.05)
    began_s = time.monotonic()
    played = await play(track)
    took_s = time.monotonic() - began_s
    assert track.frames_sent + track.frames_skipped == FRAMES
    assert [number for number, _ in played][-1] == FRAMES - 1
    for number, time_s in played:
        assert number is not None
        assert time_s == pytest.approx(number / RATE_HZ, abs=0.002)
    assert took_s >= (FRAMES - 1) / RATE_HZ - 0.02
    assert track.readyState == "ended"
    await asyncio.wait_for(track.wait_ended(), 1)


async def test_plays_from_between_keyframes(clip: Path) -> None:
    track = ClipTrack(clip, play_from_s=31 / RATE_HZ)
    assert track.length_s == pytest.approx(14 / RATE_HZ, abs=0.05)
    played = await play(track)
    assert played[0] == (31, 0.0)
    assert played[-1][0] == FRAMES - 1


async def test_duration_ends_it_earlier(clip: Path) -> None:
    track = ClipTrack(clip, duration_s=0.5)
    assert track.length_s == 0.5
    played = await play(track)
    assert played[-1][0] == 14


async def test_loop_goes_on_with_rising_times(clip: Path) -> None:
    track = ClipTrack(clip, play_from_s=1.0, loop=True)
    assert track.length_s is None
    played = await play(track, limit=40)
    track.stop()
    numbers = [number for number, _ in played]
    times_s = [time_s for _, time_s in played]
    assert numbers.count(30) >= 2
    assert times_s == sorted(set(times_s))
    again = numbers.index(30, 1)
    assert times_s[again] - times_s[again - 1] == pytest.approx(1 / RATE_HZ, abs=0.005)


async def test_frames_that_are_late_are_skipped(clip: Path) -> None:
    track = ClipTrack(clip)
    await track.recv()
    # Stands for an encoder that takes this long for one frame.
    await asyncio.sleep(0.6)
    frame = await track.recv()
    track.stop()
    assert track.frames_skipped > 5
    assert barcode.read(frame.to_ndarray(format="rgb24")) == track.frames_skipped + 1


async def test_counts_and_tells_each_frame(clip: Path) -> None:
    seen: list[float | None] = []
    track = ClipTrack(clip, duration_s=0.2, on_frame=lambda frame: seen.append(frame.time))
    played = await play(track)
    assert seen == [time_s for _, time_s in played]
    assert track.frames_sent == len(played)


async def test_stopped_track_gives_no_frame(clip: Path) -> None:
    track = ClipTrack(clip)
    track.stop()
    with pytest.raises(MediaStreamError):
        await track.recv()


@pytest.fixture
def damaged(tmp_path: Path, clip: Path) -> Path:
    data = bytearray(clip.read_bytes())
    begin = data.index(b"mdat") + 4
    middle = begin + int.from_bytes(data[begin - 8 : begin - 4], "big") // 2
    data[middle : middle + 400] = bytes(400)
    path = tmp_path / "damaged.mp4"
    path.write_bytes(data)
    return path


async def test_one_that_is_damaged_ends_early_and_says_so(damaged: Path, clip: Path) -> None:
    track = ClipTrack(damaged)
    assert 0 < len(await play(track)) < FRAMES
    assert isinstance(track.error, BadSource)
    whole = ClipTrack(clip, play_from_s=1.2)
    await play(whole)
    assert whole.error is None


def test_refuses_what_is_no_video(tmp_path: Path, clip: Path) -> None:
    with pytest.raises(FileNotFoundError):
        ClipTrack(tmp_path / "missing.mp4")
    with pytest.raises(ValueError, match="cannot play"):
        ClipTrack(clip, play_from_s=99)
