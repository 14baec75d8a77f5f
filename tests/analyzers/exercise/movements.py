"""Movements that the rendered athlete's catalogue does not have: faults of form, and exercises.

Each is made from the athlete's own pose at every phase of a repetition, so that all other joints
stay where a good repetition has them.
"""

import math
from dataclasses import replace

import numpy as np

from client_test.athlete import floor, standing
from client_test.athlete.exercise import Exercise, Tempo, depth_of
from client_test.athlete.geometry import mix, radians, rotation_x, unit, vector
from client_test.athlete.motion import arm, ball_of, leg_on_ball, reaching_arm
from client_test.athlete.motion import standing as upright
from client_test.athlete.skeleton import (
    HALF_HIPS,
    HALF_SHOULDERS,
    LEFT,
    LUMBAR,
    RIGHT,
    SHOULDER_DROP,
    THORAX,
    chest_position,
)


def _with_arms(pose, make):
    return replace(pose, left_arm=make(LEFT), right_arm=make(RIGHT))


def _with_legs(pose, make):
    return replace(pose, left_leg=make(LEFT), right_leg=make(RIGHT))


def _leaning(pose, lean_deg, *, arms_stay=True):
    """Turn the trunk about the hips, forwards; arms point where they did or turn with it."""
    turn = rotation_x(radians(lean_deg))
    chest = turn @ pose.chest_rotation
    to_new = chest.T @ pose.chest_rotation if arms_stay else np.eye(3)

    def kept(each):
        return replace(
            each, upper=to_new @ each.upper, fore=to_new @ each.fore,
            palm=to_new @ each.palm, fingers=to_new @ each.fingers,
        )  # fmt: skip

    return replace(
        pose,
        pelvis_rotation=turn @ pose.pelvis_rotation,
        chest_rotation=chest,
        left_arm=kept(pose.left_arm),
        right_arm=kept(pose.right_arm),
    )


# Squats


def torso_forward_squat(person, phase, repetition):
    return _leaning(standing.squat(person, phase, repetition), 26.0 * depth_of(phase))


def heels_up_squat(person, phase, repetition):
    pose = standing.squat(person, phase, repetition)

    def leg(side):
        plain = pose.leg(side)
        return leg_on_ball(
            person,
            ball_of(person, plain.ankle, plain.yaw_rad),
            yaw_rad=plain.yaw_rad,
            pitch_rad=radians(58) * depth_of(phase),
            knee_towards=plain.knee_towards,
        )

    return _with_legs(pose, leg)


def _squat_on(half_stance):
    def squat(person, phase, repetition):
        pose = standing.squat(person, phase, repetition)
        height = person.height_m
        hips = HALF_HIPS * person.hip_width * height
        ankle = pose.left_leg.ankle
        drop = pose.pelvis[1] - ankle[1]
        length2 = drop**2 + (ankle[0] - hips) ** 2
        lower = math.sqrt(length2 - (half_stance * height - hips) ** 2) - drop
        pose = replace(pose, pelvis=pose.pelvis + vector(0, lower, 0))

        def leg(side):
            plain = pose.leg(side)
            ankle = vector(side * half_stance * height, plain.ankle[1], plain.ankle[2])
            return replace(plain, ankle=ankle)

        return _with_legs(pose, leg)

    return squat


# Push-ups and planks


def shallow_push_up(person, phase, repetition):
    return floor.push_up(person, 0.5 * (0.36 * depth_of(phase)), repetition)


def _push_up_with_hips(up, phase_of=lambda phase: phase):
    """Push-ups whose hips are so far above the body's line, in parts of stature."""

    def push_up(person, phase, repetition):
        pose = floor.push_up(person, phase_of(phase), repetition)
        height = person.height_m
        along = (LUMBAR + THORAX - SHOULDER_DROP) * height
        shoulders = pose.pelvis + pose.pelvis_rotation @ vector(0, along, 0)
        pelvis = pose.pelvis + vector(0, up * height, 0)
        # So that the trunk reaches the shoulders, the hips come nearer to them.
        flat = math.sqrt(along**2 - (shoulders[1] - pelvis[1]) ** 2)
        pelvis = vector(0, pelvis[1], shoulders[2] - flat)
        trunk = rotation_x(math.atan2(flat, shoulders[1] - pelvis[1]))
        chest = chest_position(person, pelvis, trunk)
        before = chest_position(person, pose.pelvis, pose.pelvis_rotation)

        def supporting(side):
            plain = pose.arm(side)
            shoulder = before + pose.chest_rotation @ vector(
                side * HALF_SHOULDERS * person.shoulder_width * height,
                (THORAX - SHOULDER_DROP) * height, 0,
            )  # fmt: skip
            wrist = shoulder + pose.chest_rotation @ (
                plain.upper * 0.186 + plain.fore * 0.146
            ) * height  # fmt: skip
            return reaching_arm(
                person, chest, trunk, side, wrist,
                elbow_towards=vector(side * 0.8, 0.35, -0.7),
                palm=vector(0, -1, 0), fingers=vector(side * 0.05, 0.12, 1),
            )  # fmt: skip

        moved = replace(
            pose, pelvis=pelvis, pelvis_rotation=trunk, chest_rotation=trunk,
            head_rotation=trunk @ rotation_x(radians(-14)),
        )  # fmt: skip
        return _with_arms(moved, supporting)

    return push_up


