"""The rendered athlete's skeleton, for many moments at once: fifteen of BlazePose's points.

Bones and their proportions are those of client_test/athlete/skeleton.py. There one pose at a time
is solved, for pictures; here arrays over time (T, ...), for thousands of sequences. A person's own
frame has x to their left, y up and z to their front; metres, radians.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from client_test.athlete import skeleton as athlete

Array = NDArray[np.float64]
Random = np.random.Generator

SIDES = (1.0, -1.0)
NOSE, SHOULDERS, ELBOWS, WRISTS, HIPS, KNEES, ANKLES, TOES = 0, 1, 3, 5, 7, 9, 11, 13
COUNT = 15
# Each bone as (root, end), in the order in which limbs are put together.
BONES = tuple(
    (chain[0] + side, chain[1] + side)
    for chain in (
        (SHOULDERS, ELBOWS),
        (ELBOWS, WRISTS),
        (HIPS, KNEES),
        (KNEES, ANKLES),
        (ANKLES, TOES),
    )
    for side in (0, 1)
)
_TRUNK = athlete.LUMBAR + athlete.THORAX - athlete.SHOULDER_DROP
_FOOT = athlete.BALL[2] + athlete.BALL_TO_TOE
_VARIES = 0.06


@dataclass(frozen=True, slots=True)
class Build:
    """Lengths of one person's bones, metres."""

    height: float
    upper: float
    fore: float
    thigh: float
    shank: float
    ankle: float
    trunk: float
    half_hips: float
    half_shoulders: float
    nose: float
    foot: float

    @property
    def arm(self) -> float:
        return self.upper + self.fore

    @property
    def leg(self) -> float:
        return self.thigh + self.shank


def some_build(rng: Random) -> Build:
    """Return somebody: the athlete's fractions of stature, each a little off."""
    height = float(np.clip(rng.normal(1.70, 0.11), 1.3, 2.05))
    fractions = (
        athlete.UPPER_ARM,
        athlete.FOREARM,
        athlete.THIGH,
        athlete.SHANK,
        athlete.ANKLE_HEIGHT,
        _TRUNK,
        athlete.HALF_HIPS,
        athlete.HALF_SHOULDERS,
        athlete.NECK_BASE + athlete.NECK_TO_HEAD[1],
        _FOOT,
    )
    return Build(height, *(height * each * float(rng.normal(1.0, _VARIES)) for each in fractions))


def unit(vectors: Array) -> Array:
    """Return vectors of length 1."""
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    scaled: Array = vectors / np.maximum(length, 1e-9)
    return scaled


def vec(x: object, y: object, z: object) -> Array:
    """Return (..., 3) from three numbers or arrays."""
    return np.stack(np.broadcast_arrays(*(np.asarray(each, float) for each in (x, y, z))), -1)


def ease(part: object) -> Array:
    """Perlin's smoother step, at rest at both ends."""
    x = np.clip(np.asarray(part, float), 0.0, 1.0)
    return x * x * x * (x * (x * 6.0 - 15.0) + 10.0)


def mix(a: Array, b: Array, part: object) -> Array:
    """Straight from a (0) to b (1)."""
    return a + (b - a) * np.asarray(part, float)[..., None]


def wandering(rng: Random, count: int, shape: tuple[int, ...], period: float) -> Array:
    """Return smooth random curves of unit spread, (count, *shape); `period` is in frames."""
    knots = rng.normal(size=(int(count / period) + 4, *shape))
    at = np.arange(count) / period + rng.uniform(0.0, 1.0)
    low = at.astype(int)
    part = ease(at - low).reshape(-1, *(1 for _ in shape))
    curves: Array = knots[low] * (1.0 - part) + knots[low + 1] * part
    return curves


def bent(pitch: Array, roll: Array | float = 0.0, yaw: Array | float = 0.0) -> Array:
    """Return rotations (T, 3, 3): forward by `pitch`, to the left by `roll`, turned by `yaw`."""
    pitch, roll, yaw = np.broadcast_arrays(
        *(np.atleast_1d(np.asarray(each, float)) for each in (pitch, roll, yaw))
    )
    one, zero = np.ones_like(pitch), np.zeros_like(pitch)

    def matrix(*rows: tuple[Array, Array, Array]) -> Array:
        return np.stack([np.stack(row, -1) for row in rows], -2)

    c, s = np.cos(pitch), np.sin(pitch)
    forward = matrix((one, zero, zero), (zero, c, -s), (zero, s, c))
    c, s = np.cos(roll), np.sin(roll)
    aside = matrix((c, s, zero), (-s, c, zero), (zero, zero, one))
    c, s = np.cos(yaw), np.sin(yaw)
    around = matrix((c, zero, s), (zero, one, zero), (-s, zero, c))
    turned: Array = around @ aside @ forward
    return turned


def turn(rotations: Array, vectors: object) -> Array:
    """Return the vectors (3,) or (T, 3), turned."""
    points = np.broadcast_to(np.asarray(vectors, float), (len(rotations), 3))
    return np.einsum("tij,tj->ti", rotations, points)


def linkage(
    root: Array, end: Array, first: float, second: float, pole: Array
) -> tuple[Array, Array]:
    """Return the middle joint and the end of a two-bone limb, as far as it reaches."""
    way = end - root
    distance = np.linalg.norm(way, axis=-1, keepdims=True)
    along = way / np.maximum(distance, 1e-6)
    distance = np.clip(distance, abs(first - second) + 1e-3, 0.9995 * (first + second))
    foot = (first**2 - second**2 + distance**2) / (2.0 * distance)
    height = np.sqrt(np.maximum(first**2 - foot**2, 0.0))
    across = unit(pole - (pole * along).sum(-1, keepdims=True) * along)
    return root + along * foot + across * height, root + along * distance


