"""What BlazePose says of a body that a camera looks at, mistakes included.

The mistakes are those that it makes on rendered and on real people: depth is too flat while limbs
keep their lengths, so that they look too straight; what is outside the frame or behind the body is
made up; the legs of somebody who lies towards the camera are guessed; left and right are mixed up
for a while; everything trembles. How much is drawn anew for each sequence.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tools.exercise_network.body import (
    ANKLES,
    BONES,
    ELBOWS,
    HIPS,
    KNEES,
    SHOULDERS,
    TOES,
    WRISTS,
    Array,
    Random,
    unit,
    wandering,
)

_HIDDEN_BY_BODY = (ELBOWS, WRISTS, KNEES, ANKLES, TOES)
_LEGS = slice(KNEES, TOES + 2)
_FRAMES = (0.5625, 0.75, 1.0, 1.33, 1.78)


@dataclass(slots=True)
class Seen:
    """Landmarks over time: (T, 15, 2) in heights of the frame, (T, 15, 3) metres, (T, 15)."""

    picture: Array
    world: Array
    visibility: Array


def look(
    rng: Random,
    body: Array,
    dt: float,
    *,
    floor: bool = False,
    side_on: bool = False,
    turned: bool = True,
) -> Seen:
    """Look at joints (T, 15, 3) in metres, y up, `dt` seconds apart.

    Parameters
    ----------
    floor
        Whether it is done lying: then less of it is cut off.
    side_on
        Whether people film it from the side.
    turned
        Whether to look from anywhere, and not only from about where it faces.
    """
    count = len(body)
    points = _turned(rng, body, dt, _yaw(rng, side_on) if turned else rng.normal(0.0, 0.2))
    away = rng.uniform(1.7, 6.0)
    picture, zoom, aspect = _filmed(rng, points, away, dt, floor)
    world = points - points[:, HIPS : HIPS + 2].mean(1, keepdims=True)
    visibility = np.full((count, 15), 0.97)
    # A metre in heights of the frame.
    scale = zoom / away
    seen = Seen(picture, world.copy(), visibility)
    _hide_far_side(rng, seen, points)
    outside = (
        (picture[..., 0] < 0.0)
        | (picture[..., 0] > aspect)
        | (picture[..., 1] < 0.0)
        | (picture[..., 1] > 1.0)
    )
    seen.visibility = np.where(outside, seen.visibility * rng.uniform(0.02, 0.5), seen.visibility)
    if rng.random() < 0.85:
        _make_up_outside(rng, seen, outside, scale, dt)
    _guess_legs_along(rng, seen, points, scale, dt)
    _flatten(rng, seen)
    _hide_by_things(rng, seen, scale, dt)
    _tremble(rng, seen, scale, dt)
    _mix_up_sides(rng, seen, dt)
    return seen


def _yaw(rng: Random, side_on: bool) -> float:
    """Return from where the camera looks: anywhere, mostly from in front, the side or between."""
    side = float(rng.choice([-1.0, 1.0]))
    if side_on and rng.random() < 0.75:
        return side * float(rng.normal(1.57, 0.4))
    kind = int(rng.integers(0, 5))
    if kind == 0:
        return float(rng.uniform(-np.pi, np.pi))
    if kind <= 2:
        return float(rng.normal(0.0, 0.5))
    return side * float(rng.normal(1.5 if kind == 3 else 0.75, 0.3))


def _turned(rng: Random, body: Array, dt: float, yaw: float) -> Array:
    """Return the points in the camera's axes: x to the right, y down, z away."""
    count = len(body)
    turning = np.zeros(count)
    if rng.random() < 0.12:
        turning = np.cumsum(wandering(rng, count, (), 2.0 / dt)) * dt * rng.uniform(0.05, 0.8)
    at = yaw + turning + 0.05 * wandering(rng, count, (), 2.0 / dt)
    c, s = np.cos(at)[:, None], np.sin(at)[:, None]
    x = body[..., 0] * c + body[..., 2] * s
    z = -body[..., 0] * s + body[..., 2] * c
    # Who faces the camera has their left on the picture's right.
    points = np.stack([x, -body[..., 1], -z], -1)
    middle = 0.5 * (points.max((0, 1)) + points.min((0, 1)))
    tilt = rng.normal(0.08, 0.18) if rng.random() < 0.85 else rng.uniform(-0.4, 0.8)
    roll = rng.normal(0.0, 0.06)
    ct, st, cr, sr = np.cos(tilt), np.sin(tilt), np.cos(roll), np.sin(roll)
    rolled = np.array([[cr, -sr, 0.0], [sr, cr, 0.0], [0.0, 0.0, 1.0]])
    tilted = np.array([[1.0, 0.0, 0.0], [0.0, ct, -st], [0.0, st, ct]])
    turned: Array = (points - middle) @ (rolled @ tilted).T
    return turned


