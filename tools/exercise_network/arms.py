"""What arms do beside an exercise: held somewhere, or on their way between two places."""

from __future__ import annotations

import numpy as np

from tools.exercise_network.body import SIDES, Array, Figure, bent, mix, turn, unit, vec, wandering

# Upper arm and forearm in the chest's frame; x is away from the body.
HELD = {
    "hanging": ((0.16, -1.0, 0.03), (0.10, -1.0, 0.18)),
    "forward": ((0.05, -0.12, 1.0), (-0.06, 0.0, 1.0)),
    "goblet": ((0.12, -0.9, 0.45), (-0.5, 0.65, 0.6)),
    "front_rack": ((0.25, -0.35, 0.9), (-0.3, 0.75, -0.5)),
    "back_rack": ((0.55, -0.7, -0.35), (0.15, 0.95, 0.1)),
    "behind_head": ((0.9, 0.25, 0.2), (-0.75, 0.4, -0.45)),
    "on_hips": ((0.6, -0.75, -0.35), (-0.5, -0.6, 0.5)),
    "crossed": ((0.15, -0.5, 0.85), (-0.95, 0.15, 0.2)),
    "folded": ((0.35, -0.85, 0.4), (-0.6, 0.5, 0.55)),
    "overhead": ((0.2, 1.0, 0.1), (0.05, 1.0, 0.05)),
    "aside": ((1.0, 0.0, 0.05), (1.0, 0.05, 0.1)),
    "low": ((0.2, -0.9, 0.4), (-0.1, -0.5, 0.85)),
    "beside_head": ((0.7, -0.2, 0.5), (0.0, 1.0, -0.1)),
    "phone": ((0.2, -0.9, 0.35), (-0.2, 0.9, 0.25)),
    "behind": ((0.3, -0.95, -0.4), (-0.7, -0.4, -0.3)),
}
NAMES = tuple(HELD)


def hold(figure: Figure, name: str, sides: tuple[int, ...] = (0, 1)) -> None:
    """Hold the arms somewhere."""
    way(figure, name, name, 0.0, sides)


def way(
    figure: Figure, start: str, end: str, part: object, sides: tuple[int, ...] = (0, 1)
) -> None:
    """Bring the arms from one place to another; `part` is how far, 0 to 1."""
    off = figure.rng.normal(size=(2, 3)) * 0.12
    for side in sides:
        outwards = (SIDES[side], 1.0, 1.0)
        bones = []
        for number in (0, 1):
            first = unit((vec(*HELD[start][number]) + off[number]) * outwards)
            last = unit((vec(*HELD[end][number]) + off[number]) * outwards)
            bones.append(unit(mix(first, last, part) + vec(0.0, 0.0, 1e-3)))
        figure.point_arm(side, *bones)


def hang(figure: Figure, sides: tuple[int, ...] = (0, 1), *, ahead: float = 0.0) -> None:
    """Let the arms hang straight down, however the trunk leans."""
    upright = bent(-figure.chest_pitch)
    for side in sides:
        down = vec(SIDES[side] * figure.rng.uniform(-0.05, 0.15), -1.0, ahead)
        way_down = turn(upright, unit(down))
        figure.point_arm(side, way_down, way_down)


def by_arm(figure: Figure, depth: Array, number: Array) -> list[Array]:
    """Return each arm's own depth: both together, one alone, or in turns."""
    rng = figure.rng
    kind = rng.choice(["both", "both", "both", "one", "turns"])
    if kind == "both":
        lag = int(rng.integers(0, 3))
        return [depth, np.concatenate([np.full(lag, depth[0]), depth[: len(depth) - lag]])]
    if kind == "one":
        idle = np.full_like(depth, 0.8 if rng.random() < 0.2 else 0.0)
        return [depth, idle] if rng.random() < 0.5 else [idle, depth]
    return [depth * (number % 2 == 0), depth * (number % 2 == 1)]


def sit(figure: Figure) -> None:
    """Sit on a chair or a bench."""
    rng, build = figure.rng, figure.build
    figure.pelvis = figure.pelvis.copy()
    figure.pelvis[:, 1] = build.ankle + build.shank * rng.uniform(0.85, 1.15)
    ahead, apart = build.thigh * rng.uniform(0.75, 1.1), rng.uniform(0.06, 0.3)
    still = np.zeros(figure.count)
    for side, sign in enumerate(SIDES):
        figure.ankles[side] = vec(still + sign * apart, build.ankle, ahead)
        figure.knees_towards[side] = vec(still + sign * 0.3, 1.0, 0.6)
    figure.chest_pitch = figure.chest_pitch + rng.normal(0.0, 0.15)
    figure.pelvis_pitch = figure.chest_pitch.copy()


def busy(figure: Figure, amount: float, period: float) -> None:
    """Move the arms about at random, around where they are."""
    rng = figure.rng
    for arm in figure.arms:
        arm.upper = unit(arm.upper + amount * wandering(rng, figure.count, (3,), period))
        arm.fore = unit(arm.fore + 1.3 * amount * wandering(rng, figure.count, (3,), period))


def raised(figure: Figure, side: int, angle: Array, forward: float, bend: Array | float) -> None:
    """Lift a straight arm: `angle` from hanging, aside (`forward` 0) to ahead (1)."""
    sign = SIDES[side]
    aside, ahead = sign * (1.0 - forward), forward

    def direction(at: Array) -> Array:
        return vec(aside * np.sin(at), -np.cos(at), ahead * np.sin(at) + 0.08)

    figure.point_arm(side, direction(angle), direction(angle + bend) + vec(0.0, 0.0, 0.06))
