"""What colours someone wears, in a few microseconds: enough to tell two people apart who cross."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from analyzers.pose.landmarks import INDEX

_JOINTS = [
    INDEX[f"{side}_{part}"] for part in ("shoulder", "hip", "knee") for side in ("left", "right")
]

# Steps of red, green and blue.
_STEPS = 8

Points = NDArray[np.float64]


def _shirt() -> Points:
    """Points of the torso, as weights of its four corners: shape (N, 6)."""
    across, down = (
        grid.ravel()
        for grid in np.meshgrid(np.linspace(0.08, 0.92, 8), np.linspace(0.05, 0.95, 10))
    )
    weights = np.zeros((len(across), 6))
    weights[:, 0], weights[:, 1] = (1 - across) * (1 - down), across * (1 - down)
    weights[:, 2], weights[:, 3] = (1 - across) * down, across * down
    return weights


def _trousers() -> Points:
    """Points of the thighs, a third of the hips' width to each side: shape (N, 6)."""
    rows = []
    for hip, other_hip, knee in ((2, 3, 4), (3, 2, 5)):
        for down in np.linspace(0.1, 0.9, 7):
            for aside in np.linspace(-0.3, 0.3, 5):
                weights = np.zeros(6)
                weights[hip], weights[knee] = 1 - down - aside, down
                weights[other_hip] = aside
                rows.append(weights)
    return np.array(rows)


_PARTS = (_shirt(), _trousers())
_WEIGHTS = np.concatenate(_PARTS)
_PART = np.concatenate([np.full(len(part), index) for index, part in enumerate(_PARTS)])
_SHARE = np.concatenate([np.full(len(part), 1 / len(part) / len(_PARTS)) for part in _PARTS])

SIZE = len(_PARTS) * _STEPS**3


def color_histogram(rgb: NDArray[np.uint8], landmarks: Points) -> Points:
    """Count the colours of someone's torso and thighs.

    Parameters
    ----------
    rgb : ndarray, shape (H, W, 3), uint8
        The frame.
    landmarks : ndarray, shape (33, >= 2)
        x and y in 0..1 of the frame.

    Returns
    -------
    ndarray, shape (SIZE,)
        Shares of each part's colours, 1 in all.
    """
    height, width = rgb.shape[:2]
    points = _WEIGHTS @ landmarks[_JOINTS, :2]
    x = (points[:, 0] * width).astype(np.int64).clip(0, width - 1)
    y = (points[:, 1] * height).astype(np.int64).clip(0, height - 1)
    red, green, blue = (rgb[y, x] // (256 // _STEPS)).astype(np.int64).T
    bins = ((_PART * _STEPS + red) * _STEPS + green) * _STEPS + blue
    shares: Points = np.bincount(bins, _SHARE, SIZE).astype(np.float64, copy=False)
    return shares


def differences(profiles: Points, looks: Points) -> Points:
    """Return how different colours are, 0 the same to 1 nothing in common: Hellinger's, squared.

    Parameters
    ----------
    profiles, looks
        What `color_histogram` returned, or means of it: shapes (A, SIZE) and (B, SIZE).

    Returns
    -------
    ndarray, shape (A, B)
    """
    alike: Points = np.sqrt(profiles) @ np.sqrt(looks).T
    return 1.0 - alike
