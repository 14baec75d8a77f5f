"""Clips of people whose pulse was measured beside the camera, in the layouts that they come in."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path

import av
import cv2
import numpy as np

from bench.parts.vitals_scene import Shown


def clips(folder: Path) -> Iterator[tuple[str, Iterator[Shown]]]:
    """Return the name of each clip in a folder, and its frames."""
    for truth in sorted(folder.rglob("ground_truth.txt")):
        # UBFC-rPPG: three lines, the wave, the rate and the time of each sample.
        _, rates, times_s = np.loadtxt(truth, max_rows=3)
        yield truth.parent.name, _video(truth.parent / "vid.avi", times_s, rates)
    for truth in sorted(folder.rglob("*.json")):
        pictures = truth.with_suffix("")
        if pictures.is_dir():
            yield truth.stem, _pure(truth, pictures)
    for truth in sorted(folder.rglob("*.csv")):
        movie = truth.with_suffix(".mp4")
        if movie.is_file():
            times_s, rates = np.array(_rows(truth)).T
            yield truth.stem, _video(movie, times_s, rates)


def _rows(truth: Path) -> list[tuple[float, float]]:
    """Return time and rate of each line that has numbers; the first may be a heading."""
    found = []
    with truth.open(newline="") as file:
        for row in csv.reader(file):
            try:
                found.append((float(row[0]), float(row[1])))
            except (ValueError, IndexError):
                continue
    if not found:
        raise ValueError(f"{truth} has no line with a time in seconds and a rate")
    return found


def _video(movie: Path, times_s: np.ndarray, rates: np.ndarray) -> Iterator[Shown]:
    with av.open(str(movie)) as container:
        for frame in container.decode(video=0):
            rgb = frame.to_ndarray(format="rgb24")
            yield Shown(frame.time, rgb, float(np.interp(frame.time, times_s, rates)))


def _pure(truth: Path, pictures: Path) -> Iterator[Shown]:
    """PURE: pictures named by nanoseconds, and a JSON with the oximeter's values."""
    told = json.loads(truth.read_text())["/FullPackage"]
    times_ns = np.array([each["Timestamp"] for each in told], float)
    rates = np.array([each["Value"]["pulseRate"] for each in told], float)
    files = sorted(pictures.glob("*.png"))
    first_ns = int(files[0].stem.removeprefix("Image")) if files else 0
    for file in files:
        at_ns = int(file.stem.removeprefix("Image"))
        rgb = cv2.imread(str(file), cv2.IMREAD_COLOR_RGB)
        yield Shown((at_ns - first_ns) / 1e9, rgb, float(np.interp(at_ns, times_ns, rates)))
