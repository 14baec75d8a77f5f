"""Sports, and other training; each poses a `Figure`. Times are in frames, `rate` a second."""

from __future__ import annotations

import numpy as np

from tools.exercise_network import arms, floor
from tools.exercise_network.body import SIDES, Figure, mix, vec, wandering
from tools.exercise_network.strokes import shift_hips, stays, strokes, zeros


def stretch(figure: Figure, rate: float) -> None:
    """Bend aside, twist, reach for the toes or hold an arm; slowly, and stay."""
    rng = figure.rng
    part = stays(figure, rate) if rng.random() < 0.6 else strokes(figure, rate, 2.0, 5.0, 0.5)
    kind = str(rng.choice(["aside", "toes", "twist", "arm", "quad", "up"]))
    arms.hold(figure, str(rng.choice(["on_hips", "overhead", "hanging", "crossed", "aside"])))
    if kind == "aside":
        figure.chest_roll = rng.choice([-1, 1]) * rng.uniform(0.2, 0.7) * part
    elif kind == "toes":
        figure.chest_pitch = 0.05 + rng.uniform(1.0, 2.0) * part
        figure.pelvis_pitch = 0.8 * figure.chest_pitch
        if rng.random() < 0.6:
            arms.hang(figure)
    elif kind == "twist":
        figure.chest_yaw = rng.choice([-1, 1]) * rng.uniform(0.4, 1.1) * (2.0 * part - 1.0)
    elif kind == "arm":
        arms.way(figure, "hanging", str(rng.choice(["crossed", "behind_head"])), part, (0,))
    elif kind == "quad":
        ankle = figure.ankles[0]
        figure.ankles[0] = mix(ankle, ankle + vec(0.0, 0.6 * figure.build.leg, -0.25), part)
        figure.knees_towards[0] = vec(np.zeros(figure.count), -0.5, 1.0)
    else:
        arms.way(figure, "hanging", "overhead", part)


def ball(figure: Figure, rate: float) -> None:
    """Throw, bounce, catch, hit or kick."""
    rng = figure.rng
    part = strokes(figure, rate, 0.4, 1.6, 0.4)
    sides = (0, 1) if rng.random() < 0.4 else (int(rng.integers(0, 2)),)
    ways = [
        ("low", "forward"),
        ("beside_head", "forward"),
        ("low", "overhead"),
        ("aside", "crossed"),
        ("folded", "forward"),
        ("overhead", "low"),
        ("behind", "forward"),
    ]
    start, end = ways[int(rng.integers(len(ways)))]
    arms.way(figure, start, end, part, sides)
    arms.busy(figure, rng.uniform(0.05, 0.3), 0.7 * rate)
    figure.chest_yaw = rng.normal(0.0, 0.6) * part
    figure.chest_pitch = figure.chest_pitch + rng.uniform(-0.1, 0.4) * part
    shift_hips(figure, -rng.uniform(0.0, 0.18) * np.roll(part, -int(0.2 * rate)) - 0.03)
    if rng.random() < 0.35:
        kick = vec(0.0, rng.uniform(0.1, 0.5), rng.uniform(0.2, 0.7))
        figure.ankles[1] = figure.ankles[1] + part[:, None] * kick


def jump(figure: Figure, rate: float) -> None:
    """Jump about, with a rope or without, arms as they come."""
    rng = figure.rng
    part = strokes(figure, rate, 0.35, 1.0, 0.6)
    up = rng.uniform(0.03, 0.3) * part
    figure.pelvis = figure.pelvis + vec(0.0, up - 0.03, 0.0)
    apart = rng.uniform(0.0, 0.3) * wandering(rng, figure.count, (), rng.uniform(0.4, 2.0) * rate)
    for side, sign in enumerate(SIDES):
        figure.ankles[side] = figure.ankles[side] + vec(sign * np.abs(apart), 0.9 * up, 0.0)
    arms.hold(figure, str(rng.choice(["low", "hanging", "folded", "on_hips", "overhead"])))
    arms.busy(figure, rng.uniform(0.05, 0.5), rng.uniform(0.3, 1.0) * rate)


