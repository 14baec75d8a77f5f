"""How a body moves, in many signals at once: angles, heights and distances.

Which of them an exercise shows best is not known beforehand, so there are some of each joint and of
each way to look at it: in the picture (``_2d``), which is right for what moves across it, and in
BlazePose's world landmarks (``_3d``), which are right for what moves towards the camera.

Angles are in degrees. Heights and distances are in lengths of the trunk: a height in the picture is
over its lower edge, so only its changes mean something.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from analyzers.pose.landmarks import INDEX

Floats = NDArray[np.float64]

SIDES = ("left", "right")
# Each joint's angle is that at the middle one of three landmarks.
_JOINTS = {
    "elbow": ("shoulder", "elbow", "wrist"),
    "shoulder": ("hip", "shoulder", "elbow"),
    "hip": ("shoulder", "hip", "knee"),
    "knee": ("hip", "knee", "ankle"),
}
JOINTS: tuple[str, ...] = tuple(f"{side}_{joint}" for joint, side in product(_JOINTS, SIDES))
"""The joints whose angles are compared, left and right in turn, as faults call them."""
ANGLES: tuple[str, ...] = (*JOINTS, "trunk")
"""What a way is made of: the joints, and how far the trunk is from upright."""
TRUNK = len(JOINTS)
_TRIPLES = np.array(
    [[INDEX[f"{side}_{part}"] for part in parts] for parts in _JOINTS.values() for side in SIDES]
)
_DIMENSIONS = ("2d", "3d")

# Heights over the picture's lower edge, and over another part of the body; distances.
_HIGH = ("nose", "shoulders", "hips", "knees", "wrists", "left_wrist", "right_wrist")
_OVER = (
    ("wrists", "shoulders"),
    ("left_wrist", "left_shoulder"),
    ("right_wrist", "right_shoulder"),
    ("shoulders", "ankles"),
    ("hips", "ankles"),
    ("shoulders", "hips"),
)
_APART = (
    ("left_wrist", "right_wrist"),
    ("left_ankle", "right_ankle"),
    ("left_knee", "right_knee"),
    ("wrists", "ankles"),
)

# What a signal trembles by while nobody moves: in the picture a few degrees, in depth more.
_TREMBLE_DEG = {"2d": 6.0, "3d": 9.0}
_TREMBLE_LENGTH = {"2d": 0.05, "3d": 0.08}
# From the side the picture's angles are the better ones, and from this far on they say something.
_OBLIQUE = 0.7
# Trembling of one frame goes; half a second of a jumping jack stays.
_SMOOTHING_S = 0.06
# How fast the trunk's length is followed: it seems shorter for as long as somebody bends forward.
_LENGTH_S = 4.0
# A trunk that is turned towards the camera is not shorter than this part of what it is.
_MOST_FORESHORTENED = 0.35
# What lies at the trunk's length in the frame's heights at least: a person of an eighth of it.
_LEAST_LENGTH = 0.03


@dataclass(frozen=True, slots=True)
class Signal:
    """One way to look at a movement.

    Attributes
    ----------
    name : str
        As in definitions.
    tremble : float
        What it changes by while nobody moves, in its unit.
    landmarks : tuple of int
        What it is measured on.
    """

    name: str
    tremble: float
    landmarks: tuple[int, ...]


def _part(name: str) -> tuple[int, ...]:
    """Landmarks of a part of the body: one, or those of both sides."""
    if name in INDEX:
        return (INDEX[name],)
    return tuple(INDEX[f"{side}_{name.removesuffix('s')}"] for side in SIDES)


def _signals() -> list[Signal]:
    angles = [
        Signal(f"{name}_{dimension}", _TREMBLE_DEG[dimension], tuple(triple))
        for dimension in _DIMENSIONS
        for name, triple in zip(JOINTS, _TRIPLES.tolist(), strict=True)
    ]
    both = [
        Signal(
            f"{joint}s_{dimension}",
            _TREMBLE_DEG[dimension],
            tuple(_TRIPLES[2 * number : 2 * number + 2].ravel().tolist()),
        )
        for dimension in _DIMENSIONS
        for number, joint in enumerate(_JOINTS)
    ]
    trunk = (*_part("shoulders"), *_part("hips"))
    leaning = [Signal(f"trunk_{each}", _TREMBLE_DEG[each], trunk) for each in _DIMENSIONS]
    high = [Signal(f"{part}_high", _TREMBLE_LENGTH["2d"], _part(part)) for part in _HIGH]
    lengths = [
        Signal(f"{one}_{word}_{other}_{each}", _TREMBLE_LENGTH[each], _part(one) + _part(other))
        for each in _DIMENSIONS
        for word, pairs in (("over", _OVER), ("from", _APART))
        for one, other in pairs
    ]
    return angles + both + leaning + high + lengths


SIGNALS: tuple[Signal, ...] = tuple(_signals())
NUMBER: dict[str, int] = {signal.name: number for number, signal in enumerate(SIGNALS)}
TREMBLE: Floats = np.array([signal.tremble for signal in SIGNALS])

_PLACES = {name: number for number, name in enumerate((*_HIGH, "ankles", *INDEX))}
_HIGH_AT = [_PLACES[name] for name in _HIGH]
_OVER_AT = tuple(np.array([_PLACES[pair[end]] for pair in _OVER]) for end in (0, 1))
_APART_AT = tuple(np.array([_PLACES[pair[end]] for pair in _APART]) for end in (0, 1))
_MEMBERS = np.array([(_part(name) * 2)[:2] for name in _PLACES])
_SHOULDERS, _HIPS = list(_part("shoulders")), list(_part("hips"))
_PAIRS = (_SHOULDERS, _HIPS)
_TRIPLES_AT = _TRIPLES.T
_IN_PICTURE = (1.0, 1.0, 0.0)
_DEGREES = 180.0 / math.pi
_SEEN_AT = np.array([(each.landmarks * 6)[:6] for each in SIGNALS])


@dataclass(frozen=True, slots=True)
class Moment:
    """One frame's motion.

    Attributes
    ----------
    values : ndarray, shape (len(SIGNALS),)
        Each signal, smoothed.
    angles_deg : ndarray, shape (len(ANGLES),)
        Each joint's angle and the trunk's from upright, of both estimates the one that the camera's
        side makes the better one.
    seen : ndarray, shape (33,)
        Each landmark's visibility, 0 to 1.
    """

    values: Floats
    angles_deg: Floats
    seen: Floats


class Motion:
    """Measures one person's motion frame by frame."""

    def __init__(self) -> None:
        self._before: tuple[float, Floats] | None = None
        self._length = 0.0

    def measure(
        self,
        landmarks: Sequence[Sequence[float]],
        world: Sequence[Sequence[float]],
        time_s: float,
        aspect: float,
    ) -> Moment:
        """Measure the next frame.

        Parameters
        ----------
        landmarks, world : 33 rows of x, y, z, visibility
            In 0..1 of the frame, and in metres from the middle of the hips.
        time_s : float
            Seconds since the session's first frame; later than the one before.
        aspect : float
            Width of the frame over its height.
        """
        flat, solid = np.array(landmarks), np.array(world)
        seen = flat[:, 3].copy()
        points = np.stack((flat[:, :3] * (aspect, 1.0, aspect), solid[:, :3]))
        gap_s = math.inf
        if self._before is not None:
            gap_s = max(time_s - self._before[0], 0.0)
            points = self._before[1] + (1.0 - math.exp(-gap_s / _SMOOTHING_S)) * (
                points - self._before[1]
            )
        self._before = time_s, points
        length = self._trunk_length(points, gap_s)
        return _moment(points, seen, length)

    def _trunk_length(self, points: Floats, gap_s: float) -> Floats:
        """Return the trunk's length in the picture, in its heights, and in the world, metres."""
        trunks = points[:, _SHOULDERS].mean(axis=1) - points[:, _HIPS].mean(axis=1)
        in_world = max(float(np.linalg.norm(trunks[1])), 1e-3)
        across = float(np.linalg.norm(trunks[1, :2])) / in_world
        now = float(np.linalg.norm(trunks[0, :2])) / max(across, _MOST_FORESHORTENED)
        weight = 1.0 - math.exp(-gap_s / _LENGTH_S)
        self._length += weight * (now - self._length)
        return np.array((max(self._length, _LEAST_LENGTH), in_world))