# Lunges


def _lunge(*, deep=1.0, step=1.0, forward=0.0):
    """Lunges that go down only so far, with a shorter step, or the body further forward."""

    def lunge(person, phase, repetition):
        good = standing.lunge(person, phase, repetition)
        start = standing.lunge(person, 0.0, repetition)
        part = depth_of(phase)
        pelvis = start.pelvis + (good.pelvis - start.pelvis) * np.array([1.0, deep, step])
        pose = replace(good, pelvis=pelvis + vector(0, 0, forward * part * person.height_m))
        front = LEFT if repetition % 2 == 0 else RIGHT

        def leg(side):
            plain = good.leg(side)
            if side != front:
                return plain
            before = start.leg(side).ankle
            return replace(plain, ankle=before + (plain.ankle - before) * np.array([1, 1, step]))

        return _with_legs(pose, leg)

    return lunge


# Curls, presses, jumping jacks


def leaning_curl(person, phase, repetition):
    pose = standing.bicep_curl(person, phase, repetition)
    return _leaning(pose, -32.0 * depth_of(phase), arms_stay=False)


def swinging_curl(person, phase, repetition):
    pose = standing.bicep_curl(person, phase, repetition)
    swing = rotation_x(-radians(52) * depth_of(phase))

    def swung(side):
        plain = pose.arm(side)
        return arm(swing @ plain.upper, swing @ plain.fore, swing @ plain.palm)

    return _with_arms(pose, swung)


def weak_curl(person, phase, repetition):
    return standing.bicep_curl(person, 0.5 * 0.62 * depth_of(phase), repetition)


def low_press(person, phase, repetition):
    return standing.overhead_press(person, 0.5 * 0.68 * depth_of(phase), repetition)


def leaning_press(person, phase, repetition):
    pose = standing.overhead_press(person, phase, repetition)
    return _leaning(pose, -38.0 * depth_of(phase), arms_stay=True)


def _raised_arm(side, angle):
    upper = vector(side * math.sin(angle), -math.cos(angle), 0.08)
    fore = vector(side * math.sin(angle), -math.cos(angle), 0.14)
    return arm(
        upper, fore, vector(0, -1, 0.4) if abs(math.sin(angle)) > 0.5 else vector(-side, 0, 0)
    )


def low_jack(person, phase, repetition):
    pose = standing.jumping_jack(person, phase, repetition)
    return _with_arms(pose, lambda side: _raised_arm(side, radians(10 + 88 * depth_of(phase))))


def narrow_jack(person, phase, repetition):
    pose = standing.jumping_jack(person, phase, repetition)

    def leg(side):
        plain = pose.leg(side)
        closed = side * (0.055 + 0.020 * depth_of(phase)) * person.height_m
        return replace(plain, ankle=vector(closed, plain.ankle[1], plain.ankle[2]))

    return _with_legs(pose, leg)


# Exercises that the catalogue does not have


def lateral_raise(person, phase, repetition):
    pose = upright(person, half_stance=0.085, toes_out_rad=radians(9))
    return _with_arms(pose, lambda side: _raised_arm(side, radians(10 + 80 * depth_of(phase))))


