"""The skeleton: a pose and a person's build give every joint, among them BlazePose's 33.

Bone lengths are fractions of stature after R. Drillis and R. Contini, Body Segment Parameters
(New York University, 1966), as reprinted in D. A. Winter, Biomechanics and Motor Control of Human
Movement, figure 4.1. Winter measures the shoulders' and hips' widths at the skin; the joints'
centres lie further in, which is why those fractions are smaller here.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .geometry import (
    Rotation,
    Vector,
    cross,
    middle_joint,
    mix,
    rotation_x,
    rotation_y,
    unit,
    vector,
)
from .people import Person

# Fractions of stature: Drillis and Contini.
UPPER_ARM = 0.186
FOREARM = 0.146
THIGH = 0.245
SHANK = 0.246
ANKLE_HEIGHT = 0.039
HEAD_HEIGHT = 0.130

# Fractions of stature: joint centres, set by eye on the rendered figure.
HALF_HIPS = 0.052
HALF_SHOULDERS = 0.103
LUMBAR = 0.095
THORAX = 0.193
SHOULDER_DROP = 0.032
NECK_BASE = 0.022
NECK_TO_HEAD = (0.0, 0.093, 0.012)

# The foot, from the ankle, in its own frame; fractions of stature. Its length, heel to toe, is
# 0.152 with the shoe (Drillis and Contini).
HEEL = (0.0, -0.028, -0.034)
BALL = (0.0, -0.030, 0.064)
SOLE_UNDER_BALL = (0.0, -ANKLE_HEIGHT, 0.064)
BALL_TO_TOE = 0.040

# The face, in units in which a head is HEAD_UNITS tall.
HEAD_UNITS = 0.229

LANDMARK_NAMES = (
    "nose",
    "left_eye_inner", "left_eye", "left_eye_outer",
    "right_eye_inner", "right_eye", "right_eye_outer",
    "left_ear", "right_ear", "mouth_left", "mouth_right",
    "left_shoulder", "right_shoulder", "left_elbow", "right_elbow", "left_wrist", "right_wrist",
    "left_pinky", "right_pinky", "left_index", "right_index", "left_thumb", "right_thumb",
    "left_hip", "right_hip", "left_knee", "right_knee", "left_ankle", "right_ankle",
    "left_heel", "right_heel", "left_foot_index", "right_foot_index",
)  # fmt: skip
"""BlazePose's landmarks in the order of their index."""

LEFT, RIGHT = 1, -1
"""Sides, by the sign of x in the person's own frame."""


@dataclass(frozen=True, slots=True)
class Arm:
    """Directions in the chest's frame: of the upper arm, the forearm, the palm, the fingers."""

    upper: Vector
    fore: Vector
    palm: Vector
    fingers: Vector


@dataclass(frozen=True, slots=True)
class Leg:
    """Where the foot is, in the person's frame, and where the knee points.

    Attributes
    ----------
    ankle
        Metres.
    knee_towards
        The direction in which the knee bends.
    yaw_rad, pitch_rad
        The foot turned to the person's left, and its heel raised.
    toes_rad
        How far the toes are bent up against the foot; equal to the pitch, they lie flat.
    """

    ankle: Vector
    knee_towards: Vector
    yaw_rad: float = 0.0
    pitch_rad: float = 0.0
    toes_rad: float = 0.0


@dataclass(frozen=True, slots=True)
class Pose:
    """A posture in the person's own frame: x to their left, y up, z to their front."""

    pelvis: Vector
    pelvis_rotation: Rotation
    chest_rotation: Rotation
    head_rotation: Rotation
    left_arm: Arm
    right_arm: Arm
    left_leg: Leg
    right_leg: Leg

    def arm(self, side: int) -> Arm:
        return self.left_arm if side == LEFT else self.right_arm

    def leg(self, side: int) -> Leg:
        return self.left_leg if side == LEFT else self.right_leg


@dataclass(frozen=True, slots=True)
class Place:
    """Where on the floor a person is (metres), and how far turned to their left (radians)."""

    position: Vector
    yaw_rad: float


@dataclass(frozen=True, slots=True)
class Hand:
    """Directions in the world: of the fingers, out of the palm, and towards the thumb."""

    fingers: Vector
    palm: Vector
    thumbwards: Vector


@dataclass(frozen=True, slots=True)
class Half:
    """One side's joints in the world, in metres."""

    shoulder: Vector
    elbow: Vector
    wrist: Vector
    hand: Hand
    index: Vector
    pinky: Vector
    thumb: Vector
    hip: Vector
    knee: Vector
    ankle: Vector
    foot_rotation: Rotation
    toes_rotation: Rotation
    heel: Vector
    ball: Vector
    toe: Vector


