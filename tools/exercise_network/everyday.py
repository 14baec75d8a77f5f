"""Everyday movements; each poses a `Figure`. Times are in frames, `rate` of them a second."""

from __future__ import annotations

import numpy as np

from tools.exercise_network import arms
from tools.exercise_network.body import SIDES, Figure, ease, mix, unit, vec, wandering
from tools.exercise_network.strokes import shift_hips, stays, strokes


def stand(figure: Figure, rate: float) -> None:
    rng = figure.rng
    arms.hold(figure, str(rng.choice(arms.NAMES)))
    arms.busy(figure, rng.uniform(0.02, 0.15), rng.uniform(0.5, 2.0) * rate)
    weight = 0.04 * wandering(rng, figure.count, (), 2.5 * rate)
    figure.pelvis = figure.pelvis + vec(weight, -np.abs(weight) * 0.3, 0.0)
    figure.chest_yaw = 0.3 * wandering(rng, figure.count, (), 2.0 * rate)


def gesture(figure: Figure, rate: float) -> None:
    rng = figure.rng
    if rng.random() < 0.3:
        arms.sit(figure)
    sides = (0, 1) if rng.random() < 0.45 else (int(rng.integers(0, 2)),)
    part = ease(0.5 + 1.2 * wandering(rng, figure.count, (), rng.uniform(0.4, 2.0) * rate))
    arms.hold(figure, str(rng.choice(["hanging", "hanging", "low", "on_hips", "folded"])))
    arms.way(figure, str(rng.choice(arms.NAMES)), str(rng.choice(arms.NAMES)), part, sides)
    arms.busy(figure, rng.uniform(0.1, 0.6), rng.uniform(0.4, 1.5) * rate)


def walk(figure: Figure, rate: float) -> None:
    rng = figure.rng
    runs = rng.random() < 0.3
    cycle = rng.uniform(0.55, 0.8) if runs else rng.uniform(0.9, 1.5)
    angle = 2.0 * np.pi * np.arange(figure.count) / (cycle * rate) + rng.uniform(0.0, 6.0)
    stride = rng.uniform(0.0, 0.3) if runs else rng.uniform(0.08, 0.4)
    lift = rng.uniform(0.1, 0.45) if runs else rng.uniform(0.03, 0.12)
    swing = rng.uniform(0.1, 0.7)
    # Walking goes through somebody who looks on from anywhere: on the spot the feet slide.
    for side, sign in enumerate(SIDES):
        own = angle + (0.0 if side else np.pi)
        up = lift * np.maximum(np.cos(own), 0.0)
        figure.ankles[side] = figure.ankles[side] + vec(0.0, up, stride * np.sin(own))
        figure.feet[side] = vec(sign * 0.1, -0.3 - 3.0 * up, 1.0)
        back = swing * np.sin(own + np.pi)
        upper = unit(vec(sign * 0.15, -1.0, back))
        fore = unit(vec(sign * 0.05, -1.0 + runs * 1.2, back + 0.2 + runs))
        if rng.random() < 0.85:
            figure.point_arm(side, upper, fore)
    figure.pelvis = figure.pelvis + vec(0.0, 0.02 * np.cos(2.0 * angle) - 0.035, 0.0)
    figure.chest_pitch = figure.chest_pitch + rng.uniform(0.0, 0.2) * (1 + runs)


def sit(figure: Figure, rate: float) -> None:
    arms.hold(figure, str(figure.rng.choice(arms.NAMES)))
    arms.sit(figure)
    arms.busy(figure, figure.rng.uniform(0.05, 0.5), rate)


def _down_and_up(figure: Figure, rate: float, deepest: float, lean: float) -> None:
    """Let the hips down, as onto a chair, and come up again some time later."""
    there = stays(figure, rate)
    build, rng = figure.build, figure.rng
    stands = figure.pelvis.copy()
    below = vec(
        0.0,
        stands[:, 1] - deepest * build.leg,
        -rng.uniform(0.15, 0.35) * build.height * (0.5 + deepest),
    )
    figure.pelvis = mix(stands, below, there)
    moving = np.sin(np.pi * there)
    figure.chest_pitch = 0.05 + lean * moving + rng.uniform(0.0, 0.3) * there
    figure.pelvis_pitch = figure.chest_pitch.copy()


def chair(figure: Figure, rate: float) -> None:
    rng = figure.rng
    names = ("hanging", "low", "folded", "on_hips")
    arms.way(figure, str(rng.choice(names)), str(rng.choice(names)), stays(figure, rate))
    _down_and_up(figure, rate, rng.uniform(0.35, 0.5), rng.uniform(0.5, 1.0))