def _filmed(
    rng: Random, points: Array, away: float, dt: float, floor: bool
) -> tuple[Array, float, float]:
    """Return places in the frame, how much a metre one metre away is, and the frame's width."""
    flat = points[..., :2] / np.maximum(away + points[..., 2:], 0.5)
    extent = float((flat.max((0, 1)) - flat.min((0, 1))).max())
    aspect = float(rng.choice(_FRAMES))
    zoom, moved = rng.uniform(0.25, 0.95) / extent, rng.normal(0.0, 0.04, 2)
    if rng.random() < (0.25 if floor else 0.45):
        # Close: the shoulders are in the frame; what is below them, or the head, may not be.
        zoom = rng.uniform(0.9, 2.4) / extent
        shoulders = np.median(flat[:, SHOULDERS : SHOULDERS + 2].mean(1), 0) * zoom
        place = np.array([aspect / 2.0 + rng.normal(0.0, 0.1), rng.uniform(0.08, 0.65)])
        moved = place - shoulders - (aspect / 2.0, 0.5)
    if rng.random() < 0.18:
        # A hand-held camera.
        count = len(points)
        nearer = np.exp(0.1 * wandering(rng, count, (), 3.0 / dt))[:, None, None]
        flat = flat * nearer + 0.05 * wandering(rng, count, (1, 2), 3.0 / dt)
    return flat * zoom + moved + (aspect / 2.0, 0.5), zoom, aspect


def _hide_far_side(rng: Random, seen: Seen, points: Array) -> None:
    """The limbs behind the body are seen less, and taken to be where the near ones are."""
    depth = points[..., 2]
    behind = depth[:, 1] - depth[:, 2] + depth[:, 7] - depth[:, 8]
    strength = np.clip(np.abs(behind) / 0.5 - 0.3, 0.0, 1.0)[:, None] * rng.uniform(0.2, 1.0)
    wrong = rng.uniform(0.0, 0.8) if rng.random() < 0.5 else 0.0
    dims = rng.uniform(0.3, 0.95)
    left_is_far = (behind > 0.0)[:, None]
    for first in _HIDDEN_BY_BODY:
        for far, near, is_far in (
            (first, first + 1, left_is_far),
            (first + 1, first, ~left_is_far),
        ):
            part = strength * is_far
            off = seen.picture[:, near] - seen.picture[:, far]
            seen.picture[:, far] += wrong * part * off
            seen.world[:, far, :2] += (
                wrong * part * (seen.world[:, near] - seen.world[:, far])[:, :2]
            )
            seen.visibility[:, far] -= (part * dims)[:, 0]


def _make_up_outside(rng: Random, seen: Seen, outside: Array, scale: float, dt: float) -> None:
    """Legs outside the frame hang from the hips, arms from the shoulders, as they mostly do."""
    count = len(seen.picture)
    wander = wandering(rng, count, (2, 3), 0.7 / dt) * rng.uniform(0.01, 0.08)
    long, ahead = rng.uniform(0.25, 1.05), rng.normal(0.0, 0.2)
    for side in (0, 1):
        aside = rng.normal(0.0, 0.06)
        for first, down, forward in ((KNEES, 0.42, 1.0), (ANKLES, 0.82, 0.3), (TOES, 0.9, 0.3)):
            point = first + side
            gone = outside[:, point, None].astype(float)
            way = np.array([aside, down * long, forward * ahead]) + wander[:, side]
            seen.world[:, point] += gone * (seen.world[:, HIPS + side] + way - seen.world[:, point])
            picture = seen.picture[:, HIPS + side] + way[:, :2] * scale
            seen.picture[:, point] += gone * (picture - seen.picture[:, point])
    if rng.random() < 0.5:
        # Hands outside stay near the frame's edge, and shake.
        shaking = wandering(rng, count, (4, 3), 0.4 / dt) * rng.uniform(0.02, 0.12)
        for number, point in enumerate((ELBOWS, ELBOWS + 1, WRISTS, WRISTS + 1)):
            gone = outside[:, point, None]
            seen.world[:, point] += gone * shaking[:, number]
            seen.picture[:, point] += gone * shaking[:, number, :2] * scale


def _guess_legs_along(rng: Random, seen: Seen, points: Array, scale: float, dt: float) -> None:
    """Of who lies or kneels along the way of looking, legs are a guess."""
    if rng.random() > 0.7:
        return
    trunk = points[:, SHOULDERS : SHOULDERS + 2].mean(1) - points[:, HIPS : HIPS + 2].mean(1)
    along = np.abs(trunk[:, 2]) / np.maximum(np.linalg.norm(trunk, axis=-1), 1e-6)
    guess = (rng.uniform(0.2, 1.0) * np.clip(2.0 * along - 0.8, 0.0, 1.0))[:, None, None]
    off = rng.normal(0.0, 0.12, (1, 6, 2)) + 0.05 * wandering(rng, len(points), (6, 2), 0.5 / dt)
    seen.world[:, _LEGS, :2] += guess * off
    seen.picture[:, _LEGS] += guess * off * scale
    seen.visibility[:, _LEGS] *= 1.0 - 0.8 * guess[..., 0]
    if rng.random() < 0.4:
        # The trunk is taken to be more upright than it is, and further away.
        part = guess[:, 0] * rng.uniform(0.1, 0.8)
        up = np.array([0.0, -0.5, 0.0]) - seen.world[:, 1:3].mean(1)
        seen.world[:, :HIPS] += (part * up)[:, None]


