"""Videos with several people, and who is where in them."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from analyzers.networks.boxes import Box

VIDEOS = Path("people_videos")

# As in PASCAL VOC and MOTChallenge.
LEAST_IOU = 0.5


@dataclass(frozen=True, slots=True)
class Labelled:
    """Someone in a frame.

    Attributes
    ----------
    identity
        Who.
    box
        Where, pixels.
    """

    identity: int
    box: Box


def with_truth(data: Path) -> list[Path]:
    """The videos that have their ground truth beside them.

    Raises
    ------
    ValueError
        When there is none.
    """
    videos = [path for path in sorted((data / VIDEOS).glob("*.mp4")) if _truth_of(path).is_file()]
    if not videos:
        raise ValueError(f"there is no video NAME.mp4 with NAME_gt.txt in {data / VIDEOS}")
    return videos


def frames(video: Path) -> Iterator[NDArray[np.uint8]]:
    """Each frame, (H, W, 3) RGB.

    Raises
    ------
    ValueError
        When there is none.
    """
    capture = cv2.VideoCapture(str(video))
    count = 0
    try:
        while (read := capture.read())[0]:
            count += 1
            yield cv2.cvtColor(read[1], cv2.COLOR_BGR2RGB)
    finally:
        capture.release()
    if not count:
        raise ValueError(f"{video} is no video that can be read")


def frame_ms(video: Path) -> float:
    """Milliseconds between its frames."""
    capture = cv2.VideoCapture(str(video))
    try:
        return 1000.0 / (capture.get(cv2.CAP_PROP_FPS) or 25.0)
    finally:
        capture.release()


def read_truth(video: Path) -> dict[int, list[Labelled]]:
    """Who is where, by the frame's number from 1.

    Raises
    ------
    ValueError
        When a line is not in MOTChallenge's format.
    """
    people: dict[int, list[Labelled]] = {}
    path = _truth_of(video)
    for number, line in enumerate(path.read_text().splitlines(), start=1):
        try:
            frame, identity, left, top, width, height = map(float, line.split(",")[:6])
        except ValueError as error:
            raise ValueError(
                f"{path}, line {number} is not frame,id,left,top,width,height: {line!r}"
            ) from error
        box = Box(left, top, left + width, top + height)
        people.setdefault(int(frame), []).append(Labelled(int(identity), box))
    return people


def within(box: Box, width: int, height: int) -> Box:
    """The part of a box that is in the frame: what a camera can see of someone."""
    x0, x1 = (min(max(x, 0.0), width) for x in (box.x0, box.x1))
    y0, y1 = (min(max(y, 0.0), height) for y in (box.y0, box.y1))
    return Box(x0, y0, x1, y1, box.score)


def _truth_of(video: Path) -> Path:
    return video.with_name(f"{video.stem}_gt.txt")
