"""CUHK03's crops: one picture of one person each, from two cameras."""

from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from analyzers.pose.engines import make_engine
from analyzers.pose.still_image import StillPictures

CROPS = Path("reid_images", "cuhk03")

# The first crops of each person are camera A's, the others camera B's.
FIRST_OF_CAMERA_B = 5

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Crop:
    """One picture of one person, RGB."""

    identity: int
    camera_b: bool
    rgb: NDArray[np.uint8]
    landmarks: Floats | None = None


def read_crops(folder: Path) -> list[Crop]:
    """All pictures of a folder, in the order of their names.

    Raises
    ------
    ValueError
        When there are none, or one is no picture or has another name than IIII_NN.jpg.
    """
    crops = [_read(path) for path in sorted(folder.glob("*.jpg"))]
    if len({crop.camera_b for crop in crops}) < 2:
        raise ValueError(
            f"there are no crops IIII_NN.jpg of two cameras (NN 00 to 04, 05 to 09) in {folder}"
        )
    return crops


def _read(path: Path) -> Crop:
    identity, _, number = path.stem.partition("_")
    if not (identity.isdecimal() and number.isdecimal()):
        raise ValueError(f"{path} is not called IIII_NN.jpg: person and number")
    bgr = cv2.imread(str(path))
    if bgr is None:
        raise ValueError(f"{path} is no picture")
    rgb = cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB).astype(np.uint8, copy=False)
    return Crop(int(identity), int(number) >= FIRST_OF_CAMERA_B, rgb)


def with_landmarks(crops: list[Crop]) -> list[Crop]:
    """Look for BlazePose's landmarks in each crop, as a session with `still` does."""
    pictures = StillPictures(make_engine(num_poses=1), 1)
    return [replace(crop, landmarks=_landmarks(pictures, crop.rgb)) for crop in crops]


def _landmarks(pictures: StillPictures, rgb: NDArray[np.uint8]) -> Floats | None:
    people = pictures.detect(rgb, 0.0)
    if not people:
        return None
    height, width = rgb.shape[:2]
    landmarks: Floats = people[0].landmarks[:, [0, 1, 3]] * (width, height, 1)
    return landmarks