def wild(figure: Figure, rate: float) -> None:
    rng = figure.rng
    period = rng.uniform(0.4, 2.0) * rate
    arms.hold(figure, str(rng.choice(arms.NAMES)))
    arms.busy(figure, rng.uniform(0.3, 1.0), period)
    shift_hips(figure, -np.abs(0.12 * wandering(rng, figure.count, (), period)))
    figure.chest_pitch = 0.1 + 0.3 * wandering(rng, figure.count, (), period)
    figure.chest_roll = 0.15 * wandering(rng, figure.count, (), period)
    figure.chest_yaw = 0.5 * wandering(rng, figure.count, (), period)
    for side in (0, 1):
        moved = np.abs(0.12 * wandering(rng, figure.count, (3,), period))
        figure.ankles[side] = figure.ankles[side] + moved


def lie(figure: Figure, rate: float) -> None:
    """Lie, or sit on the floor, as it comes; lift a leg or an arm."""
    rng = figure.rng
    floor.sit_up(
        figure, np.full(figure.count, rng.choice([0.0, rng.uniform(0, 1), 1.0])), zeros(figure)
    )
    if rng.random() < 0.5:
        part = strokes(figure, rate, 1.0, 3.0, 0.6)
        sides = (0, 1) if rng.random() < 0.6 else (0,)
        for side in sides:
            up = vec(0.0, rng.uniform(0.2, 0.7), rng.uniform(-0.2, 0.3))
            figure.ankles[side] = figure.ankles[side] + part[:, None] * up
    arms.busy(figure, rng.uniform(0.02, 0.3), rate)


def kneel(figure: Figure, rate: float) -> None:
    """On the knees, upright or on all fours, busy; also crawling."""
    rng, build = figure.rng, figure.build
    still = np.zeros(figure.count)
    figure.pelvis = vec(still, 0.06 + build.thigh * rng.uniform(0.45, 1.0), 0.0)
    lean = rng.uniform(0.0, 1.6)
    figure.chest_pitch = lean + 0.1 * wandering(rng, figure.count, (), rate)
    figure.pelvis_pitch = 0.85 * figure.chest_pitch
    part = strokes(figure, rate, 0.6, 2.0, 0.5) * (rng.random() < 0.4)
    for side, sign in enumerate(SIDES):
        ahead = -0.95 * build.shank + 0.15 * (part if side else 1.0 - part)
        figure.ankles[side] = vec(still + sign * 0.1, 0.06, ahead)
        figure.knees_towards[side] = vec(still, -1.0, 1.0)
    if lean > 0.8:
        arms.hang(figure, ahead=0.1)
    else:
        arms.hold(figure, str(rng.choice(arms.NAMES)))
    arms.busy(figure, rng.uniform(0.05, 0.5), rate)


def hang(figure: Figure, rate: float) -> None:
    """Hang from a bar or stand under one, without pulling."""
    rng = figure.rng
    floor.pull_up(figure, np.full(figure.count, rng.uniform(0.0, 0.12)), zeros(figure))
    if rng.random() < 0.4:
        up = strokes(figure, rate, 1.0, 3.0, 0.7)[:, None] * vec(0.0, 0.4, 0.4)
        figure.ankles = [each + up for each in figure.ankles]


def prone(figure: Figure, rate: float) -> None:
    """Get ready on hands and feet or knees, climb, lie down: no push-up, no still plank."""
    rng, build = figure.rng, figure.build
    period = rng.uniform(0.6, 2.0) * rate
    height = build.arm * np.clip(0.8 + 0.15 * wandering(rng, figure.count, (), period), 0.3, 1.0)
    sag = rng.uniform(0.0, 0.45) + 0.1 * wandering(rng, figure.count, (), period)
    floor.prone(figure, height, sag=sag, on_knees=rng.random() < 0.4)
    if rng.random() < 0.5:
        angle = 2.0 * np.pi * np.arange(figure.count) / (rng.uniform(0.5, 1.2) * rate)
        for side in (0, 1):
            drawn = np.maximum(np.sin(angle + np.pi * side), 0.0)
            figure.ankles[side] = figure.ankles[side] + drawn[:, None] * vec(0.0, 0.1, 0.5)


