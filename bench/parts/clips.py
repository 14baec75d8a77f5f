"""The clips that pose engines are held against each other on: real ones, rendered ones, nobody."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from platformdirs import user_cache_path

from bench.harness.report import ROOT, Report

# Distances are told in pixels of a picture this wide; wider ones are made smaller before.
WIDTH_PX, HEIGHT_PX = 640, 480

# One person each, in the order in which --quick takes them: squats, obliquely and grey; sit-ups;
# curls; push-ups, the person walking in; jumping jacks, twice.
REAL_CLIPS = (
    *("mrpose_squat2", "prime_situps", "wissem_bicep_curls", "mrpose_pushup_a", "mrpose_jacks"),
    "rjsong_jumpingjacks",
)
# One person each.
RENDERED_CLIPS = (
    *("squat-side", "push-up", "jumping-jack", "bicep-curl", "sit-up", "squat-oblique"),
    *("overhead-press", "lunge"),
)
# Half of the clips' own rate: half the time to render, and a movement between frames that
# tracking still follows.
RENDERED_FPS = 15
RENDERING_PROCESSES = 2

STILL, STILL_NOISY, MOVING = "still", "still, camera noise", "moving, camera noise"
EMPTY_FPS = 30
# A camera that turns: pixels from frame to frame, there and back over a picture this much wider.
PAN_PX, PAN_RANGE_PX = 4, 320
# Spread of the noise in grey levels; a webcam's, indoors.
NOISE_SIGMA = 2.0
NOISE_SEED = 2

Frames = NDArray[np.uint8]
Floats = NDArray[np.float64]


class CannotRender(Exception):
    """The athlete's renderer did not run."""


@dataclass(frozen=True, slots=True)
class PoseClip:
    """A clip with one person, RGB, (N, H, W, 3); its source is "real" or "rendered".

    `truth_px` is where the landmarks are, (N, 33, 2), if that is known.
    """

    name: str
    source: str
    frames: Frames
    timestamps_ms: Floats
    truth_px: Floats | None = None


def real_clip(video: Path, max_frames: int) -> PoseClip:
    """Decode the beginning of a clip."""
    frames, fps = read_video(video, max_frames)
    return PoseClip(video.stem, "real", frames, np.arange(len(frames)) * 1000.0 / fps)


def rendered_clip(video: Path) -> PoseClip:
    """Decode a clip of the athlete, and read the truth from the JSON beside it."""
    truth = json.loads(video.with_suffix(".json").read_text())
    frames, _ = read_video(video)
    told = truth["frames"]
    if len(told) != len(frames):
        raise ValueError(f"{video} has {len(frames)} frames, its JSON tells of {len(told)}")
    if any(len(frame["people"]) != 1 for frame in told):
        raise ValueError(f"{video} shows more than one person: leave it out of the folder")
    times_ms = np.array([frame["timestamp_ms"] for frame in told], np.float64)
    points = np.array([frame["people"][0]["joints_px"] for frame in told], np.float64)
    scale = frames.shape[2] / truth["meta"]["width"]
    return PoseClip(video.stem, "rendered", frames, times_ms, points * scale)


def read_video(path: Path, max_frames: int | None = None) -> tuple[Frames, float]:
    """Decode a video: its frames, RGB, (N, H, W, 3), W at most `WIDTH_PX`, and their rate."""
    capture = cv2.VideoCapture(str(path))
    fps = capture.get(cv2.CAP_PROP_FPS)
    frames: list[Frames] = []
    while max_frames is None or len(frames) < max_frames:
        there, bgr = capture.read()
        if not there:
            break
        height, width = bgr.shape[:2]
        if width > WIDTH_PX:
            size = WIDTH_PX, round(height * WIDTH_PX / width)
            bgr = cv2.resize(bgr, size, interpolation=cv2.INTER_AREA)
        frames.append(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB))
    capture.release()
    if not frames:
        raise ValueError(f"no video can be read from {path}")
    return np.stack(frames), fps


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


def render_clips(names: Sequence[str], report: Report) -> list[Path]:
    """Render the clips that no earlier run has; returns all of their videos."""
    directory = cache()
    missing = [name for name in names if not (directory / f"{name}.json").exists()]
    for name in missing:
        report.say(f"rendering {name}, for the next runs too, into {directory}")
        try:
            from client_test.athlete.catalogue import CLIPS
            from client_test.athlete.clip import write_clip
        except ImportError as error:
            raise CannotRender(f"the athlete cannot be rendered: {error}") from error
        clip = CLIPS[name].resized(width=WIDTH_PX, height=HEIGHT_PX, fps=RENDERED_FPS)
        for _ in write_clip(clip, directory, RENDERING_PROCESSES):
            """Each yields a frame that is done; the files are there when all are."""
    return [directory / f"{name}.mp4" for name in names]


def cache() -> Path:
    """The user's cache directory for what this version of the athlete renders; made if needed."""
    code = hashlib.sha256(f"{WIDTH_PX}x{HEIGHT_PX}@{RENDERED_FPS}".encode())
    for module in sorted((ROOT / "client_test" / "athlete").glob("*.py")):
        code.update(module.name.encode() + b"\0" + module.read_bytes())
    directory = user_cache_path("kinecast") / "athlete" / code.hexdigest()[:16]
    directory.mkdir(parents=True, exist_ok=True)
    return directory


def empty_scenes(count: int) -> Iterator[tuple[str, Frames]]:
    """Each scene's name and its frames, RGB, (count, H, WIDTH_PX, 3)."""
    room = _empty_room()
    rng = np.random.default_rng(NOISE_SEED)
    still = np.repeat(room[None, :, :WIDTH_PX], count, axis=0)
    yield STILL, still
    yield STILL_NOISY, with_camera_noise(still, rng)
    there_and_back = 2 * PAN_RANGE_PX
    along = PAN_PX * np.arange(count) % there_and_back
    lefts = np.minimum(along, there_and_back - along)
    turning = np.stack([room[:, left : left + WIDTH_PX] for left in lefts])
    yield MOVING, with_camera_noise(turning, rng)


def with_camera_noise(frames: Frames, rng: np.random.Generator) -> Frames:
    """The frames with normal noise in each channel of each pixel."""
    noisy = np.empty_like(frames)
    for frame, result in zip(frames, noisy, strict=True):
        noise = rng.standard_normal(frame.shape, dtype=np.float32) * NOISE_SIGMA
        result[:] = np.clip(frame + noise + 0.5, 0, 255).astype(np.uint8)
    return noisy


def _empty_room() -> Frames:
    """The athlete's room with nobody in it, as wide as the turning camera sees; RGB."""
    width = WIDTH_PX + PAN_RANGE_PX
    try:
        from client_test.athlete import standing
        from client_test.athlete.catalogue import STANDING
        from client_test.athlete.clip import Clip, Shot
        from client_test.athlete.people import MAN_IN_BLUE
        from client_test.athlete.performance import Performance, Set
    except ImportError as error:
        raise CannotRender(f"the athlete's room cannot be rendered: {error}") from error
    # The renderer wants someone: he stands behind the camera.
    unseen = Performance(MAN_IN_BLUE, (Set(standing.STAND, 0),), (0.0, 50.0))
    clip = Clip("empty-room", "nobody", (Shot((unseen,), STANDING),), width, HEIGHT_PX)
    return clip.picture(0).rgb