def shoes(figure: Figure, rate: float) -> None:
    """Bend or kneel down to the feet, and be busy there."""
    rng = figure.rng
    _down_and_up(figure, rate, rng.uniform(0.05, 0.65), 0.0)
    there = stays(figure, rate)
    figure.chest_pitch = 0.05 + rng.uniform(0.8, 1.6) * there
    figure.pelvis_pitch = 0.8 * figure.chest_pitch
    arms.hang(figure, ahead=float(rng.uniform(0.0, 0.5)))
    arms.busy(figure, rng.uniform(0.1, 0.4), 0.5 * rate)


def pick_up(figure: Figure, rate: float) -> None:
    """Bend down once, take something with one hand, put it somewhere."""
    rng = figure.rng
    low = strokes(figure, rate, 1.0, 2.5, 0.0)
    shift_hips(figure, -rng.uniform(0.05, 0.45) * low)
    figure.chest_pitch = 0.05 + rng.uniform(0.5, 1.4) * low
    figure.pelvis_pitch = 0.8 * figure.chest_pitch
    side = int(rng.integers(0, 2))
    arms.hold(figure, str(rng.choice(["hanging", "low", "on_hips"])))
    arms.hang(figure, (side,), ahead=float(rng.uniform(0.0, 0.4)))
    figure.chest_yaw = SIDES[side] * rng.uniform(-0.6, 0.2) * low


def reach(figure: Figure, rate: float) -> None:
    """Reach up to a shelf, forward or aside, and stay a moment."""
    rng = figure.rng
    sides = (0, 1) if rng.random() < 0.4 else (int(rng.integers(0, 2)),)
    part = stays(figure, rate) if rng.random() < 0.5 else strokes(figure, rate, 1.0, 3.5, 0.0)
    arms.hold(figure, str(rng.choice(["hanging", "low"])))
    to = ("overhead", "overhead", "forward", "aside", "beside_head")
    arms.way(
        figure, str(rng.choice(["hanging", "low", "folded"])), str(rng.choice(to)), part, sides
    )
    figure.chest_roll = rng.normal(0.0, 0.2) * part
    figure.pelvis = figure.pelvis + vec(0.0, 0.03 * part, 0.0)


def wave(figure: Figure, rate: float) -> None:
    rng = figure.rng
    side = int(rng.integers(0, 2))
    sign = SIDES[side]
    angle = 0.6 * np.sin(2.0 * np.pi * np.arange(figure.count) / (rng.uniform(0.4, 1.2) * rate))
    upper = vec(sign * 1.0, rng.uniform(-0.6, 0.6), rng.uniform(0.0, 0.6))
    arms.hold(figure, str(rng.choice(["hanging", "on_hips", "low"])))
    up = np.broadcast_to(unit(upper), (figure.count, 3))
    figure.point_arm(side, up, unit(vec(sign * np.sin(angle), np.cos(angle), 0.2)))


def dance(figure: Figure, rate: float) -> None:
    rng = figure.rng
    beat = rng.uniform(0.35, 1.2) * rate
    angle = 2.0 * np.pi * np.arange(figure.count) / beat
    for side in (0, 1):
        lag = rng.uniform(0.0, 6.0)
        part = 0.5 + 0.5 * np.sin(angle * rng.choice([0.5, 1.0]) + lag)
        arms.way(figure, str(rng.choice(arms.NAMES)), str(rng.choice(arms.NAMES)), part, (side,))
        step = np.maximum(np.sin(angle * 0.5 + np.pi * side), 0.0)
        off = vec(SIDES[side] * rng.uniform(0.0, 0.25), rng.uniform(0.0, 0.15), rng.normal(0, 0.1))
        figure.ankles[side] = figure.ankles[side] + step[:, None] * off
    arms.busy(figure, rng.uniform(0.1, 0.4), 0.6 * rate)
    sway = rng.uniform(0.0, 0.12) * np.sin(0.5 * angle)
    figure.pelvis = figure.pelvis + vec(
        sway, -0.02 - rng.uniform(0.0, 0.08) * np.sin(angle) ** 2, 0.0
    )
    figure.chest_yaw = rng.uniform(0.0, 0.6) * np.sin(0.5 * angle + 1.0)
    figure.chest_roll = rng.uniform(0.0, 0.3) * np.sin(0.5 * angle)
