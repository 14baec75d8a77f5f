"""What a body does in one frame, as numbers that do not depend on its size or place.

Angles are in degrees. Lengths are in parts of the leg, arm or trunk that they are measured on.
Of a joint's two estimates, the picture's is right when the limb moves across the picture and the
world landmarks' when it moves towards the camera; `side_on` (0 from in front, 1 from the side)
weighs them. On the rendered athlete the picture's angles are off by 3 degrees from the side, the
world's by 10 to 25 at deep flexion.

Plain floats and no arrays: for thirty points numpy's calls cost more than the arithmetic.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

Point = tuple[float, float, float]
Row = Sequence[float]

# x, y, z, visibility of BlazePose's landmark numbers.
_SHOULDER, _ELBOW, _WRIST = (11, 12), (13, 14), (15, 16)
_HIP, _KNEE, _ANKLE, _HEEL, _TOE = (23, 24), (25, 26), (27, 28), (29, 30), (31, 32)

NAMES: tuple[str, ...] = (
    "side_on",
    "trunk",
    "lean_back",
    "hip_line",
    "hip_height",
    "leg_incline",
    "knee",
    "knee_min",
    "knee_difference",
    "hip",
    "hinge",
    "feet_apart",
    "feet_split",
    "stance",
    "knees_out",
    "shin_tilt",
    "heel_lift",
    "elbow",
    "elbow_min",
    "elbow_difference",
    "arm_lift",
    "arm_lift_max",
    "wrist_up",
    "wrist_up_max",
    "wrist_low",
    "support",
    "stature",
    "shoulder_y",
    "hip_y",
    "wrist_y",
    "legs_seen",
    "arms_seen",
    "trunk_seen",
    "body_length",
)
INDEX: dict[str, int] = {name: number for number, name in enumerate(NAMES)}

# These are places in the frame, in its heights; only their changes mean something, in the trunk's
# lengths, and `History` makes them so: a trunk measured in one frame trembles too much.
PLACES = (INDEX["shoulder_y"], INDEX["hip_y"], INDEX["wrist_y"])

# How high the shoulders are over the feet, in the frame's heights; `History` makes it parts of what
# it is standing. Of someone who squats before the camera the network says that they stand upright
# and are further away, with straight knees: their shoulders come down in the picture all the same.
STATURE = INDEX["stature"]

# Depth of a landmark in the picture is the network's guess: on bicep_dataset_hist (bending back,
# seen from in front) it is 1.8 times what the same bend is from the side.
_DEPTH_TRUST = 0.55


# Nothing is measured on the first of BlazePose's points, and their places are not looked at.
FACE = 11
_NO_FACE: list[Point] = [(0.0, 0.0, 0.0)] * FACE


def measure(landmarks: Sequence[Row], world: Sequence[Row], aspect: float) -> list[float]:
    """Measure one person in one frame.

    Parameters
    ----------
    landmarks : 33 rows of x, y, z, visibility
        x and y in 0..1 of the frame, z on x's scale.
    world : 33 rows of x, y, z, visibility
        Metres from the middle of the hips.
    aspect : float
        Width of the frame over its height.

    Returns
    -------
    list of float
        One value for each of `NAMES`.
    """
    flat, solid, seen = _NO_FACE[:], _NO_FACE[:], [0.0] * FACE
    for x, y, z, visibility in landmarks[FACE:]:
        flat.append((x * aspect, y, z * aspect))
        seen.append(visibility)
    for x, y, z, _ in world[FACE:]:
        solid.append((x, y, z))

    shoulders, hips, ankles = _middle(flat, _SHOULDER), _middle(flat, _HIP), _middle(flat, _ANKLE)
    w_shoulders, w_hips = _middle(solid, _SHOULDER), _middle(solid, _HIP)
    aside = _unit2(
        *(
            solid[_SHOULDER[0]][axis]
            - solid[_SHOULDER[1]][axis]
            + solid[_HIP[0]][axis]
            - solid[_HIP[1]][axis]
            for axis in (0, 2)
        )
    )
    ahead = (aside[1], -aside[0])
    side_on = abs(ahead[0])

    trunk_flat = math.hypot(shoulders[0] - hips[0], shoulders[1] - hips[1])
    trunk_solid = max(math.dist(w_shoulders, w_hips), 1e-3)
    # Foreshortening shows in the picture only; the world landmarks tell by how much.
    across = math.hypot(w_shoulders[0] - w_hips[0], w_shoulders[1] - w_hips[1]) / trunk_solid
    body_length = max(trunk_flat / max(across, 0.35), 1e-3)

    arms = _weights(seen, _ELBOW, _WRIST)
    legs = _weights(seen, _KNEE, _ANKLE)

    def angle(a: int, b: int, c: int) -> float:
        in_picture = _angle2(flat[a], flat[b], flat[c])
        return side_on * in_picture + (1.0 - side_on) * _angle3(solid[a], solid[b], solid[c])

    knees = (
        angle(_HIP[0], _KNEE[0], _ANKLE[0]),
        angle(_HIP[1], _KNEE[1], _ANKLE[1]),
    )
    hip_angles = (
        angle(_SHOULDER[0], _HIP[0], _KNEE[0]),
        angle(_SHOULDER[1], _HIP[1], _KNEE[1]),
    )
    elbows = (
        _angle3(solid[_SHOULDER[0]], solid[_ELBOW[0]], solid[_WRIST[0]]),
        _angle3(solid[_SHOULDER[1]], solid[_ELBOW[1]], solid[_WRIST[1]]),
    )
    lifts = (
        _angle3(solid[_HIP[0]], solid[_SHOULDER[0]], solid[_ELBOW[0]]),
        _angle3(solid[_HIP[1]], solid[_SHOULDER[1]], solid[_ELBOW[1]]),
    )
    arm_lengths = tuple(
        max(
            math.dist(solid[_SHOULDER[side]], solid[_ELBOW[side]])
            + math.dist(solid[_ELBOW[side]], solid[_WRIST[side]]),
            1e-3,
        )
        for side in (0, 1)
    )
    leg_length = max(
        sum(
            math.dist(solid[_HIP[side]], solid[_KNEE[side]])
            + math.dist(solid[_KNEE[side]], solid[_ANKLE[side]])
            for side in (0, 1)
        )
        / 2.0,
        1e-3,
    )
    wrists_up = tuple(
        (solid[_SHOULDER[side]][1] - solid[_WRIST[side]][1]) / arm_lengths[side] for side in (0, 1)
    )
    left_ankle, right_ankle = solid[_ANKLE[0]], solid[_ANKLE[1]]
    between = (left_ankle[0] - right_ankle[0], left_ankle[2] - right_ankle[2])
    feet_apart = abs(between[0] * aside[0] + between[1] * aside[1]) / leg_length
    feet_split = abs(between[0] * ahead[0] + between[1] * ahead[1]) / leg_length
    w_ankle_y = max(left_ankle[1], right_ankle[1])
    leg_across = math.hypot(
        (left_ankle[0] + right_ankle[0]) / 2.0 - w_hips[0],
        (left_ankle[2] + right_ankle[2]) / 2.0 - w_hips[2],
    )
    ankle_drop = (left_ankle[1] + right_ankle[1]) / 2.0 - w_hips[1]
    shoulder_width = max(math.dist(solid[_SHOULDER[0]], solid[_SHOULDER[1]]), 1e-3)
    knee_gap = abs(_along(solid[_KNEE[0]], solid[_KNEE[1]], aside))
    hip_gap = abs(_along(solid[_HIP[0]], solid[_HIP[1]], aside))
    ankle_gap = abs(_along(left_ankle, right_ankle, aside))

    upright_flat = _from_up2(shoulders[0] - hips[0], shoulders[1] - hips[1])
    upright_solid = _from_up3(w_shoulders, w_hips)
    knee_both, hip_both = _blend(knees, legs), _blend(hip_angles, legs)
    elbow_both = _blend(elbows, arms)
    lift_both = _blend(lifts, arms)
    up_both = _blend(wrists_up, arms)
    wrists_y = _blend((flat[_WRIST[0]][1], flat[_WRIST[1]][1]), arms)
    return [
        side_on,
        side_on * upright_flat + (1.0 - side_on) * upright_solid,
        _lean_back(flat, shoulders, hips),
        _hip_line(shoulders, hips, ankles),
        (w_ankle_y - w_hips[1]) / leg_length,
        math.degrees(math.atan2(leg_across, ankle_drop)),
        knee_both,
        _least(knees, legs),
        knees[0] - knees[1],
        hip_both,
        knee_both - hip_both,
        feet_apart,
        feet_split,
        ankle_gap / shoulder_width,
        2.0 * knee_gap / max(hip_gap + ankle_gap, 0.05),
        _front_shin_tilt(flat, solid, ahead),
        _heel_lift(flat, seen),
        elbow_both,
        _least(elbows, arms),
        elbows[0] - elbows[1],
        lift_both,
        -_least((-lifts[0], -lifts[1]), arms),
        up_both,
        -_least((-wrists_up[0], -wrists_up[1]), arms),
        (_blend((solid[_WRIST[0]][1], solid[_WRIST[1]][1]), arms) - w_hips[1]) / leg_length,
        (wrists_y - shoulders[1]) / body_length,
        max(ankles[1] - shoulders[1], 0.5 * body_length),
        shoulders[1],
        hips[1],
        wrists_y,
        _most_seen(seen, _KNEE, _ANKLE),
        _most_seen(seen, _ELBOW, _WRIST),
        _most_seen(seen, _SHOULDER, _HIP),
        body_length,
    ]


def _middle(points: Sequence[Point], pair: tuple[int, int]) -> Point:
    a, b = points[pair[0]], points[pair[1]]
    return (a[0] + b[0]) / 2.0, (a[1] + b[1]) / 2.0, (a[2] + b[2]) / 2.0


def _unit2(x: float, y: float) -> tuple[float, float]:
    length = math.hypot(x, y)
    return (x / length, y / length) if length > 1e-6 else (1.0, 0.0)


def _along(a: Point, b: Point, direction: tuple[float, float]) -> float:
    """Return how far a is from b over the floor, in a direction."""
    return (a[0] - b[0]) * direction[0] + (a[2] - b[2]) * direction[1]


def _angle2(a: Point, b: Point, c: Point) -> float:
    ux, uy, vx, vy = a[0] - b[0], a[1] - b[1], c[0] - b[0], c[1] - b[1]
    return math.degrees(abs(math.atan2(ux * vy - uy * vx, ux * vx + uy * vy)))


def _angle3(a: Point, b: Point, c: Point) -> float:
    ux, uy, uz = a[0] - b[0], a[1] - b[1], a[2] - b[2]
    vx, vy, vz = c[0] - b[0], c[1] - b[1], c[2] - b[2]
    length = math.sqrt((ux * ux + uy * uy + uz * uz) * (vx * vx + vy * vy + vz * vz))
    if length < 1e-9:
        return 180.0
    return math.degrees(math.acos(max(-1.0, min(1.0, (ux * vx + uy * vy + uz * vz) / length))))


def _from_up2(x: float, y: float) -> float:
    return math.degrees(math.atan2(abs(x), -y))


def _from_up3(top: Point, bottom: Point) -> float:
    flat = math.hypot(top[0] - bottom[0], top[2] - bottom[2])
    return math.degrees(math.atan2(flat, bottom[1] - top[1]))


def _weights(
    seen: Sequence[float], upper: tuple[int, int], lower: tuple[int, int]
) -> tuple[float, float]:
    """Weigh the left and the right limb by how well each is seen; the sum is 1."""
    left, right = (max(seen[upper[side]] * seen[lower[side]], 0.01) ** 2 for side in (0, 1))
    return left / (left + right), right / (left + right)


def _blend(values: Sequence[float], weights: tuple[float, float]) -> float:
    return values[0] * weights[0] + values[1] * weights[1]


def _least(values: Sequence[float], weights: tuple[float, float]) -> float:
    """Return the lesser of two, drawn to the other as far as its limb is hidden."""
    low = 0 if values[0] <= values[1] else 1
    trust = min(1.0, 2.5 * weights[low])
    return trust * values[low] + (1.0 - trust) * values[1 - low]


def _most_seen(seen: Sequence[float], upper: tuple[int, int], lower: tuple[int, int]) -> float:
    return max(min(seen[upper[side]], seen[lower[side]]) for side in (0, 1))


def _lean_back(flat: Sequence[Point], shoulders: Point, hips: Point) -> float:
    """Return how far the trunk leans backwards, whichever way the person faces."""
    x, z = _unit2(
        *(
            flat[_SHOULDER[0]][axis]
            - flat[_SHOULDER[1]][axis]
            + flat[_HIP[0]][axis]
            - flat[_HIP[1]][axis]
            for axis in (0, 2)
        )
    )
    forward = (shoulders[0] - hips[0]) * z - _DEPTH_TRUST * (shoulders[2] - hips[2]) * x
    return math.degrees(math.atan2(-forward, hips[1] - shoulders[1]))


def _hip_line(shoulders: Point, hips: Point, ankles: Point) -> float:
    """Return how far the hips are above the line from shoulders to ankles, in its lengths."""
    x, y = ankles[0] - shoulders[0], ankles[1] - shoulders[1]
    length2 = x * x + y * y
    if length2 < 1e-9:
        return 0.0
    part = ((hips[0] - shoulders[0]) * x + (hips[1] - shoulders[1]) * y) / length2
    return (shoulders[1] + part * y - hips[1]) / math.sqrt(length2)


def _front_shin_tilt(
    flat: Sequence[Point], solid: Sequence[Point], ahead: tuple[float, float]
) -> float:
    """Return how far the shin of the leg in front leans forward."""
    front = 0 if _along(solid[_ANKLE[0]], solid[_ANKLE[1]], ahead) > 0 else 1
    knee, ankle = flat[_KNEE[front]], flat[_ANKLE[front]]
    forward = (knee[0] - ankle[0]) * ahead[0] + _DEPTH_TRUST * (knee[2] - ankle[2]) * ahead[1]
    return math.degrees(math.atan2(forward, ankle[1] - knee[1]))


def _heel_lift(flat: Sequence[Point], seen: Sequence[float]) -> float:
    """Return how far the better seen foot's heel is above its toes, in lengths of the shin."""
    side = 0 if seen[_HEEL[0]] + seen[_TOE[0]] >= seen[_HEEL[1]] + seen[_TOE[1]] else 1
    shin = math.dist(flat[_KNEE[side]][:2], flat[_ANKLE[side]][:2])
    return (flat[_TOE[side]][1] - flat[_HEEL[side]][1]) / max(shin, 1e-3)
