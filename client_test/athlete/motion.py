"""What exercises are made of: standing, reaching, going from one pose to another."""

import math
from dataclasses import replace

import numpy as np

from .geometry import (
    Rotation,
    Vector,
    between,
    ease,
    middle_joint,
    mix,
    nearest_rotation,
    radians,
    rotation_x,
    rotation_y,
    rotation_z,
    unit,
    vector,
)
from .people import Person
from .skeleton import (
    ANKLE_HEIGHT,
    FOREARM,
    HALF_HIPS,
    LEFT,
    RIGHT,
    SHANK,
    SOLE_UNDER_BALL,
    THIGH,
    UPPER_ARM,
    Arm,
    Leg,
    Pose,
    shoulder_in_chest,
)

# Where the ankles are behind the middle of the body, as a fraction of stature.
ANKLE_BEHIND = 0.012

# How high a foot is lifted to be put elsewhere, in metres.
STEP_HEIGHT_M = 0.05

SHOULDER_ITERATIONS = 8


def arm(upper: Vector, fore: Vector, palm: Vector) -> Arm:
    """An arm whose hand goes on where the forearm points."""
    return Arm(upper=unit(upper), fore=unit(fore), palm=unit(palm), fingers=unit(fore))


def hanging_arm(side: int) -> Arm:
    return arm(vector(side * 0.16, -1, 0.02), vector(side * 0.10, -1, 0.16), vector(-side, 0, 0.25))


def reaching_arm(
    person: Person,
    chest: Vector,
    chest_rotation: Rotation,
    side: int,
    wrist: Vector,
    *,
    elbow_towards: Vector,
    palm: Vector,
    fingers: Vector | None = None,
) -> Arm:
    """An arm whose wrist is at a given place.

    Parameters
    ----------
    chest, chest_rotation
        The chest's position and rotation in the person's frame.
    wrist, elbow_towards, palm, fingers
        In the person's frame: a position in metres and three directions. Without `fingers` the
        hand goes on where the forearm points.
    """
    to_chest = chest_rotation.T
    target = to_chest @ (wrist - chest)
    pole = to_chest @ elbow_towards
    upper = vector(side, 0, 0)
    fore = upper
    # The shoulder moves with the arm that it carries, so go round until they agree.
    for _ in range(SHOULDER_ITERATIONS):
        shoulder = shoulder_in_chest(person, side, upper)
        first, second = UPPER_ARM * person.height_m, FOREARM * person.height_m
        elbow = middle_joint(shoulder, target, first, second, pole)
        upper, fore = unit(elbow - shoulder), unit(target - elbow)
    along = fore if fingers is None else unit(to_chest @ fingers)
    return Arm(upper=upper, fore=fore, palm=unit(to_chest @ palm), fingers=along)


def leg_on_ball(
    person: Person, ball: Vector, *, yaw_rad: float, pitch_rad: float, knee_towards: Vector
) -> Leg:
    """A leg whose foot stands on its ball with the heel raised and the toes flat.

    `ball` is where the sole touches the floor, in the person's frame.
    """
    foot = rotation_y(yaw_rad) @ rotation_x(pitch_rad)
    ankle = ball - foot @ np.array(SOLE_UNDER_BALL) * person.height_m
    return Leg(ankle, knee_towards, yaw_rad, pitch_rad, toes_rad=pitch_rad)


def ball_of(person: Person, ankle: Vector, yaw_rad: float) -> Vector:
    """Where the sole of a flat foot touches the floor under its ball."""
    ball: Vector = ankle + rotation_y(yaw_rad) @ np.array(SOLE_UNDER_BALL) * person.height_m
    return ball


