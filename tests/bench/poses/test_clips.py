"""Frames and truth as they are handed to the engines."""

import json
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from bench.poses.athlete import SAMPLE
from bench.poses.clips import (
    WIDTH_PX,
    Source,
    read_video,
    real_clips,
    rendered_clip,
    with_grey_level_noise,
)

FRAMES = 6


def write_video(path: Path, width: int, height: int) -> None:
    """A video whose frames are plain, each brighter than the last."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=Fraction(25))
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for number in range(FRAMES):
            picture = np.full((height, width, 3), 40 * number, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())


def write_truth(path: Path, width: int, frames: int, people: int = 1) -> None:
    """Frame n has all landmarks at (10 n, 20)."""
    told = [
        {
            "timestamp_ms": 40.0 * number,
            "people": [{"joints_px": [[10 * number, 20]] * 33}] * people,
        }
        for number in range(frames)
    ]
    path.write_text(json.dumps({"meta": {"width": width}, "frames": told}))


@pytest.fixture
def wide_video(tmp_path: Path) -> Path:
    path = tmp_path / "wide.mp4"
    write_video(path, 2 * WIDTH_PX, 720)
    return path


def test_wide_videos_are_made_smaller(wide_video: Path) -> None:
    frames, fps = read_video(wide_video)
    assert frames.shape == (FRAMES, 360, WIDTH_PX, 3)
    assert fps == 25
    assert frames.mean(axis=(1, 2, 3)) == pytest.approx(40 * np.arange(FRAMES), abs=4)


def test_small_videos_stay_as_they_are(tmp_path: Path) -> None:
    write_video(tmp_path / "small.mp4", 320, 240)
    frames, _ = read_video(tmp_path / "small.mp4", 4)
    assert frames.shape == (4, 240, 320, 3)


def test_a_missing_video_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"no video can be read from .*absent\.mp4"):
        read_video(tmp_path / "absent.mp4")


def test_truth_is_made_smaller_with_the_frames(wide_video: Path) -> None:
    write_truth(wide_video.with_suffix(".json"), 2 * WIDTH_PX, FRAMES)
    clip = rendered_clip(wide_video)
    assert clip.source is Source.RENDERED
    assert clip.timestamps_ms.tolist() == [0.0, 40.0, 80.0, 120.0, 160.0, 200.0]
    assert clip.truth_px is not None
    assert clip.truth_px[:, 7].tolist() == [[5 * number, 10] for number in range(FRAMES)]


def test_truth_of_other_frames_is_refused(wide_video: Path) -> None:
    write_truth(wide_video.with_suffix(".json"), 2 * WIDTH_PX, FRAMES + 1)
    with pytest.raises(ValueError, match="has 6 frames, its JSON tells of 7"):
        rendered_clip(wide_video)


def test_truth_of_two_people_is_refused(wide_video: Path) -> None:
    write_truth(wide_video.with_suffix(".json"), 2 * WIDTH_PX, FRAMES, people=2)
    with pytest.raises(ValueError, match="more than one person"):
        rendered_clip(wide_video)


def test_the_sample_can_be_read() -> None:
    clip = rendered_clip(SAMPLE)
    assert clip.name == "sample-video"
    assert clip.frames.shape == (393, 480, 640, 3)
    assert clip.truth_px is not None
    assert clip.truth_px.shape == (393, 33, 2)


def test_real_clips_have_times(tmp_path: Path) -> None:
    (tmp_path / "exercise_videos").mkdir()
    write_video(tmp_path / "exercise_videos" / "one.mp4", 320, 240)
    (clip,) = real_clips(tmp_path, ("one",), 3)
    assert (clip.name, clip.source, clip.truth_px) == ("one", Source.REAL, None)
    assert clip.timestamps_ms.tolist() == [0.0, 40.0, 80.0]


@pytest.mark.parametrize("level", [0, 128, 255])
def test_noise_is_one_grey_level_in_one_pixel_of_a_hundred(level: int) -> None:
    frames = np.full((3, 40, 50, 3), level, np.uint8)
    noisy = with_grey_level_noise(frames, np.random.default_rng(1)).astype(int)
    change = noisy - level
    assert (frames == level).all()
    assert (change == change[..., :1]).all()
    assert set(np.unique(change)) <= {-1, 0, 1}
    changed = (change[..., 0] != 0).sum(axis=(1, 2))
    if level == 128:
        assert changed.tolist() == [20, 20, 20]
        assert {-1, 1} <= set(np.unique(change))
    else:
        # Black cannot be darker, nor white brighter.
        assert (changed < 20).all()


def test_noise_differs_from_frame_to_frame_but_not_from_run_to_run() -> None:
    frames = np.full((2, 40, 50, 3), 128, np.uint8)
    one, other = (with_grey_level_noise(frames, np.random.default_rng(1)) for _ in range(2))
    assert np.array_equal(one, other)
    assert not np.array_equal(one[0], one[1])