def _moment(points: Floats, seen: Floats, length: Floats) -> Moment:
    flat, solid = points
    angles = _angles_deg(np.stack((flat * _IN_PICTURE, solid)))
    weights = seen[_TRIPLES].min(axis=1).clip(0.05).reshape(-1, 2)
    both = (angles.reshape(2, -1, 2) * weights).sum(axis=2) / weights.sum(axis=1)
    trunks = points[:, _SHOULDERS].mean(axis=1) - points[:, _HIPS].mean(axis=1)
    leaning = (
        math.degrees(math.atan2(abs(trunks[0, 0]), -trunks[0, 1])),
        math.degrees(math.atan2(math.hypot(trunks[1, 0], trunks[1, 2]), -trunks[1, 1])),
    )
    places = points[:, _MEMBERS].mean(axis=2) / length[:, None, None]
    over = places[:, _OVER_AT[1], 1] - places[:, _OVER_AT[0], 1]
    apart = places[:, _APART_AT[0]] - places[:, _APART_AT[1]]
    apart_flat, apart_solid = (
        np.hypot(apart[0, :, 0], apart[0, :, 1]),
        np.linalg.norm(apart[1], axis=1),
    )
    values = np.concatenate(
        (
            angles.ravel(), both.ravel(), leaning, -places[0, _HIGH_AT, 1],
            over[0], apart_flat, over[1], apart_solid,
        )
    )  # fmt: skip
    side_on = _side_on(solid)
    both_ways = np.concatenate((angles, np.array(leaning)[:, None]), axis=1)
    best: Floats = side_on * both_ways[0] + (1.0 - side_on) * both_ways[1]
    return Moment(values, best, seen)


