"""Movies are really written and really decoded; frames carry their number as a bar code."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.video.frame import PictureType

from server.recordings.counted_file import CountedFile
from server.recordings.encoded_movie import EncodedMovie
from server.recordings.live_container import PIECE_MS
from server.recordings.sound import SoundTrack
from tests.server.recordings.movies import (
    WHITE,
    from_luma,
    luma_of,
    numbered,
    play,
    silence,
    tone,
    write,
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "video.mp4"


@pytest.mark.parametrize(
    "audio",
    [None, [], [(silence(960), 20.0 * n) for n in range(250)]],
    ids=["video only", "audio that never comes", "audio"],
)
def test_every_frame_keeps_its_own_time(path: Path, audio: list | None) -> None:
    random = np.random.default_rng(7)
    times = np.concatenate([[0.0], np.cumsum(random.uniform(5, 120, 80))])
    video = [(numbered(number), float(time)) for number, time in enumerate(times)]

    writer = write(path, video, audio)

    movie = play(path)
    assert movie.numbers == list(range(81))
    assert movie.times_ms == pytest.approx(times, abs=0.02)
    assert writer.frames_written == 81
    if audio is not None:
        assert movie.sound is not None
        assert np.abs(movie.sound).max() < 0.001
        assert len(movie.sound) / 48 == pytest.approx(times[-1], abs=50)


def test_times_that_repeat_or_go_back_are_moved_on(path: Path) -> None:
    times = [-20.0, 0, 33, 33, 33, 20, 66, 1000, 500, 1033]

    writer = EncodedMovie(CountedFile(path), width=640, height=480)
    for number, time_ms in enumerate(times):
        writer.video(numbered(number), time_ms)
    writer.close()

    movie = play(path)
    assert movie.numbers == list(range(10))
    assert movie.times_ms == pytest.approx([0, 1, 33, 34, 35, 36, 66, 1000, 1001, 1033], abs=0.02)


def test_a_reconnect_leaves_a_gap_and_no_more(path: Path) -> None:
    times = [0.0, 33, 66, 25_000, 25_033, 25_066]
    audio = [(silence(960), 20.0 * n) for n in range(4)] + [(tone(960), 25_020.0)]

    write(path, [(numbered(n), t) for n, t in enumerate(times)], audio)

    movie = play(path)
    assert movie.times_ms == pytest.approx(times, abs=0.02)
    assert movie.loud_ms() == pytest.approx([25_020, 25_040], abs=3)
    assert not np.isnan(movie.sound).any()  # no hole


@pytest.mark.parametrize("sound", ["none", "silent", "spoken"])
def test_the_file_on_disk_trails_by_a_fragment(path: Path, sound: str) -> None:
    track = None if sound == "none" else SoundTrack(0.0)
    writer = EncodedMovie(CountedFile(path), width=640, height=480, sound=track)
    for number in range(100):
        writer.video(numbered(number), number * 1000 / 30)
        if track is not None and sound == "spoken":
            track.put(tone(1600), number * 1000 / 30)

    movie = play(path)
    # A fragment is closed by the frame after it, and one more may wait for its duration.
    assert 3300 - movie.times_ms[-1] < PIECE_MS + 2 * 34
    writer.close()


def test_key_frames_come_by_time(path: Path) -> None:
    video = [(numbered(n), 250.0 * n) for n in range(30)]
    for frame, _ in video:
        frame.pict_type = PictureType.I  # what the sender's encoder chose is nothing to us

    write(path, video)

    with av.open(str(path)) as container:
        keys = [
            float(packet.pts * packet.time_base)
            for packet in container.demux(video=0)
            if packet.pts is not None and packet.is_keyframe
        ]
    assert keys == [0, 2, 4, 6]


def test_a_new_frame_size_is_fitted_into_the_first_one(path: Path) -> None:
    portrait = from_luma(np.full((640, 360), WHITE, np.uint8))
    small = from_luma(np.full((120, 160), WHITE, np.uint8))
    thin = from_luma(np.full((1000, 1), WHITE, np.uint8))
    video = [(numbered(1), 0.0), (portrait, 40.0), (small, 80.0), (thin, 120.0), (numbered(9), 160)]

    write(path, video)

    movie = play(path)
    assert movie.sizes == {(640, 480)}
    assert (movie.numbers[0], movie.numbers[-1]) == (1, 9)
    bright = luma_of(movie.frames[1]) > 128
    # 360x640 scaled to a height of 480 is 270 wide, in the middle.
    assert bright.any(axis=0).nonzero()[0][[0, -1]] == pytest.approx([185, 454], abs=2)
    assert bright[:, 200:440].all()
    assert (luma_of(movie.frames[2]) > 128).all()  # the same shape fills the picture
    assert (luma_of(movie.frames[3]) > 128).any(axis=0).sum() <= 4


@pytest.mark.parametrize(("width", "height"), [(641, 361), (640, 361), (1, 1), (2, 2)])
def test_odd_and_tiny_sizes(path: Path, width: int, height: int) -> None:
    video = [(numbered(n, width, height), 40.0 * n) for n in range(3)]

    write(path, video)

    movie = play(path)
    assert movie.sizes == {(width + width % 2, height + height % 2)}
    assert len(movie.frames) == 3
    if width > 600:
        assert movie.numbers == [0, 1, 2]


def test_the_frames_of_others_are_not_changed(path: Path) -> None:
    frame = numbered(5)
    frame.pts, frame.time_base = 4711, Fraction(1, 90_000)
    frame.pict_type = PictureType.P
    pixels = bytes(frame.planes[0])

    write(path, [(frame, 40.0 * n) for n in range(5)])

    assert (frame.pts, frame.time_base) == (4711, Fraction(1, 90_000))
    assert frame.pict_type == PictureType.P
    assert bytes(frame.planes[0]) == pixels


def test_noise_does_not_fill_the_disk(path: Path) -> None:
    random = np.random.default_rng(3)
    frames = [from_luma(random.integers(0, 255, (480, 640), np.uint8)) for _ in range(10)]
    video = [(frames[n % 10], 1000 / 30 * n) for n in range(120)]

    writer = write(path, video)

    seconds = 4
    assert writer.bytes_written * 8 / seconds < 1.5 * 640 * 480 * 30 * 0.25