@dataclass(frozen=True, slots=True)
class Skeleton:
    """A person's joints in the world, in metres."""

    pelvis: Vector
    pelvis_rotation: Rotation
    chest: Vector
    chest_rotation: Rotation
    neck: Vector
    head: Vector
    head_rotation: Rotation
    head_scale: float
    left: Half
    right: Half

    def half(self, side: int) -> Half:
        return self.left if side == LEFT else self.right

    def on_head(self, x: float, y: float, z: float) -> Vector:
        """A point given in the head's frame and units."""
        return self.head + self.head_rotation @ vector(x, y, z) * self.head_scale

    def landmarks(self) -> NDArray[np.float64]:
        """The points of BlazePose, (33, 3), in metres."""
        face = [
            (0, -0.042, 0.112),
            (0.017, 0, 0.083), (0.031, 0, 0.085), (0.045, 0, 0.078),
            (-0.017, 0, 0.083), (-0.031, 0, 0.085), (-0.045, 0, 0.078),
            (0.078, -0.012, -0.008), (-0.078, -0.012, -0.008),
            (0.024, -0.07, 0.085), (-0.024, -0.07, 0.085),
        ]  # fmt: skip
        points = [self.on_head(*point) for point in face]
        for name in (
            "shoulder", "elbow", "wrist", "pinky", "index", "thumb",
            "hip", "knee", "ankle", "heel", "toe",
        ):  # fmt: skip
            points += [getattr(self.left, name), getattr(self.right, name)]
        return np.array(points)


def chest_position(person: Person, pelvis: Vector, pelvis_rotation: Rotation) -> Vector:
    return pelvis + pelvis_rotation @ vector(0, LUMBAR * person.height_m, 0)


def shoulder_in_chest(person: Person, side: int, upper_arm: Vector) -> Vector:
    """A shoulder's centre in the chest's frame; it rises, and comes inwards, with the arm."""
    height = person.height_m
    raised = max(0.0, unit(upper_arm)[1] + 0.35) / 1.35
    half_width = HALF_SHOULDERS * person.shoulder_width
    return height * vector(
        side * (half_width - 0.020 * raised), THORAX - SHOULDER_DROP + 0.046 * raised, -0.006
    )


def neck_position(person: Person, chest: Vector, chest_rotation: Rotation) -> Vector:
    height = person.height_m
    return chest + chest_rotation @ vector(0, (THORAX + NECK_BASE) * height, -0.010 * height)


def head_position(
    person: Person, neck: Vector, chest_rotation: Rotation, head_rotation: Rotation
) -> Vector:
    """The head's middle; the neck bends, so it follows the chest and the head by halves."""
    to_head = np.array(NECK_TO_HEAD) * person.height_m
    return neck + mix(chest_rotation @ to_head, head_rotation @ to_head, 0.55)


def solve(person: Person, pose: Pose, place: Place) -> Skeleton:
    """Every joint of a person who holds a pose somewhere."""
    height = person.height_m
    turn = rotation_y(place.yaw_rad)
    pelvis = turn @ pose.pelvis + place.position
    pelvis_rotation = turn @ pose.pelvis_rotation
    chest_rotation = turn @ pose.chest_rotation
    head_rotation = turn @ pose.head_rotation
    chest = chest_position(person, pelvis, pelvis_rotation)
    neck = neck_position(person, chest, chest_rotation)
    head = head_position(person, neck, chest_rotation, head_rotation)

    def half(side: int) -> Half:
        arm, leg = pose.arm(side), pose.leg(side)
        shoulder = chest + chest_rotation @ shoulder_in_chest(person, side, arm.upper)
        elbow = shoulder + chest_rotation @ unit(arm.upper) * UPPER_ARM * height
        wrist = elbow + chest_rotation @ unit(arm.fore) * FOREARM * height
        hand = _hand(chest_rotation @ arm.fingers, chest_rotation @ arm.palm, side)
        fingers, across = hand.fingers * height, hand.thumbwards * height
        hip = pelvis + pelvis_rotation @ vector(side * HALF_HIPS * height * person.hip_width, 0, 0)
        asked = turn @ leg.ankle + place.position
        thigh, shank = THIGH * height, SHANK * height
        knee = middle_joint(hip, asked, thigh, shank, turn @ leg.knee_towards)
        ankle = knee + unit(asked - knee) * shank
        foot = turn @ rotation_y(leg.yaw_rad) @ rotation_x(leg.pitch_rad)
        toes = foot @ rotation_x(-leg.toes_rad)
        ball = ankle + foot @ np.array(BALL) * height
        return Half(
            shoulder=shoulder,
            elbow=elbow,
            wrist=wrist,
            hand=hand,
            index=wrist + 0.062 * fingers + 0.016 * across,
            pinky=wrist + 0.056 * fingers - 0.020 * across,
            thumb=wrist + 0.035 * fingers + 0.030 * across + 0.012 * height * hand.palm,
            hip=hip,
            knee=knee,
            ankle=ankle,
            foot_rotation=foot,
            toes_rotation=toes,
            heel=ankle + foot @ np.array(HEEL) * height,
            ball=ball,
            toe=ball + toes @ vector(0, 0, BALL_TO_TOE * height),
        )

    return Skeleton(
        pelvis=pelvis,
        pelvis_rotation=pelvis_rotation,
        chest=chest,
        chest_rotation=chest_rotation,
        neck=neck,
        head=head,
        head_rotation=head_rotation,
        head_scale=height * HEAD_HEIGHT / HEAD_UNITS,
        left=half(LEFT),
        right=half(RIGHT),
    )


def _hand(fingers: Vector, palm: Vector, side: int) -> Hand:
    along = unit(fingers)
    out = unit(palm - float(palm @ along) * along)
    return Hand(along, out, -side * cross(along, out))
