"""Scenes with nobody in view: what a camera sees most of the day."""

from collections.abc import Iterator

import numpy as np

from bench.poses.athlete import empty_room
from bench.poses.clips import WIDTH_PX, Frames

STILL = "still"
STILL_NOISY = "still, camera noise"
MOVING = "moving, camera noise"
SCENES = (STILL, STILL_NOISY, MOVING)

FPS = 30

# A camera that turns: pixels from frame to frame, there and back over a picture this much wider.
PAN_PX = 4
PAN_RANGE_PX = 320

# Spread of the noise in grey levels; a webcam's, indoors.
NOISE_SIGMA = 2.0
NOISE_SEED = 2


def empty_scenes(frames: int) -> Iterator[tuple[str, Frames]]:
    """Each scene's name and its frames, RGB, (frames, H, WIDTH_PX, 3).

    Raises
    ------
    CannotRender
        When the room cannot be rendered.
    """
    room = empty_room(WIDTH_PX + PAN_RANGE_PX)
    rng = np.random.default_rng(NOISE_SEED)
    still = np.repeat(room[None, :, :WIDTH_PX], frames, axis=0)
    yield STILL, still
    yield STILL_NOISY, with_camera_noise(still, rng)
    turning = np.stack([room[:, left : left + WIDTH_PX] for left in pan(frames)])
    yield MOVING, with_camera_noise(turning, rng)


def pan(frames: int) -> list[int]:
    """Where the picture's left edge is in each frame, in pixels, going there and back."""
    there_and_back = 2 * PAN_RANGE_PX
    along = [PAN_PX * number % there_and_back for number in range(frames)]
    return [min(way, there_and_back - way) for way in along]


def with_camera_noise(frames: Frames, rng: np.random.Generator) -> Frames:
    """The frames with normal noise in each channel of each pixel."""
    noisy = np.empty_like(frames)
    for frame, result in zip(frames, noisy, strict=True):
        noise = rng.standard_normal(frame.shape, dtype=np.float32) * NOISE_SIGMA
        result[:] = np.clip(frame + noise + 0.5, 0, 255).astype(np.uint8)
    return noisy
