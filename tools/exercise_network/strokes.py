"""What movements that are no exercise are timed by; times are in frames, `rate` a second."""

from __future__ import annotations

import numpy as np

from tools.exercise_network.body import Array, Figure, ease, vec


def strokes(figure: Figure, rate: float, low_s: float, high_s: float, regular: float) -> Array:
    """Return movements to and fro, 0..1 (T,): of one tempo, or each by itself with rests."""
    rng, count = figure.rng, figure.count
    out = np.zeros(count)
    at, mean = rng.uniform(-1.0, 0.5) * rate, rng.uniform(low_s, high_s) * rate
    even = rng.random() < regular
    frames = np.arange(count)
    while at < count:
        lasts = mean * (rng.uniform(0.9, 1.1) if even else rng.uniform(0.5, 1.8))
        size = rng.uniform(0.9, 1.0) if even else rng.uniform(0.4, 1.0)
        inside = (frames >= at) & (frames < at + lasts)
        out = np.where(inside, size * np.sin(np.pi * (frames - at) / lasts) ** 2, out)
        at += lasts + (0.0 if even else rng.exponential(0.8) * rate)
    return out


def stays(figure: Figure, rate: float) -> Array:
    """Return going somewhere, staying there, perhaps coming back: 0..1 (T,)."""
    rng, count = figure.rng, figure.count
    frames = np.arange(count)
    begins, takes = rng.uniform(-0.2, 0.8) * count, rng.uniform(0.5, 2.0) * rate
    there = ease((frames - begins) / takes)
    if rng.random() < 0.6:
        leaves = begins + takes + rng.uniform(0.3, 6.0) * rate
        there = there * (1.0 - ease((frames - leaves) / (takes * rng.uniform(0.7, 1.3))))
    return there if rng.random() < 0.7 else 1.0 - there


def shift_hips(figure: Figure, by: Array) -> None:
    figure.pelvis = figure.pelvis + vec(0.0, by * figure.build.leg, 0.35 * by * figure.build.leg)


def zeros(figure: Figure) -> Array:
    return np.zeros(figure.count, int)
