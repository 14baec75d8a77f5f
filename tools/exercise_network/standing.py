"""Exercises on the feet, each at every depth and in many ways; they pose a `Figure`."""

from __future__ import annotations

import numpy as np

from tools.exercise_network import arms
from tools.exercise_network.body import SIDES, Array, Figure, ease, mix, turn, unit, vec


def squat(figure: Figure, depth: Array, number: Array) -> None:
    """Shallow to full; arms anywhere, a bar on the back or in front."""
    rng, build = figure.rng, figure.build
    flexion = np.radians(5.0 + rng.uniform(48.0, 128.0) * depth)
    shin = rng.uniform(0.22, 0.42) * flexion
    half = rng.uniform(0.05, 0.22) * build.height
    ahead = build.shank * np.sin(shin) - build.thigh * np.sin(flexion - shin)
    up = build.shank * np.cos(shin) + build.thigh * np.cos(flexion - shin)
    aside = half - build.half_hips
    figure.pelvis = vec(0.0, build.ankle + np.sqrt(np.maximum(up**2 - aside**2, 0.01)), ahead)
    lean = 0.04 + rng.uniform(0.12, 0.52) * flexion
    figure.chest_pitch, figure.pelvis_pitch = lean, 0.9 * lean
    figure.head_pitch = rng.uniform(0.0, 0.8) * lean
    out, heels = rng.uniform(-0.2, 0.8), rng.uniform(0.0, 0.05) * (rng.random() < 0.2)
    still = np.zeros(figure.count)
    for side, sign in enumerate(SIDES):
        figure.ankles[side] = vec(still + sign * half, build.ankle + heels * depth, 0.0)
        figure.knees_towards[side] = vec(still + sign * out, 0.15, 1.0)
    kind = str(rng.choice(["to_front", "to_chest", "down", "held", "held", "held"]))
    if kind == "to_front":
        arms.way(figure, "hanging", "forward", ease(1.15 * depth))
    elif kind == "to_chest":
        arms.way(figure, "hanging", "folded", ease(1.15 * depth))
    elif kind == "down":
        arms.hang(figure)
    else:
        ways = ("forward", "goblet", "front_rack", "back_rack", "behind_head", "on_hips", "crossed")
        arms.hold(figure, str(rng.choice([*ways, "folded"])))


def deadlift(figure: Figure, depth: Array, number: Array) -> None:
    """From the floor or with nearly straight legs; at depth 0 upright, at 1 the hands are low."""
    rng, build = figure.rng, figure.build
    lean = np.radians(rng.uniform(48.0, 92.0)) * depth
    bend = np.radians(4.0 + rng.uniform(6.0, 75.0) * depth)
    shin = rng.uniform(0.05, 0.3) * bend
    half = rng.uniform(0.04, 0.1) if rng.random() < 0.8 else rng.uniform(0.12, 0.22)
    figure.pelvis = vec(
        0.0,
        build.ankle + build.shank * np.cos(shin) + build.thigh * np.cos(bend - shin) - 0.02,
        build.shank * np.sin(shin) - build.thigh * np.sin(bend - shin) - 0.06 * depth,
    )
    figure.chest_pitch = lean + 0.03
    figure.pelvis_pitch = rng.uniform(0.85, 1.05) * lean
    figure.head_pitch = rng.uniform(0.0, 0.9) * lean
    still = np.zeros(figure.count)
    for side, sign in enumerate(SIDES):
        figure.ankles[side] = vec(still + sign * half * build.height, build.ankle, 0.0)
    arms.hang(figure, ahead=float(rng.normal(0.05, 0.06)))


def lunge(figure: Figure, depth: Array, number: Array) -> None:
    """Forwards, backwards, on the spot in a split stance, or walking on."""
    rng, build = figure.rng, figure.build
    kind = str(rng.choice(["forward", "forward", "reverse", "split", "walking"]))
    alternates = kind == "walking" or (kind != "split" and rng.random() < 0.7)
    left = (number % 2 == 0) if alternates else np.full(figure.count, rng.random() < 0.5)
    still = np.zeros(figure.count)
    step = still + 1.0 if kind == "split" else ease(depth / 0.75)
    low = depth if kind == "split" else ease((depth - 0.15) / 0.85)
    stride, lowest = (
        rng.uniform(0.36, 0.6) * build.height,
        rng.uniform(0.26, 0.39) * build.height,
    )
    stands = figure.pelvis[:, 1] - (0.03 * build.height if kind == "split" else 0.0)
    backwards = kind == "reverse"
    share = rng.uniform(0.42, 0.62) - (1.0 if backwards else 0.0)
    figure.pelvis = vec(
        0.0, stands + (lowest - stands) * low, share * stride * np.minimum(step, 1.0)
    )
    lifted = 0.0 if kind == "split" else 0.07 * build.height * np.sin(np.pi * np.clip(step, 0, 1))
    apart = rng.uniform(0.03, 0.08) * build.height
    for side, sign in enumerate(SIDES):
        in_front = left if side == 0 else ~left
        moves = ~in_front if backwards else in_front
        ahead = np.where(in_front, stride * step * (not backwards), -stride * step * backwards)
        heel = np.where(in_front, 0.0, 0.085 * build.height * step)
        figure.ankles[side] = vec(
            still + sign * apart,
            build.ankle + heel + np.where(moves, lifted, 0.0),
            ahead + np.where(in_front, 0.0, 0.03 * build.height * step),
        )
        figure.knees_towards[side] = vec(still, np.where(in_front, 0.2, -0.3 * step), 1.0)
        figure.feet[side] = vec(still, np.where(in_front, -0.25, -0.25 - 1.2 * step), 1.0)
    figure.chest_pitch = np.radians(rng.uniform(-2.0, 5.0) + rng.uniform(0.0, 24.0) * depth)
    figure.pelvis_pitch = 0.6 * figure.chest_pitch
    ways = ("on_hips", "hanging", "hanging", "folded", "goblet", "behind_head", "back_rack")
    arms.hold(figure, str(rng.choice([*ways, "crossed", "overhead"])))


