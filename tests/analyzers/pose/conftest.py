"""Real frames, with what is true of them."""

import json
from pathlib import Path

import av
import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="session")
def clip():
    """The sample video's first 120 frames, each (480, 640, 3) RGB and read-only."""
    with av.open(str(ROOT / "sample-video.mp4")) as container:
        frames = []
        for frame in container.decode(video=0):
            rgb = frame.to_ndarray(format="rgb24")
            rgb.setflags(write=False)
            frames.append(rgb)
            if len(frames) == 120:
                break
    return frames


@pytest.fixture(scope="session")
def truth_px():
    """Where the joints of the person in the sample video are: (frames, 33, 2) pixels."""
    description = json.loads((ROOT / "sample-video.json").read_text())
    return np.array([frame["people"][0]["joints_px"] for frame in description["frames"]])


@pytest.fixture(scope="session")
def two_people(clip):
    """Frames with two people side by side: the middle of the clip, and of a later moment."""
    middle = slice(160, 480)
    return [
        np.hstack([first[:, middle], second[:, middle]])
        for first, second in zip(clip[:60], clip[60:], strict=True)
    ]