def standing(person: Person, *, half_stance: float, toes_out_rad: float) -> Pose:
    """Upright, the arms hanging.

    `half_stance` is half the distance between the ankles as a fraction of stature.
    """
    height = person.height_m
    aside = (half_stance - HALF_HIPS * person.hip_width) * height
    leg_length = (THIGH + SHANK) * height * 0.999
    pelvis_height = ANKLE_HEIGHT * height + math.sqrt(leg_length**2 - aside**2)

    def leg(side: int) -> Leg:
        yaw = side * toes_out_rad
        ankle = vector(side * half_stance, ANKLE_HEIGHT, -ANKLE_BEHIND) * height
        return Leg(ankle, rotation_y(yaw) @ vector(0, 0.05, 1), yaw)

    return Pose(
        pelvis=vector(0, pelvis_height, -0.010 * height),
        pelvis_rotation=np.eye(3),
        chest_rotation=rotation_x(radians(2)),
        head_rotation=rotation_x(radians(4)),
        left_arm=hanging_arm(LEFT),
        right_arm=hanging_arm(RIGHT),
        left_leg=leg(LEFT),
        right_leg=leg(RIGHT),
    )


def swaying(pose: Pose, time_s: float) -> Pose:
    """The pose with the small movements of someone who breathes and keeps their balance."""
    aside = 0.003 * math.sin(2 * math.pi * 0.23 * time_s)
    breath = radians(0.7) * math.sin(2 * math.pi * 0.35 * time_s)
    glance = radians(2.0) * math.sin(2 * math.pi * 0.17 * time_s + 1.0)
    return replace(
        pose,
        pelvis=pose.pelvis + vector(aside, 0, 0),
        chest_rotation=rotation_z(2.0 * aside) @ rotation_x(-breath) @ pose.chest_rotation,
        head_rotation=rotation_y(glance) @ pose.head_rotation,
    )


def going(start: Pose, end: Pose, fraction: float) -> Pose:
    """On the way from one standing pose to another; feet that move are lifted, one by one."""
    f = ease(fraction)

    def rotation(a: Rotation, b: Rotation) -> Rotation:
        return nearest_rotation(mix(a, b, f))

    return Pose(
        pelvis=mix(start.pelvis, end.pelvis, f),
        pelvis_rotation=rotation(start.pelvis_rotation, end.pelvis_rotation),
        chest_rotation=rotation(start.chest_rotation, end.chest_rotation),
        head_rotation=rotation(start.head_rotation, end.head_rotation),
        left_arm=_swinging(LEFT, start.left_arm, end.left_arm, f),
        right_arm=_swinging(RIGHT, start.right_arm, end.right_arm, f),
        left_leg=_stepping(start.left_leg, end.left_leg, fraction * 2.0),
        right_leg=_stepping(start.right_leg, end.right_leg, fraction * 2.0 - 1.0),
    )


def _swinging(side: int, start: Arm, end: Arm, fraction: float) -> Arm:
    """On the way from one position of an arm to another.

    Half-way between opposite directions there is none, so where the forearm turns round it
    passes in front of the body, with the palm inwards.
    """
    turning = (1.0 - float(start.fore @ end.fore)) / 2.0
    detour = turning * math.sin(math.pi * fraction)
    ahead, inwards = vector(0, 0, detour), vector(-side * detour, 0, 0)
    return Arm(
        upper=unit(mix(start.upper, end.upper, fraction) + 0.5 * ahead),
        fore=unit(mix(start.fore, end.fore, fraction) + ahead),
        palm=unit(mix(start.palm, end.palm, fraction) + 1.5 * inwards),
        fingers=unit(mix(start.fingers, end.fingers, fraction) + ahead),
    )


def _stepping(start: Leg, end: Leg, fraction: float) -> Leg:
    f = ease(fraction)
    way = float(np.linalg.norm(end.ankle - start.ankle))
    lift = min(STEP_HEIGHT_M, way) * math.sin(math.pi * f)
    return Leg(
        ankle=mix(start.ankle, end.ankle, f) + vector(0, lift, 0),
        knee_towards=mix(start.knee_towards, end.knee_towards, f),
        yaw_rad=between(start.yaw_rad, end.yaw_rad, f),
        pitch_rad=between(start.pitch_rad, end.pitch_rad, f),
        toes_rad=between(start.toes_rad, end.toes_rad, f),
    )