@dataclass(slots=True)
class Arm:
    """One arm: directions in the chest's frame, or a wrist's place and where the elbow points."""

    upper: Array
    fore: Array
    wrist: Array | None = None
    elbow_towards: Array | None = None


class Figure:
    """A body over `count` moments, to be posed; to begin with it stands with its arms hanging."""

    def __init__(self, rng: Random, build: Build, count: int) -> None:
        self.rng, self.build, self.count = rng, build, count
        still = np.zeros(count)
        half = rng.uniform(0.035, 0.12) * build.height
        aside = half - build.half_hips
        stands = build.ankle + np.sqrt(max((0.995 * build.leg) ** 2 - aside**2, 0.01))
        self.pelvis = vec(still, stands, 0.0)
        self.pelvis_pitch = still.copy()
        self.chest_pitch = np.full(count, rng.normal(0.04, 0.05))
        self.chest_roll, self.chest_yaw = still.copy(), still.copy()
        self.head_pitch: Array | None = None
        self.ankles = [vec(still + sign * half, build.ankle, 0.0) for sign in SIDES]
        out = rng.uniform(0.0, 0.4)
        self.knees_towards = [vec(still + sign * out, 0.05, 1.0) for sign in SIDES]
        self.feet = [vec(still + sign * out, -0.25, 1.0) for sign in SIDES]
        hanging = [
            unit(vec(still + sign * rng.uniform(0.08, 0.25), -1.0, rng.normal(0.03, 0.06)))
            for sign in SIDES
        ]
        bend = rng.uniform(0.05, 0.3)
        self.arms = [Arm(way, unit(way + vec(0.0, 0.0, bend))) for way in hanging]

    def reach(self, side: int, wrist: Array, elbow_towards: Array) -> None:
        """Put a wrist somewhere in the person's frame."""
        self.arms[side].wrist, self.arms[side].elbow_towards = wrist, elbow_towards

    def point_arm(self, side: int, upper: Array, fore: Array) -> None:
        """Point an arm's bones in directions of the chest's frame."""
        ways = (np.broadcast_to(unit(each), (self.count, 3)) for each in (upper, fore))
        self.arms[side] = Arm(*ways)

    def chest(self) -> Array:
        """Return the chest's rotations."""
        return bent(self.chest_pitch, self.chest_roll, self.chest_yaw)

    def neck(self) -> Array:
        """Return where the shoulders' middle is."""
        trunk = self.build.trunk
        lumbar = turn(bent(self.pelvis_pitch), (0.0, 0.36 * trunk, 0.0))
        return self.pelvis + lumbar + turn(self.chest(), (0.0, 0.64 * trunk, 0.0))

    def joints(self) -> Array:
        """Return the fifteen points, (T, 15, 3)."""
        build, chest, neck = self.build, self.chest(), self.neck()
        pelvis = bent(self.pelvis_pitch)
        out = np.zeros((self.count, COUNT, 3))
        pitch = 0.6 * self.chest_pitch if self.head_pitch is None else self.head_pitch
        out[:, NOSE] = neck + turn(
            bent(pitch, 0.5 * self.chest_roll, self.chest_yaw),
            (0.0, 0.85 * build.nose, 0.7 * build.nose),
        )
        for side, sign in enumerate(SIDES):
            arm = self.arms[side]
            if arm.wrist is None:
                raised = np.clip((arm.upper[:, 1] + 0.35) / 1.35, 0.0, 1.0)
            else:
                above = turn(np.swapaxes(chest, 1, 2), arm.wrist - neck)[:, 1]
                raised = np.clip(above / build.arm + 0.25, 0.0, 1.0)
            # A shoulder rises, and comes inwards, with the arm.
            place = vec(
                sign * (build.half_shoulders - 0.020 * build.height * raised),
                0.046 * build.height * raised,
                0.0,
            )
            shoulder = neck + turn(chest, place)
            if arm.wrist is None or arm.elbow_towards is None:
                elbow = shoulder + turn(chest, arm.upper) * build.upper
                wrist = elbow + turn(chest, arm.fore) * build.fore
            else:
                elbow, wrist = linkage(
                    shoulder, arm.wrist, build.upper, build.fore, arm.elbow_towards
                )
            hip = self.pelvis + turn(pelvis, (sign * build.half_hips, 0.0, 0.0))
            knee, ankle = linkage(
                hip, self.ankles[side], build.thigh, build.shank, self.knees_towards[side]
            )
            toe = ankle + unit(self.feet[side]) * build.foot
            limbs = zip(
                (SHOULDERS, ELBOWS, WRISTS, HIPS, KNEES, ANKLES, TOES),
                (shoulder, elbow, wrist, hip, knee, ankle, toe),
                strict=True,
            )
            for first, point in limbs:
                out[:, first + side] = point
        return out


def as_long_as(points: Array, like: Array) -> Array:
    """Return points whose limbs are as long as those of another moment, (15, 3).

    Halfway between two postures limbs that turn are too short.
    """
    out = points.copy()
    for root, end in BONES:
        length = np.linalg.norm(like[end] - like[root])
        out[:, end] = out[:, root] + unit(points[:, end] - points[:, root]) * length
    return out
