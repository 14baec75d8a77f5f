"""Exercises on the floor and on a bar, each at every depth and in many ways."""

from __future__ import annotations

import numpy as np

from tools.exercise_network import arms
from tools.exercise_network.body import SIDES, Array, Figure, bent, ease, turn, unit, vec, wandering


def prone(
    figure: Figure,
    shoulders: Array,
    *,
    hands: float = 0.0,
    feet: float = 0.0,
    on_knees: bool = False,
    on_forearms: bool = False,
    sag: Array | float = 0.0,
) -> None:
    """A straight body on hands and feet.

    Parameters
    ----------
    shoulders : ndarray, (T,)
        How high the shoulders are, metres.
    hands, feet
        How high what they are on is: a bench, a step.
    sag
        How far the hips are off the line, metres, upwards.
    """
    rng, build = figure.rng, figure.build
    still = np.zeros(figure.count)
    sag = np.broadcast_to(sag, still.shape)
    base = feet + (0.05 if on_knees else 0.072 * build.height)
    legs = build.thigh + (0.0 if on_knees else build.shank)
    length = build.trunk + legs
    slope = np.arcsin(np.clip((shoulders - base) / length, -0.6, 0.95))
    along, across = vec(0.0, np.sin(slope), np.cos(slope)), vec(0.0, np.cos(slope), -np.sin(slope))
    pitch = np.pi / 2.0 - slope
    figure.pelvis = vec(still, base, 0.0) + along * legs + across * sag[:, None]
    figure.chest_pitch = figure.pelvis_pitch = pitch + np.arctan2(sag, build.trunk)
    figure.head_pitch = pitch + rng.uniform(-0.6, 0.35)
    apart = rng.uniform(0.0, 0.14)
    lifted = rng.uniform(0.1, 1.3)
    for side, sign in enumerate(SIDES):
        if on_knees:
            shin = (base + build.shank * np.sin(lifted), -build.shank * np.cos(lifted))
            figure.ankles[side] = vec(still + sign * apart, *shin)
        else:
            figure.ankles[side] = vec(still + sign * (0.03 + apart), base, 0.0)
        figure.knees_towards[side] = vec(still, -1.0, 0.1)
        figure.feet[side] = vec(still, -1.0, -0.6 if on_knees else 0.35)
    put = float((np.cos(slope) * length).mean()) + rng.normal(0.0, 0.06) - 0.02
    wide, flare = rng.uniform(-0.05, 0.22), rng.uniform(0.05, 1.3)
    for side, sign in enumerate(SIDES):
        beside = np.full(figure.count, sign * (build.half_shoulders + (0 if on_forearms else wide)))
        wrist = vec(beside, hands + 0.03, put + (build.fore if on_forearms else 0.0))
        elbow = vec(
            still + sign * (0.1 if on_forearms else flare), -1.0 if on_forearms else 0.35, -0.7
        )
        figure.reach(side, wrist, elbow)


def push_up(figure: Figure, depth: Array, number: Array) -> None:
    """On feet or knees, hands raised (incline) or feet raised (decline)."""
    rng, build = figure.rng, figure.build
    hands = rng.uniform(0.12, 0.85) if rng.random() < 0.25 else 0.0
    feet = rng.uniform(0.15, 0.5) if not hands and rng.random() < 0.1 else 0.0
    top = hands + build.arm * rng.uniform(0.88, 0.99)
    low = hands + build.arm * rng.uniform(0.2, 0.6)
    prone(
        figure,
        top + (low - top) * depth,
        hands=hands,
        feet=feet,
        on_knees=rng.random() < 0.15,
        sag=rng.normal(0.0, 0.045) + rng.normal(0.0, 0.035) * depth,
    )


def plank(figure: Figure, depth: Array, number: Array) -> None:
    """Held on elbows or hands, hips in line, high or low."""
    rng, build = figure.rng, figure.build
    on_forearms = bool(rng.random() < 0.6)
    height = (build.upper if on_forearms else 0.97 * build.arm) * rng.uniform(0.92, 1.0)
    prone(
        figure,
        height + 0.006 * wandering(rng, figure.count, (), 30.0),
        on_forearms=on_forearms,
        on_knees=rng.random() < 0.08,
        sag=rng.normal(0.0, 0.07),
    )


