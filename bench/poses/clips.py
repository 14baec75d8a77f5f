"""The clips that pose engines are held against each other on, decoded."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

# Distances are told in pixels of a picture this wide; wider ones are made smaller before.
WIDTH_PX = 640

# One person each, in the order in which --quick takes them: squats, obliquely and grey; sit-ups;
# curls; push-ups, the person walking in; jumping jacks, twice.
REAL_CLIPS = (
    "mrpose_squat2",
    "prime_situps",
    "wissem_bicep_curls",
    "mrpose_pushup_a",
    "mrpose_jacks",
    "rjsong_jumpingjacks",
)
MAX_REAL_FRAMES = 300

Frames = NDArray[np.uint8]
Floats = NDArray[np.float64]


class Source(StrEnum):
    """Where a clip comes from."""

    REAL = "real"
    RENDERED = "rendered"


@dataclass(frozen=True, slots=True)
class PoseClip:
    """A clip with one person.

    Attributes
    ----------
    frames
        RGB, shape (N, H, W, 3).
    timestamps_ms
        Since the first frame, shape (N,).
    truth_px
        Where the landmarks are in the frames, x and y, shape (N, 33, 2); None if not known.
    """

    name: str
    source: Source
    frames: Frames
    timestamps_ms: Floats
    truth_px: Floats | None = None


def real_clips(data: Path, names: tuple[str, ...], max_frames: int) -> Iterator[PoseClip]:
    """Decode the beginning of each clip of the data folder's exercise videos."""
    for name in names:
        frames, fps = read_video(data / "exercise_videos" / f"{name}.mp4", max_frames)
        yield PoseClip(name, Source.REAL, frames, np.arange(len(frames)) * 1000.0 / fps)


def rendered_clip(video: Path) -> PoseClip:
    """Decode a clip of the athlete, and read the truth from the JSON beside it.

    Raises
    ------
    ValueError
        When the JSON tells of other frames than the video has, or of several people.
    """
    truth = json.loads(video.with_suffix(".json").read_text())
    frames, _ = read_video(video)
    told = truth["frames"]
    if len(told) != len(frames):
        raise ValueError(f"{video} has {len(frames)} frames, its JSON tells of {len(told)}")
    if any(len(frame["people"]) != 1 for frame in told):
        raise ValueError(f"{video} shows more than one person: leave it out of the folder")
    scale = frames.shape[2] / truth["meta"]["width"]
    points = np.array([frame["people"][0]["joints_px"] for frame in told], dtype=np.float64)
    return PoseClip(
        video.stem,
        Source.RENDERED,
        frames,
        np.array([frame["timestamp_ms"] for frame in told], dtype=np.float64),
        points * scale,
    )


def read_video(path: Path, max_frames: int | None = None) -> tuple[Frames, float]:
    """Decode a video.

    Returns
    -------
    frames
        RGB, shape (N, H, W, 3), W at most `WIDTH_PX`.
    fps
        Frames per second.

    Raises
    ------
    ValueError
        When there is no such video, or no frame in it.
    """
    capture = cv2.VideoCapture(str(path))
    try:
        fps = capture.get(cv2.CAP_PROP_FPS)
        frames: list[Frames] = []
        while max_frames is None or len(frames) < max_frames:
            there, bgr = capture.read()
            if not there:
                break
            frames.append(_rgb(bgr))
    finally:
        capture.release()
    if not frames:
        raise ValueError(f"no video can be read from {path}")
    return np.stack(frames), fps


def _rgb(bgr: Frames) -> Frames:
    height, width = bgr.shape[:2]
    if width > WIDTH_PX:
        size = WIDTH_PX, round(height * WIDTH_PX / width)
        bgr = cv2.resize(bgr, size, interpolation=cv2.INTER_AREA)
    return cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)


def with_grey_level_noise(frames: Frames, rng: np.random.Generator) -> Frames:
    """The same frames with one pixel in a hundred brighter or darker by one grey level.

    Less than any camera's noise and any codec's loss: what an engine's answers change by is how
    far two runs of one engine can be apart without either being worse.
    """
    noisy = frames.copy()
    for frame in noisy:
        height, width = frame.shape[:2]
        pixels = frame.reshape(-1, 3)
        chosen = rng.choice(height * width, size=height * width // 100, replace=False)
        step = rng.choice(np.array([-1, 1], dtype=np.int16), size=(len(chosen), 1))
        pixels[chosen] = np.clip(pixels[chosen] + step, 0, 255).astype(np.uint8)
    return noisy
