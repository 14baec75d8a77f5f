"""Draw what somebody sees who watches a session annotated: docs/annotated.jpg.

.venv/bin/python tools/draw_annotated.py
"""

from pathlib import Path

import av
import cv2
import numpy as np

from analyzers.annotator import Annotator
from analyzers.chain import arrange
from analyzers.lane import Lane
from analyzers.registry import find, load

ROOT = Path(__file__).resolve().parent.parent
CLIP = ROOT / "sample-video.mp4"
PICTURE = ROOT / "docs" / "annotated.jpg"
ANALYZERS = ("pose", "reid", "exercise")
# Coming up from the second squat, and in the middle of a jumping jack.
FRAMES = (96, 199)
RATE_HZ = 30.0
GAP_PX = 12
QUALITY = (cv2.IMWRITE_JPEG_QUALITY, 80)
BACKGROUND = (24, 26, 30)

Image = np.ndarray


def main() -> None:
    frames = read_frames(max(FRAMES) + 1)
    (lane,) = arrange([load(spec, {}) for spec in find(ANALYZERS)])
    reference = enrol(lane, frames[0])
    lane.start("s", 0.0, ANALYZERS, {"reid": {"reference": reference, "every_frame": True}})
    annotator = Annotator("s", lane.analyzers)
    panels = []
    for number, frame in enumerate(frames):
        report = lane.frame("s", frame, number * 1000 / RATE_HZ)
        if number in FRAMES:
            panels.append(annotator.annotate(frame, report.fragments)[0])
    gap = np.full((panels[0].shape[0], GAP_PX, 3), BACKGROUND, np.uint8)
    picture = np.hstack([panels[0], gap, panels[1]])
    cv2.imwrite(str(PICTURE), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), QUALITY)
    print(PICTURE.relative_to(ROOT))


def read_frames(count: int) -> list[Image]:
    with av.open(str(CLIP)) as container:
        frames = container.decode(video=0)
        return [next(frames).to_ndarray(format="rgb24") for _ in range(count)]


def enrol(lane: Lane, frame: Image) -> str:
    """What the person in a frame looks like, as a token."""
    pose, reid, _ = lane.analyzers
    pose.start("e", 0.0)
    reid.start("e", 0.0, options={"enrol": True})
    found = reid.frame("e", frame, 0.0, results={"pose": pose.frame("e", frame, 0.0)})
    for each in (reid, pose):
        each.end("e")
    return found["reid_people"][0]["embedding"]


if __name__ == "__main__":
    main()
