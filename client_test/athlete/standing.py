"""Exercises done on the feet. Angles and distances were chosen by eye, as trainers show them."""

import math
from dataclasses import replace

from .exercise import Exercise, Tempo, depth_of
from .geometry import Rotation, between, ease, mix, radians, rotation_x, rotation_y, unit, vector
from .motion import ANKLE_BEHIND, arm, ball_of, leg_on_ball, reaching_arm, standing
from .people import Person
from .skeleton import (
    ANKLE_HEIGHT,
    HALF_HIPS,
    LEFT,
    RIGHT,
    SHANK,
    THIGH,
    THORAX,
    Arm,
    Leg,
    Pose,
    chest_position,
)


def stand(person: Person, phase: float, repetition: int) -> Pose:
    """No exercise at all."""
    return standing(person, half_stance=0.07, toes_out_rad=radians(10))


def squat(person: Person, phase: float, repetition: int) -> Pose:
    """To where the thighs are nearly level, the arms stretched forward for balance."""
    return _squat(person, depth_of(phase), knees_out_rad=radians(10))


def shallow_squat(person: Person, phase: float, repetition: int) -> Pose:
    """A fault: turns back half-way down."""
    return _squat(person, 0.48 * depth_of(phase), knees_out_rad=radians(10))


def knees_in_squat(person: Person, phase: float, repetition: int) -> Pose:
    """A fault: the knees fall inwards (valgus) while the feet stay where they are."""
    return _squat(person, 0.88 * depth_of(phase), knees_out_rad=radians(-30))


def _squat(person: Person, depth: float, knees_out_rad: float) -> Pose:
    height = person.height_m
    toes_out = radians(14)
    half_stance = 0.105
    pose = standing(person, half_stance=half_stance, toes_out_rad=toes_out)
    knee_flexion = radians(5) + depth * radians(103)
    shank_tilt = 0.33 * knee_flexion
    thigh_tilt = knee_flexion - shank_tilt
    forward = SHANK * math.sin(shank_tilt) - THIGH * math.sin(thigh_tilt)
    upward = SHANK * math.cos(shank_tilt) + THIGH * math.cos(thigh_tilt)
    # The legs lean outwards from hip to ankle, which takes some of their length.
    aside = half_stance - HALF_HIPS * person.hip_width
    length = math.hypot(forward, upward)
    shorter = math.sqrt(max(length**2 - aside**2, 0.01)) / length
    pelvis = vector(0, ANKLE_HEIGHT + upward * shorter, -ANKLE_BEHIND + forward * shorter)
    lean = radians(3) + 0.36 * knee_flexion
    chest_rotation = rotation_x(lean)

    def leg(side: int) -> Leg:
        knee_yaw = side * (toes_out + knees_out_rad * depth)
        plain = pose.leg(side)
        return replace(plain, knee_towards=rotation_y(knee_yaw) @ vector(0, 0.15, 1))

    return replace(
        pose,
        pelvis=pelvis * height,
        pelvis_rotation=rotation_x(0.9 * lean),
        chest_rotation=chest_rotation,
        head_rotation=rotation_x(radians(4) + 0.30 * lean),
        left_arm=_arm_raised_forward(LEFT, depth, chest_rotation),
        right_arm=_arm_raised_forward(RIGHT, depth, chest_rotation),
        left_leg=leg(LEFT),
        right_leg=leg(RIGHT),
    )


def _arm_raised_forward(side: int, depth: float, chest_rotation: Rotation) -> Arm:
    raised = ease(min(depth * 1.15, 1.0))
    angle = raised * radians(82)
    low = 1.0 - raised
    fore_angle = angle + raised * radians(6)
    upper = vector(side * (0.16 * low + 0.03), -math.cos(angle), math.sin(angle) + 0.02)
    fore = vector(
        side * (0.10 * low - 0.05 * raised),
        -math.cos(fore_angle),
        math.sin(fore_angle) + 0.14 * low,
    )
    palm = vector(-side, 0, 0.25) * low + vector(-side * 0.6, -1, 0) * raised
    to_chest = chest_rotation.T
    return arm(to_chest @ unit(upper), to_chest @ unit(fore), to_chest @ unit(palm))


def jumping_jack(person: Person, phase: float, repetition: int) -> Pose:
    """Feet apart and arms overhead in one jump, together again in the next."""
    height = person.height_m
    depth = depth_of(phase)
    half_stance = 0.055 + 0.150 * depth
    hop = 0.045 * height * math.sin(2.0 * math.pi * phase) ** 2
    toes_out = radians(8 + 8 * depth)
    pose = standing(person, half_stance=half_stance, toes_out_rad=toes_out)
    # Knees give a little when the feet are down.
    give = 0.010 * height * (1.0 - hop / (0.045 * height))
    pitch = min(hop * 6.0, 0.5)

    def jumping_arm(side: int) -> Arm:
        angle = radians(10) + depth * radians(156)
        upper = vector(side * math.sin(angle), -math.cos(angle), 0.08)
        bent = angle + radians(6)
        fore = vector(side * math.sin(bent), -math.cos(bent), 0.14)
        palm = vector(-side * 0.5 * math.cos(angle), -0.5 * math.sin(angle), 0.9)
        return arm(upper, fore, palm)

    def jumping_leg(side: int) -> Leg:
        plain = pose.leg(side)
        ball = ball_of(person, plain.ankle, plain.yaw_rad) + vector(0, 0.8 * hop, 0)
        leg = leg_on_ball(
            person,
            ball,
            yaw_rad=plain.yaw_rad,
            pitch_rad=pitch,
            knee_towards=plain.knee_towards,
        )
        return replace(leg, toes_rad=0.6 * pitch)

    return replace(
        pose,
        pelvis=pose.pelvis + vector(0, hop - give, 0),
        left_arm=jumping_arm(LEFT),
        right_arm=jumping_arm(RIGHT),
        left_leg=jumping_leg(LEFT),
        right_leg=jumping_leg(RIGHT),
    )


