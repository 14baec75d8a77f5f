"""Exercises done on the floor. Angles and distances were chosen by eye, as trainers show them."""

import math
from dataclasses import replace

from .exercise import Exercise, Tempo, depth_of
from .geometry import Vector, between, ease, radians, rotation_x, unit, vector
from .motion import arm, leg_on_ball, reaching_arm, standing
from .people import Person
from .skeleton import (
    ANKLE_HEIGHT,
    HALF_SHOULDERS,
    LEFT,
    LUMBAR,
    RIGHT,
    SHANK,
    SHOULDER_DROP,
    THIGH,
    THORAX,
    Arm,
    Leg,
    Pose,
    chest_position,
)

# How high the shoulders are at the top and at the bottom of a push-up, as fractions of stature:
# as high as the arms reach, and with the upper arms level.
PLANK_TOP = 0.322
PLANK_BOTTOM = 0.150


def push_up(person: Person, phase: float, repetition: int) -> Pose:
    """A straight body on the hands and the balls of the feet, lowered to above the floor."""
    top = _plank(person, shoulder_height=PLANK_TOP)
    bottom = _plank(person, shoulder_height=PLANK_BOTTOM)
    height = between(PLANK_TOP, PLANK_BOTTOM, depth_of(phase))
    # The hands stay put, under where the shoulders are on average.
    hands_z = (_shoulders(person, top)[2] + _shoulders(person, bottom)[2]) / 2.0
    pose = _plank(person, shoulder_height=height)
    chest = chest_position(person, pose.pelvis, pose.pelvis_rotation)

    def supporting_arm(side: int) -> Arm:
        across = (HALF_SHOULDERS * person.shoulder_width + 0.035) * person.height_m
        # The height of a wrist over a flat palm.
        wrist = vector(side * across, 0.017 * person.height_m, hands_z)
        return reaching_arm(
            person,
            chest,
            pose.chest_rotation,
            side,
            wrist,
            elbow_towards=vector(side * 0.8, 0.35, -0.7),
            palm=vector(0, -1, 0),
            fingers=vector(side * 0.05, 0.12, 1),
        )

    return replace(pose, left_arm=supporting_arm(LEFT), right_arm=supporting_arm(RIGHT))


def _shoulders(person: Person, pose: Pose) -> Vector:
    chest = chest_position(person, pose.pelvis, pose.pelvis_rotation)
    return chest + pose.chest_rotation @ vector(0, (THORAX - SHOULDER_DROP) * person.height_m, 0)


def _plank(person: Person, shoulder_height: float) -> Pose:
    """Prone on the balls of the feet, the head towards +z, the arms not yet placed.

    `shoulder_height` is a fraction of stature.
    """
    height = person.height_m
    ankle_to_shoulder = THIGH + SHANK + LUMBAR + THORAX - SHOULDER_DROP
    # How far the body's line rises from the ankles to the shoulders. The ankles' own height
    # depends on that, but on so little that the height at a middling slope will do.
    ankle_height = 0.072
    slope = math.asin((shoulder_height - ankle_height) / ankle_to_shoulder)
    upright = rotation_x(math.pi / 2.0 - slope)
    along = upright[:, 1]

    def leg(side: int) -> Leg:
        ball = vector(side * 0.050, 0, -0.45) * height
        pitch = math.pi / 2.0 - slope - radians(6)
        return leg_on_ball(
            person, ball, yaw_rad=0.0, pitch_rad=pitch, knee_towards=vector(0, -1, 0.1)
        )

    left, right = leg(LEFT), leg(RIGHT)
    ankles = (left.ankle + right.ankle) / 2.0
    pose = standing(person, half_stance=0.05, toes_out_rad=0.0)
    return replace(
        pose,
        pelvis=ankles + along * (THIGH + SHANK) * height * 0.998,
        pelvis_rotation=upright,
        chest_rotation=upright,
        head_rotation=upright @ rotation_x(radians(-14)),
        left_leg=left,
        right_leg=right,
    )


def sit_up(person: Person, phase: float, repetition: int) -> Pose:
    """From lying on the back, knees bent, to sitting; the hands reach past the knees."""
    height = person.height_m
    depth = depth_of(phase)
    # The head and the chest curl up first; the pelvis follows.
    head_turn = radians(between(-76, 20, ease(depth * 1.1)))
    chest_turn = radians(between(-89, 22, ease(depth)))
    pelvis_turn = radians(between(-97, -32, ease((depth - 0.12) / 0.88)))
    pelvis = vector(0, 0.074 * height * (0.4 + 0.6 * person.girth), -0.12 * height)
    pelvis_rotation = rotation_x(pelvis_turn)
    chest_rotation = rotation_x(chest_turn)
    chest = chest_position(person, pelvis, pelvis_rotation)

    def leg(side: int) -> Leg:
        ankle = vector(side * 0.065, ANKLE_HEIGHT, 0.215) * height
        return Leg(ankle, vector(side * 0.15, 1, 0.3))

    def arm_to_knee(side: int) -> Arm:
        shoulder = chest + chest_rotation @ vector(side * HALF_SHOULDERS, THORAX, 0) * height
        beside_knee = vector(side * 0.150, 0.235, 0.050) * height
        along = chest_rotation.T @ unit(beside_knee - shoulder)
        bent = along + vector(-side * 0.10, 0, 0.10)
        return arm(along, bent, vector(-side, 0, 0))

    pose = standing(person, half_stance=0.05, toes_out_rad=0.0)
    return replace(
        pose,
        pelvis=pelvis,
        pelvis_rotation=pelvis_rotation,
        chest_rotation=chest_rotation,
        head_rotation=rotation_x(head_turn),
        left_arm=arm_to_knee(LEFT),
        right_arm=arm_to_knee(RIGHT),
        left_leg=leg(LEFT),
        right_leg=leg(RIGHT),
    )


PUSH_UP = Exercise("push_up", push_up, Tempo(0.8, 0.05, 0.75), on_floor=True)
SIT_UP = Exercise("sit_up", sit_up, Tempo(1.1, 0.1, 1.1), on_floor=True)