def dip(figure: Figure, rate: float) -> None:
    rng, build = figure.rng, figure.build
    depth = strokes(figure, rate, 0.9, 3.0, 0.9)
    bar, wide = 1.1, build.half_shoulders * rng.uniform(0.95, 1.4)
    over = build.arm * (rng.uniform(0.9, 0.98) - rng.uniform(0.3, 0.6) * depth)
    figure.chest_pitch = np.radians(rng.uniform(0.0, 12.0) + rng.uniform(0.0, 35.0) * depth)
    figure.pelvis_pitch = figure.chest_pitch.copy()
    pitch = figure.chest_pitch
    figure.pelvis = vec(
        0.0, bar + over - build.trunk * np.cos(pitch), -0.6 * build.trunk * np.sin(pitch)
    )
    floor.hanging_legs(figure, 0.0)
    if rng.random() < 0.3:
        # From a bench behind the back, the legs out in front.
        ahead = rng.uniform(0.6, 1.0) * build.leg
        for side, sign in enumerate(SIDES):
            figure.ankles[side] = vec(np.full(figure.count, sign * 0.08), 0.62, ahead)
    for side, sign in enumerate(SIDES):
        grip = vec(np.full(figure.count, sign * wide), bar, rng.normal(-0.02, 0.04))
        figure.reach(side, grip, vec(np.full(figure.count, sign * 0.4), 0.2, -1.0))


def arms_training(figure: Figure, rate: float) -> None:
    """Rows, raises to the front, triceps, shrugs, arm circles, boxing, pull-downs while seated."""
    rng = figure.rng
    part = strokes(figure, rate, 0.6, 3.0, 0.85)
    if rng.random() < 0.3:
        arms.sit(figure)
    kind = str(rng.choice(["row", "front", "triceps", "circles", "box", "pull_down", "swing"]))
    if kind == "row":
        figure.chest_pitch = np.full(figure.count, rng.uniform(0.3, 1.4))
        figure.pelvis_pitch = figure.chest_pitch.copy()
        arms.hang(figure)
        for side, sign in enumerate(SIDES):
            down = figure.arms[side].upper
            figure.point_arm(side, down + part[:, None] * vec(sign * 0.3, 0.9, -1.4), down)
    elif kind == "front":
        for side in (0, 1):
            angle = np.radians(10.0 + rng.uniform(60.0, 170.0) * part)
            arms.raised(figure, side, angle, 1.0, 0.0)
    elif kind == "triceps":
        arms.way(figure, "behind_head", "overhead", part)
    elif kind == "circles":
        angle = 2.0 * np.pi * np.arange(figure.count) / (rng.uniform(0.5, 2.0) * rate)
        for side, sign in enumerate(SIDES):
            upper = vec(sign * 1.0, 0.5 * np.sin(angle), 0.5 * np.cos(angle))
            figure.point_arm(side, upper, upper)
    elif kind == "box":
        for side in (0, 1):
            hit = np.clip((part if side else 1.0 - part) * 2.0 - 0.8, 0.0, 1.0)
            arms.way(figure, "folded", "forward", hit, (side,))
    elif kind == "pull_down":
        arms.sit(figure)
        arms.way(figure, "overhead", "beside_head", part)
    else:
        figure.chest_pitch = 0.1 + rng.uniform(0.5, 1.2) * part
        figure.pelvis_pitch = figure.chest_pitch.copy()
        arms.way(figure, "forward", "hanging", part)


def legs_training(figure: Figure, rate: float) -> None:
    """High knees, side steps, kicks, calf raises, one leg lifted."""
    rng = figure.rng
    angle = 2.0 * np.pi * np.arange(figure.count) / (rng.uniform(0.6, 2.5) * rate)
    kind = str(rng.choice(["knees", "side", "calf", "kick_back"]))
    arms.hold(figure, str(rng.choice(["on_hips", "hanging", "folded", "forward", "aside"])))
    arms.busy(figure, rng.uniform(0.0, 0.3), 0.6 * rate)
    for side, sign in enumerate(SIDES):
        lifted = np.maximum(np.sin(angle + np.pi * side), 0.0)
        ways = {"knees": (0.0, rng.uniform(0.3, 0.55), 0.25), "side": (sign * 0.3, 0.08, 0.0),
                "calf": (0.0, 0.0, 0.0), "kick_back": (0.0, 0.35, -0.35)}  # fmt: skip
        figure.ankles[side] = figure.ankles[side] + lifted[:, None] * vec(*ways[kind])
    if kind == "calf":
        up = 0.07 * (0.5 - 0.5 * np.cos(angle))
        figure.pelvis = figure.pelvis + vec(0.0, up, 0.0)
        figure.ankles = [each + vec(0.0, up, 0.0) for each in figure.ankles]