def bicep_curl(figure: Figure, depth: Array, number: Array) -> None:
    """Dumbbells or a bar; standing or seated; both arms, one, or in turns."""
    rng = figure.rng
    if rng.random() < 0.2:
        arms.sit(figure)
    most, least = rng.uniform(90.0, 148.0), rng.uniform(5.0, 45.0)
    inwards, wide = rng.uniform(-0.55, 0.35), rng.uniform(0.03, 0.35)
    swing, start = rng.uniform(-5.0, 32.0), rng.uniform(-12.0, 28.0)
    for side, own in enumerate(arms.by_arm(figure, depth, number)):
        sign = SIDES[side]
        flexion, lift = np.radians(least + (most - least) * own), np.radians(start + swing * own)
        upper = unit(vec(sign * wide, -np.cos(lift), np.sin(lift)))
        ahead = vec(np.full(figure.count, sign * inwards), 0.0, 1.0)
        ahead = unit(ahead - (ahead * upper).sum(-1, keepdims=True) * upper)
        bend = upper * np.cos(flexion)[:, None] + ahead * np.sin(flexion)[:, None]
        figure.point_arm(side, upper, bend)
    figure.chest_pitch = figure.chest_pitch - np.radians(rng.uniform(-4.0, 12.0)) * depth


def shoulder_press(figure: Figure, depth: Array, number: Array) -> None:
    """Dumbbells, a bar, an Arnold press; standing or seated; both arms, one, or in turns."""
    rng, height = figure.rng, figure.build.height
    if rng.random() < 0.35:
        arms.sit(figure)
    low = vec(rng.uniform(0.06, 0.33), rng.uniform(-0.06, 0.13), rng.uniform(0.0, 0.14)) * height
    high = vec(rng.uniform(0.02, 0.17), rng.uniform(0.25, 0.35), rng.uniform(-0.03, 0.06)) * height
    flare, before = rng.uniform(0.1, 1.2), rng.uniform(-0.2, 1.2)
    neck, chest = figure.neck(), figure.chest()
    give = -0.06 * height * ease(1.0 - 3.0 * depth) * (rng.random() < 0.15)
    figure.pelvis = figure.pelvis + vec(0.0, give, 0.0)
    for side, own in enumerate(arms.by_arm(figure, depth, number)):
        sign = SIDES[side]
        way = mix(low, high, own) + vec(0.03 * height * np.sin(np.pi * own), 0.0, 0.0)
        wrist = neck + turn(chest, way * (sign, 1.0, 1.0))
        towards = vec(np.full(figure.count, sign * flare), -0.8, before)
        figure.reach(side, wrist, towards)


def jumping_jack(figure: Figure, depth: Array, number: Array) -> None:
    """Feet and arms apart and together, jumped or stepped."""
    rng, build = figure.rng, figure.build
    height = build.height
    half = (rng.uniform(0.025, 0.07) + rng.uniform(0.05, 0.2) * depth) * height
    top = rng.uniform(135.0, 172.0) if rng.random() < 0.8 else rng.uniform(85.0, 135.0)
    angle = np.radians(rng.uniform(3.0, 25.0) + 0.93 * top * depth)
    bend = rng.uniform(-0.2, 0.6) + rng.uniform(0.0, 0.4) * depth
    for side in (0, 1):
        arms.raised(figure, side, angle, rng.uniform(0.0, 0.2), bend)
    hop = rng.uniform(0.0, 0.05) * height * np.sin(np.pi * depth) ** 2
    still = np.zeros(figure.count)
    one_foot = rng.random() < 0.15
    for side, sign in enumerate(SIDES):
        moves = (number % 2 == side) if one_foot else np.ones(figure.count, bool)
        place = np.where(moves, half, 0.045 * height)
        figure.ankles[side] = vec(sign * place, build.ankle + 0.8 * hop, 0.0)
        figure.feet[side] = vec(still + sign * 0.2, -0.25 - 8.0 * hop, 1.0)
    drop = np.sqrt(np.maximum((0.985 * build.leg) ** 2 - (half - build.half_hips) ** 2, 0.01))
    figure.pelvis = vec(0.0, build.ankle + drop + hop, 0.0)


def lateral_raise(figure: Figure, depth: Array, number: Array) -> None:
    """Arms to shoulder height aside; mostly both."""
    rng = figure.rng
    if rng.random() < 0.12:
        arms.sit(figure)
    start, top = rng.uniform(3.0, 22.0), rng.uniform(58.0, 95.0)
    forward, bend = rng.uniform(0.0, 0.25), rng.uniform(-0.5, 0.2)
    one = int(rng.integers(0, 2)) if rng.random() < 0.15 else None
    for side in (0, 1):
        own = depth * (one is None or one == side)
        arms.raised(figure, side, np.radians(start + top * own), forward, bend)