def _flatten(rng: Random, seen: Seen) -> None:
    """Depth is less than it is, and limbs keep their lengths: so they look straighter."""
    kind = rng.random()
    if kind < 0.3:
        seen.world *= (1.0, 1.0, rng.uniform(0.7, 1.15))
        return
    depth, keeps = rng.uniform(0.15, 1.1), rng.uniform(0.0, 1.0)
    if kind < 0.6:
        # Who squats before the camera seems to stand further away.
        depth, keeps = rng.uniform(0.05, 0.4), rng.uniform(0.7, 1.0)

    def shortened(limb: Array) -> Array:
        flat = limb * (1.0, 1.0, depth)
        length = np.linalg.norm(limb, axis=-1, keepdims=True)
        return (1.0 - keeps) * flat + keeps * unit(flat) * length

    world = seen.world
    out = world.copy()
    trunk = world[:, SHOULDERS : SHOULDERS + 2].mean(1) - world[:, HIPS : HIPS + 2].mean(1)
    upper = slice(0, ELBOWS)
    out[:, upper] = (world[:, upper] - trunk[:, None]) * (1.0, 1.0, depth) + shortened(trunk)[
        :, None
    ]
    hips = slice(HIPS, HIPS + 2)
    out[:, hips] = world[:, hips] * (1.0, 1.0, max(depth, 0.5))
    for root, end in BONES:
        out[:, end] = out[:, root] + shortened(world[:, end] - world[:, root])
    seen.world = out * np.exp(rng.normal(0.0, 0.1))


def _hide_by_things(rng: Random, seen: Seen, scale: float, dt: float) -> None:
    """A rack, a bench, a weight or somebody hides a few joints for a while or for good."""
    if rng.random() > 0.25:
        return
    count = len(seen.picture)
    chosen = rng.choice(15, int(rng.integers(1, 7)), replace=False)
    begins = rng.uniform(-0.5, 0.8) * count
    lasts = rng.uniform(0.2, 1.5) * count
    frames = np.arange(count)
    hidden = ((frames >= begins) & (frames < begins + lasts)).astype(float)[:, None, None]
    off = rng.normal(0.0, 0.06, (1, len(chosen), 3)) + rng.uniform(0.01, 0.08) * wandering(
        rng, count, (len(chosen), 3), 0.5 / dt
    )
    seen.world[:, chosen] += hidden * off
    seen.picture[:, chosen] += hidden * off[..., :2] * scale
    seen.visibility[:, chosen] *= 1.0 - hidden[..., 0] * rng.uniform(0.3, 0.9)


def _tremble(rng: Random, seen: Seen, scale: float, dt: float) -> None:
    count = len(seen.picture)
    level = float(np.exp(rng.uniform(np.log(0.002), np.log(0.02))))
    doubt = 1.0 + 3.0 * (1.0 - np.clip(seen.visibility, 0.0, 1.0))[..., None]
    quick, slow = max(rng.uniform(0.1, 0.25) / dt, 1.0), 1.5 / dt

    def noise(axes: int, fast: float, white: float, drift: float) -> Array:
        return (
            fast * wandering(rng, count, (15, axes), quick)
            + white * rng.normal(size=(count, 15, axes))
            + drift * wandering(rng, count, (15, axes), slow)
        )

    seen.picture = seen.picture + doubt * level * scale * noise(2, 1.0, 0.4, 1.0)
    seen.world = seen.world + doubt * level * noise(3, 1.3, 0.5, 1.5)
    flicker = 0.08 * wandering(rng, count, (15,), 0.5 / dt) * (1.1 - seen.visibility)
    seen.visibility = np.clip(seen.visibility + flicker, 0.001, 0.9999)


def _mix_up_sides(rng: Random, seen: Seen, dt: float) -> None:
    if rng.random() > 0.15:
        return
    count = len(seen.picture)
    for _ in range(int(rng.integers(1, 4))):
        start = int(rng.integers(0, count))
        span = slice(start, start + int(rng.uniform(0.1, 2.0) / dt))
        for first in (KNEES, ANKLES, TOES) if rng.random() < 0.6 else (ELBOWS, WRISTS):
            pair, swapped = [first, first + 1], [first + 1, first]
            for array in (seen.picture, seen.world, seen.visibility):
                array[span, pair] = array[span, swapped]
