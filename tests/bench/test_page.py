"""The figures of bench/page.py, on pictures whose misfit is known."""

import numpy as np
import pytest

from bench.harness import barcode
from bench.page import JOINTS, Sample, figures_of

WIDTH, HEIGHT = 640, 480
FRAMES = 50
SECONDS = 2.0


@pytest.fixture
def sample():
    """An athlete who moves by a hundredth of the width a frame."""
    start = np.random.default_rng(1).uniform(0.2, 0.5, (len(JOINTS), 2))
    joints = np.array([start + np.array([0.01 * number, 0]) for number in range(FRAMES)])
    return Sample(joints, np.ones(FRAMES, bool), WIDTH / HEIGHT)


def word(number):
    image = np.zeros((barcode.HEIGHT_PX, barcode.WIDTH_PX), np.uint8)
    barcode.stamp(image, number)
    assert barcode.read(image) == number
    return next(w for w in range(number << 8, (number + 1) << 8) if barcode.number_in(w) == number)


def told(sample, *, late=0, mirrored=True, scale=2):
    """Pictures whose skeletons are of some frames before, as the probe notes them."""
    drawn, results = [], []
    for number in range(late, FRAMES):
        points = sample.joints[number - late].copy()
        if mirrored:
            points[:, 0] = 1 - points[:, 0]
        drawn.append(
            {
                "word": word(number),
                "mirrored": mirrored,
                "width": WIDTH * scale,
                "height": HEIGHT * scale,
                "points": (points * WIDTH * scale).tolist(),
            }
        )
    for number in range(FRAMES):
        points = np.zeros((33, 2))
        points[list(JOINTS)] = sample.joints[number] * (1, sample.aspect)
        results.append({"number": number, "points": points.tolist()})
    return {"drawn": drawn, "results": results, "ticks": 120, "latency": "Live · 42 ms"}


@pytest.mark.parametrize("mirrored", [True, False])
def test_skeletons_on_their_pictures(sample, mirrored):
    figures = figures_of(told(sample, mirrored=mirrored), SECONDS, sample)
    assert figures["p95 %"] == pytest.approx(0, abs=1e-7)
    assert figures["own %"] == 100
    assert (figures["animation frames/s"], figures["pictures/s"]) == (60, FRAMES / SECONDS)
    assert figures["latency ms"] == 42


def test_skeletons_of_the_frame_before(sample):
    figures = figures_of(told(sample, late=1), SECONDS, sample)
    assert figures["p95 %"] == pytest.approx(1)
    assert figures["p95 of pose alone %"] == pytest.approx(0, abs=1e-7)
    assert (figures["own %"], figures["another's %"]) == (0, 100)


def test_pictures_without_a_skeleton(sample):
    noted = told(sample)
    for each in noted["drawn"][:10]:
        each["points"] = []
    assert figures_of(noted, SECONDS, sample)["with skeleton %"] == pytest.approx(80)