def bicep_curl(person: Person, phase: float, repetition: int) -> Pose:
    """Both forearms up, the elbows at the sides, palms forward."""
    depth = depth_of(phase)
    pose = standing(person, half_stance=0.085, toes_out_rad=radians(9))

    def curling_arm(side: int) -> Arm:
        flexion = radians(12) + depth * radians(124)
        swing = radians(-3) + depth * radians(10)
        upper = unit(vector(side * 0.17, -math.cos(swing), math.sin(swing) + 0.03))
        ahead = vector(side * 0.06, 0, 1)
        ahead = unit(ahead - float(ahead @ upper) * upper)
        fore = upper * math.cos(flexion) + ahead * math.sin(flexion)
        palm = ahead * math.cos(flexion) - upper * math.sin(flexion)
        return arm(upper, fore, palm)

    return replace(pose, left_arm=curling_arm(LEFT), right_arm=curling_arm(RIGHT))


def overhead_press(person: Person, phase: float, repetition: int) -> Pose:
    """From beside the shoulders to straight arms overhead, palms forward."""
    height = person.height_m
    depth = depth_of(phase)
    pose = standing(person, half_stance=0.085, toes_out_rad=radians(9))
    chest = chest_position(person, pose.pelvis, pose.pelvis_rotation)

    def pressing_arm(side: int) -> Arm:
        # From the middle of the shoulders; the way up bends outwards around the head.
        low, high = vector(0.200, 0.005, 0.070), vector(0.130, 0.315, 0.010)
        way = mix(low, high, depth) + vector(0.030 * math.sin(math.pi * depth), 0, 0)
        wrist = vector(side * way[0], THORAX + way[1], way[2]) * height
        return reaching_arm(
            person,
            chest,
            pose.chest_rotation,
            side,
            chest + pose.chest_rotation @ wrist,
            elbow_towards=vector(side * 0.8, -0.8, 0.35),
            palm=vector(0, 0, 1),
        )

    return replace(pose, left_arm=pressing_arm(LEFT), right_arm=pressing_arm(RIGHT))


def lunge(person: Person, phase: float, repetition: int) -> Pose:
    """A step forward until both knees are square, hands on the hips; sides alternate."""
    height = person.height_m
    depth = depth_of(phase)
    front = LEFT if repetition % 2 == 0 else RIGHT
    pose = standing(person, half_stance=0.062, toes_out_rad=radians(4))
    stepping = ease(depth / 0.75)
    lowering = ease((depth - 0.15) / 0.85)
    forward = min(depth / 0.9, 1.0)
    pelvis = vector(0, between(pose.pelvis[1] / height, 0.305, lowering), -0.010 + 0.290 * forward)

    def leg(side: int) -> Leg:
        plain = pose.leg(side)
        if side == front:
            lift = 0.06 * math.sin(math.pi * stepping)
            step = vector(0, lift, 0.505 * stepping) * height
            return replace(plain, ankle=plain.ankle + step, knee_towards=vector(0, 0.2, 1))
        heel_up = ease(depth / 0.95) * radians(56)
        return leg_on_ball(
            person,
            ball_of(person, plain.ankle, plain.yaw_rad),
            yaw_rad=plain.yaw_rad,
            pitch_rad=heel_up,
            knee_towards=vector(0, -0.3 * depth, 1),
        )

    posed = replace(
        pose,
        pelvis=pelvis * height,
        chest_rotation=rotation_x(radians(2 + 4 * depth)),
        left_leg=leg(LEFT),
        right_leg=leg(RIGHT),
    )
    return replace(
        posed,
        left_arm=_hand_on_hip(person, posed, LEFT),
        right_arm=_hand_on_hip(person, posed, RIGHT),
    )


def _hand_on_hip(person: Person, pose: Pose, side: int) -> Arm:
    height = person.height_m
    chest = chest_position(person, pose.pelvis, pose.pelvis_rotation)
    across = 0.098 * person.girth * person.hip_width
    hip = pose.pelvis + pose.pelvis_rotation @ vector(side * across, 0.045, -0.010) * height
    return reaching_arm(
        person,
        chest,
        pose.chest_rotation,
        side,
        hip,
        elbow_towards=vector(side, 0, -0.55),
        palm=vector(-side, -0.2, 0),
        fingers=vector(-side * 0.35, -0.45, 0.8),
    )


SQUAT = Exercise("squat", squat, Tempo(0.8, 0.1, 0.75))
SHALLOW_SQUAT = Exercise("squat", shallow_squat, Tempo(0.7, 0.1, 0.7), fault="shallow")
KNEES_IN_SQUAT = Exercise("squat", knees_in_squat, Tempo(0.85, 0.1, 0.9), fault="knees_in")
JUMPING_JACK = Exercise("jumping_jack", jumping_jack, Tempo(0.48, 0.0, 0.48, rest_s=0.04))
BICEP_CURL = Exercise("bicep_curl", bicep_curl, Tempo(0.65, 0.1, 0.65))
OVERHEAD_PRESS = Exercise("overhead_press", overhead_press, Tempo(0.75, 0.1, 0.75))
LUNGE = Exercise("lunge", lunge, Tempo(1.0, 0.1, 1.0))
STAND = Exercise("rest", stand, Tempo(0.5, 0.5, 0.5))
