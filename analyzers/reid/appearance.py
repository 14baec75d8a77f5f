"""Describes people without weights of a re-identification network: by the colours they wear.

What landmarks are there straighten the person out, so that each height of the body lies at one
height of the picture however they stand, bend or lie; without landmarks the box is taken as it is.
The light is evened out, and each of twelve heights gets a histogram of its colours.

A constant that names bench/reid.py was chosen there, on CUHK03's crops, among a handful; figures
are in docs/accuracy.md.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from analyzers.networks.boxes import Box, cut
from analyzers.pose.landmarks import INDEX
from analyzers.reid.embedding import Embedding

# A change of the descriptor changes its name: what was made before can not be compared any more.
NAME = "appearance-1"

# The straightened person, pixels.
_WIDTH, _HEIGHT = 64, 128

# Where joints are in the height of a box around someone who stands, 0 at its top: Drillis and
# Contini's proportions of the body (1966; shoulders at 0.818 of the stature, hips 0.530, knees
# 0.285, ankles 0.039), and a margin of 4 % above and below. A straightened person then has their
# heights where a box that is taken as it is has them.
_SHOULDERS, _HIPS, _KNEES, _ANKLES = (
    (0.04 + 0.92 * (1.0 - stature)) * _HEIGHT for stature in (0.818, 0.530, 0.285, 0.039)
)

# Shades of grey (Finlayson and Trezzi, 2004): the light's colour is the Minkowski mean. It is taken
# over all of the box, since what is around a person stands in the same light. Then its mean is set
# to a grey in the middle. On bench/reid.py better than grey world and Retinex.
_MINKOWSKI = 3
_GREY = 132.0

# How far from the middle line colours count, pixels: a Gaussian's deviation. bench/reid.py.
_SPREAD = 13.0

# Heights, and steps of red, green and blue. bench/reid.py.
_STRIPES = 12
_STEPS = 12

# Histograms of 12 x 12^3 bins, nearly all empty, are folded into this many values with signs at
# random, which keeps angles to some 0.02 (feature hashing: Weinberger et al., 2009).
SIZE = 2048
_SEED = 2009

# Chosen by bench/reid.py, which says how: 31 % of strangers are accepted at it, and 33 % of right
# persons refused.
_THRESHOLD = 0.29

# A torso of fewer pixels is seen along its axis, or not at all.
_MIN_TORSO_PX = 8.0
_MIN_VISIBILITY = 0.5

Points = NDArray[np.float64]


class Appearance:
    """Describes people by the colours of their bodies' heights."""

    name = NAME
    size = SIZE
    threshold = _THRESHOLD
    is_fallback = True

    def __init__(self) -> None:
        random = np.random.default_rng(_SEED)
        bins = _STRIPES * _STEPS**3
        self._targets = random.integers(0, SIZE, bins)
        self._signs = random.choice(np.array([-1.0, 1.0]), bins)
        columns = np.arange(_WIDTH) - (_WIDTH - 1) / 2
        self._weights = np.tile(np.exp(-((columns / _SPREAD) ** 2) / 2), (_HEIGHT, 1))
        self._stripes = np.repeat(np.arange(_HEIGHT) * _STRIPES // _HEIGHT, _WIDTH)

    def describe(self, rgb: NDArray[np.uint8], box: Box, landmarks: Points | None) -> Embedding:
        """Describe one person.

        Parameters
        ----------
        rgb : ndarray, shape (H, W, 3), uint8
            The frame.
        box
            Where they are; what is outside the frame is left out.
        landmarks : ndarray, shape (33, 3), optional
            x and y in pixels of the frame, visibility 0..1.

        Raises
        ------
        ValueError
            When there are no landmarks, and nothing of the box is in the frame.
        """
        straight = None if landmarks is None else straighten(rgb, landmarks)
        if straight is None:
            straight = _resized(cut(rgb, _widened(box)))
        return Embedding(NAME, self._fold(self._histograms(straight * light_gains(straight))))

    def _histograms(self, picture: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the square roots of each stripe's shares: their product is Bhattacharyya's."""
        steps = np.minimum((picture * (_STEPS / 256)).astype(np.int64), _STEPS - 1)
        red, green, blue = steps.reshape(-1, 3).T
        bins = ((self._stripes * _STEPS + red) * _STEPS + green) * _STEPS + blue
        counts = np.bincount(bins, self._weights.ravel(), _STRIPES * _STEPS**3)
        counts = counts.reshape(_STRIPES, -1)
        roots: NDArray[np.float64] = np.sqrt(counts / counts.sum(axis=1, keepdims=True))
        return roots.ravel()

    def _fold(self, histograms: NDArray[np.float64]) -> NDArray[np.float32]:
        there = np.flatnonzero(histograms)
        values = self._signs[there] * histograms[there]
        return np.bincount(self._targets[there], values, SIZE).astype(np.float32)


def light_gains(rgb: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return what to multiply red, green and blue by, shape (3,), to even the light out."""
    power = np.arange(256, dtype=np.float64) ** _MINKOWSKI
    colour = power[rgb.reshape(-1, 3)].mean(axis=0) ** (1 / _MINKOWSKI)
    gains: NDArray[np.float64] = _GREY / np.maximum(colour, 1.0)
    return gains


def _widened(box: Box) -> Box:
    """Return a box of the picture's proportions: some are tighter around the arms than others."""
    x, half = box.middle[0], max(box.width, box.height * _WIDTH / _HEIGHT) / 2
    return Box(x - half, box.y0, x + half, box.y1, box.score)


def _resized(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    resized = cv2.resize(rgb, (_WIDTH, _HEIGHT), interpolation=cv2.INTER_LINEAR)
    return resized.astype(np.uint8, copy=False)


def straighten(rgb: NDArray[np.uint8], landmarks: Points) -> NDArray[np.uint8] | None:
    """Show a person as if they stood upright, arms and all, legs below the hips.

    Rows follow the line from the shoulders to the hips and then each leg's,
    half a picture each; columns are at right angles to it, in the same scale.

    Parameters
    ----------
    rgb : ndarray, shape (H, W, 3), uint8
        The frame.
    landmarks : ndarray, shape (33, 3)
        x and y in pixels, visibility 0..1.

    Returns
    -------
    ndarray, shape (128, 64, 3), uint8, or None
        None when the torso can not be seen.
    """
    shoulders, hips, knees, ankles = (
        landmarks[[INDEX[f"left_{joint}"], INDEX[f"right_{joint}"]]]
        for joint in ("shoulder", "hip", "knee", "ankle")
    )
    if min(shoulders[:, 2].min(), hips[:, 2].min()) < _MIN_VISIBILITY:
        return None
    shoulder, hip = shoulders[:, :2].mean(axis=0), hips[:, :2].mean(axis=0)
    torso_px = float(np.linalg.norm(hip - shoulder))
    if torso_px < _MIN_TORSO_PX:
        return None
    scale = torso_px / (_HIPS - _SHOULDERS)
    down = (hip - shoulder) / torso_px
    aside = _perpendicular(down)
    columns = (np.arange(_WIDTH, dtype=np.float64) - (_WIDTH - 1) / 2) * scale
    rows = np.arange(_HEIGHT, dtype=np.float64)

    where = np.empty((_HEIGHT, _WIDTH, 2))
    middle = shoulder + np.outer(rows - _SHOULDERS, scale * down)
    where[:] = middle[:, None] + columns[None, :, None] * aside

    below, half = rows >= _HIPS, _WIDTH // 2
    # Whose leg is where in the picture follows from the hips, not from left and right.
    order = np.argsort((hips[:, :2] - hip) @ aside)
    for leg, part in zip(order, (slice(None, half), slice(half, None)), strict=True):
        joints = np.array([hips[leg, :2], knees[leg, :2], ankles[leg, :2]])
        own_columns = columns[part] - float((joints[0] - hip) @ aside)
        where[below, part] = _along_leg(joints, rows[below], own_columns, down)
    x, y = where[..., 0].astype(np.float32), where[..., 1].astype(np.float32)
    straight = cv2.remap(rgb, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return straight.astype(np.uint8, copy=False)


def _along_leg(joints: Points, rows: Points, columns: Points, down: Points) -> Points:
    """Return the places around a leg, shape (rows, columns, 2); beyond the ankle it goes on."""
    hip, knee, ankle = joints
    on_thigh = (rows < _KNEES)[:, None]
    part = np.where(
        on_thigh,
        ((rows - _HIPS) / (_KNEES - _HIPS))[:, None],
        ((rows - _KNEES) / (_ANKLES - _KNEES))[:, None],
    )
    thigh, shin = knee - hip, ankle - knee
    middle = np.where(on_thigh, hip + part * thigh, knee + part * shin)
    aside = np.where(
        on_thigh, _perpendicular(_unit(thigh, down)), _perpendicular(_unit(shin, down))
    )
    where: Points = middle[:, None] + columns[None, :, None] * aside[:, None]
    return where


def _unit(direction: Points, otherwise: Points) -> Points:
    length = float(np.linalg.norm(direction))
    return direction / length if length > 1.0 else otherwise


def _perpendicular(down: Points) -> Points:
    """Return the direction to the right of someone who is seen upright when `down` is down."""
    return np.array([down[1], -down[0]])