def deadlift(person, phase, repetition):
    """From standing to where the hands are below the knees, the arms straight down."""
    height, part = person.height_m, depth_of(phase)
    pose = upright(person, half_stance=0.085, toes_out_rad=radians(9))
    lean = radians(70) * part
    chest = rotation_x(lean)
    hanging = chest.T @ unit(vector(0, -1, 0.02))
    bent = replace(
        pose,
        pelvis=pose.pelvis + vector(0, -0.075, -0.075) * part * height,
        pelvis_rotation=rotation_x(0.95 * lean),
        chest_rotation=chest,
        head_rotation=rotation_x(0.5 * lean),
    )
    return _with_arms(bent, lambda side: arm(hanging, hanging, chest.T @ vector(0, 0, -1)))


def pull_up(person, phase, repetition):
    """On a bar, from hanging to the chin over it."""
    height, part = person.height_m, depth_of(phase)
    pose = upright(person, half_stance=0.05, toes_out_rad=0.0)
    rise = mix(vector(0, 0.28, 0), vector(0, 0.53, 0), part) * height
    pose = replace(pose, pelvis=pose.pelvis + rise)
    pose = _with_legs(pose, lambda side: replace(pose.leg(side), ankle=pose.leg(side).ankle + rise))
    chest = chest_position(person, pose.pelvis, pose.pelvis_rotation)

    def pulling(side):
        return reaching_arm(
            person, chest, pose.chest_rotation, side,
            vector(side * 0.17, 1.36, 0.08) * height,
            elbow_towards=vector(side, -0.6, 0.1), palm=vector(0, 0, 1),
        )  # fmt: skip

    return _with_arms(pose, pulling)


def _exercise(label, pose, tempo=None, fault=None, *, on_floor=False):
    return Exercise(label, pose, tempo or Tempo(0.9, 0.1, 0.9), fault, on_floor)


# By the code of the fault that they show.
FAULTY = {
    "squat_shallow": standing.SHALLOW_SQUAT,
    "squat_knees_in": standing.KNEES_IN_SQUAT,
    "squat_torso_forward": _exercise("squat", torso_forward_squat),
    "squat_heels_up": _exercise("squat", heels_up_squat),
    "squat_feet_narrow": _exercise("squat", _squat_on(0.032)),
    "squat_feet_wide": _exercise("squat", _squat_on(0.25)),
    "push_up_shallow": _exercise("push_up", shallow_push_up, on_floor=True),
    "push_up_hips_sagging": _exercise("push_up", _push_up_with_hips(-0.085), on_floor=True),
    "push_up_hips_piked": _exercise("push_up", _push_up_with_hips(0.16), on_floor=True),
    "lunge_shallow": _exercise("lunge", _lunge(deep=0.46), Tempo(1.0, 0.1, 1.0)),
    "lunge_knee_past_toe": _exercise("lunge", _lunge(step=0.8, forward=0.09), Tempo(1.0, 0.1, 1.0)),
    "curl_leaning_back": _exercise("bicep_curl", leaning_curl),
    "curl_upper_arm_swinging": _exercise("bicep_curl", swinging_curl),
    "curl_weak_peak": _exercise("bicep_curl", weak_curl),
    "press_not_locked_out": _exercise("shoulder_press", low_press),
    "press_leaning_back": _exercise("shoulder_press", leaning_press),
    "jack_arms_not_overhead": _exercise("jumping_jack", low_jack, Tempo(0.5, 0.0, 0.5)),
    "jack_feet_narrow": _exercise("jumping_jack", narrow_jack, Tempo(0.5, 0.0, 0.5)),
}

GOOD = {
    "squat": standing.SQUAT,
    "lunge": standing.LUNGE,
    "bicep_curl": standing.BICEP_CURL,
    "shoulder_press": standing.OVERHEAD_PRESS,
    "jumping_jack": standing.JUMPING_JACK,
    "push_up": floor.PUSH_UP,
    "sit_up": floor.SIT_UP,
    "lateral_raise": _exercise("lateral_raise", lateral_raise),
    "deadlift": _exercise("deadlift", deadlift, Tempo(1.0, 0.2, 1.0)),
    "pull_up": _exercise("pull_up", pull_up),
}

# Held at the top of a push-up, the hips so far above the body's line.
PLANKS = {
    None: _push_up_with_hips(0.0, lambda phase: 0.0),
    "plank_hips_high": _push_up_with_hips(0.13, lambda phase: 0.0),
    "plank_hips_low": _push_up_with_hips(-0.075, lambda phase: 0.0),
}
PLANKS = {
    fault: Exercise("plank", pose, Tempo(1.0, 3.0, 1.0), fault, on_floor=True)
    for fault, pose in PLANKS.items()
}
