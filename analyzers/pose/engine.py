"""What a pose engine is: something that follows people through videos."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Person:
    """One person in one frame.

    Attributes
    ----------
    landmarks : ndarray, shape (33, 4)
        x and y in 0..1 of the frame, z in the scale of x with the hips at 0,
        visibility 0..1.
    world_landmarks : ndarray, shape (33, 4)
        x, y, z in metres from the middle of the hips, visibility 0..1.
    """

    landmarks: NDArray[np.float64]
    world_landmarks: NDArray[np.float64]


class PoseTracker(Protocol):
    """Follows the people of one video.

    Attributes
    ----------
    num_poses : int
        How many at most.
    """

    num_poses: int

    def detect(self, rgb: NDArray[np.uint8], timestamp_ms: float) -> list[Person]:
        """Find the people of the next frame.

        Parameters
        ----------
        rgb : ndarray, shape (H, W, 3), uint8
            The frame; its size may differ from the last one's.
        timestamp_ms : float
            Its time. One that is not later than the last one's is taken as
            a millisecond later.
        """

    def close(self) -> None:
        """Give back what it holds."""


class PoseEngine(Protocol):
    """Opens trackers; one serves all videos of a process.

    Attributes
    ----------
    name : str
        As in ``--pose-engine``.
    """

    name: str

    def open(self, num_poses: int) -> PoseTracker:
        """Return a tracker that has seen nobody yet."""


def check_frame(rgb: NDArray[np.uint8]) -> None:
    """Refuse what is no frame.

    Raises
    ------
    ValueError
        Which says what was given and what is wanted.
    """
    if rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.dtype != np.uint8 or rgb.size == 0:
        raise ValueError(
            f"a frame is uint8 RGB of shape (height, width, 3), not {rgb.dtype} of shape"
            f" {rgb.shape}; a grey picture needs its three channels (cv2.cvtColor)"
        )