def sit_up(figure: Figure, depth: Array, number: Array) -> None:
    """From lying to sitting, or to half-way; hands anywhere, knees bent or nearly straight."""
    rng, build = figure.rng, figure.build
    height = build.height
    depth = depth * (rng.uniform(0.45, 1.0) if rng.random() < 0.4 else 1.0)
    still = np.zeros(figure.count)
    figure.pelvis = vec(still, 0.074 * height, -0.12 * height)
    figure.head_pitch = np.radians(-76.0 + 96.0 * ease(1.1 * depth))
    figure.chest_pitch = np.radians(-89.0 + rng.uniform(85.0, 122.0) * ease(depth))
    figure.pelvis_pitch = np.radians(-97.0 + 68.0 * ease((depth - 0.12) / 0.88))
    ahead, apart = rng.uniform(0.1, 0.36) * height, rng.uniform(0.02, 0.12) * height
    raised = rng.uniform(0.2, 0.4) * height if rng.random() < 0.1 else 0.0
    for side, sign in enumerate(SIDES):
        figure.ankles[side] = vec(still + sign * apart, build.ankle + raised, ahead)
        figure.knees_towards[side] = vec(still + sign * 0.2, 1.0, 0.3)
    kind = str(rng.choice(["to_knees", "behind_head", "crossed", "folded", "forward", "up"]))
    if kind == "to_knees":
        upright = bent(-figure.chest_pitch)
        neck = figure.neck()
        for side, sign in enumerate(SIDES):
            beside = vec(sign * 0.15, 0.235, 0.05) * height
            towards = turn(upright, unit(beside - neck))
            figure.point_arm(side, towards, towards + vec(0.0, 0.0, 0.1))
    elif kind == "up":
        arms.way(figure, "overhead", "forward", ease(depth))
    else:
        arms.hold(figure, kind)


def hanging_legs(figure: Figure, swing: Array | float) -> None:
    """Legs of who hangs from a bar or is propped on one: straight, or bent and crossed."""
    rng, build = figure.rng, figure.build
    bend = rng.uniform(0.6, 1.8) if rng.random() < 0.5 else rng.uniform(0.0, 0.3)
    ahead = rng.uniform(-0.15, 0.5) + swing
    for side, sign in enumerate(SIDES):
        thigh = vec(0.0, -np.cos(ahead), np.sin(ahead)) * build.thigh
        shank = vec(0.0, -np.cos(ahead - bend), np.sin(ahead - bend)) * build.shank
        hip = figure.pelvis + vec(sign * build.half_hips * rng.uniform(-0.3, 1.3), 0.0, 0.0)
        figure.ankles[side] = hip + thigh + shank
        figure.knees_towards[side] = vec(np.zeros(figure.count), 0.1, 1.0)
        figure.feet[side] = vec(np.zeros(figure.count), -1.0, 0.6 - bend)


def pull_up(figure: Figure, depth: Array, number: Array) -> None:
    """Wide, narrow, or palms towards the face; swinging or still; at times not all the way."""
    rng, build = figure.rng, figure.build
    bar, wide = 2.2, rng.uniform(0.06, 0.28) * build.height
    reach = build.arm * rng.uniform(0.9, 0.99)
    hangs = np.sqrt(max(reach**2 - (wide - build.half_shoulders) ** 2, 0.01))
    top = rng.uniform(-0.1, 0.2)
    below = hangs + (top - hangs) * depth
    figure.chest_pitch = np.radians(rng.uniform(-28.0, 6.0) * depth + rng.normal(0.0, 5.0))
    figure.pelvis_pitch = figure.chest_pitch.copy()
    swing = wandering(rng, figure.count, (), 15.0) * rng.choice([0.05, 0.05, 0.2])
    figure.pelvis = vec(
        0.0,
        bar - below - build.trunk - 0.05,
        rng.uniform(-0.1, 0.0) - 0.08 * depth + 0.3 * swing,
    )
    hanging_legs(figure, swing)
    figure.head_pitch = figure.chest_pitch + rng.uniform(-0.5, 0.1)
    for side, sign in enumerate(SIDES):
        grip = vec(np.full(figure.count, sign * wide), bar, 0.0)
        figure.reach(side, grip, vec(np.full(figure.count, sign), -0.6, rng.uniform(-0.3, 0.7)))