def best_angles_deg(landmarks: Floats, world: Floats) -> Floats:
    """Return joints' angles in each of N frames, (N, len(JOINTS)).

    Parameters
    ----------
    landmarks, world : ndarray, shape (N, 33, 3 or more)
        Places in heights of the frame, and in metres; what belongs to no joint may be anything.
    """
    solid = world[..., :3]
    flat = landmarks[..., :3] * _IN_PICTURE
    left, right, left_hip, right_hip = (solid[:, place, ::2] for place in _SHOULDERS + _HIPS)
    aside, depth = (left - right + left_hip - right_hip).T
    side_on = np.abs(depth) / np.maximum(np.hypot(aside, depth), 1e-6)
    # An oblique view already shortens a limb that moves to and fro by too much.
    flat_on = ((side_on - _OBLIQUE) / (1.0 - _OBLIQUE)).clip(0.0, 1.0)[:, None]
    angles: Floats = flat_on * _angles_deg(flat) + (1.0 - flat_on) * _angles_deg(solid)
    return angles


def visibility(seen: Floats) -> Floats:
    """Return how well each signal's landmarks are seen, the worst of each, shape (..., signals)."""
    worst: Floats = seen[..., _SEEN_AT].min(axis=-1)
    return worst


def angles_seen(seen: Floats) -> Floats:
    """Return how well each of `ANGLES` is seen, the worst of its landmarks, shape (..., angles)."""
    joints = seen[..., _TRIPLES].min(axis=-1)
    trunk = seen[..., _SHOULDERS + _HIPS].min(axis=-1, keepdims=True)
    worst: Floats = np.concatenate((joints, trunk), axis=-1)
    return worst


def _angles_deg(points: Floats) -> Floats:
    """Return each joint's angle, shape (N, joints), of points, shape (N, 33, 3).

    The picture's, with a depth of 0, and the world's at once where it is one frame: for as few
    numbers as these a call costs more than what it computes.
    """
    ends = points[:, _TRIPLES_AT]
    one, other = ends[:, 0] - ends[:, 1], ends[:, 2] - ends[:, 1]
    lengths = np.sqrt(_dot(one, one) * _dot(other, other))
    cosines = _dot(one, other) / np.maximum(lengths, 1e-9)
    angles: Floats = np.arccos(np.minimum(np.maximum(cosines, -1.0), 1.0)) * _DEGREES
    return angles


def _dot(one: Floats, other: Floats) -> Floats:
    products: Floats = np.einsum("...i,...i->...", one, other)
    return products


def _side_on(solid: Floats) -> float:
    """Return 0 for a body seen from in front, 1 for one from the side."""
    (left, right), (left_hip, right_hip) = (solid[pair, ::2].tolist() for pair in _PAIRS)
    aside, depth = (left[at] - right[at] + left_hip[at] - right_hip[at] for at in (0, 1))
    return float(abs(depth) / max(math.hypot(aside, depth), 1e-6))
