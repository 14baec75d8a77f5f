"""What surfaces look like before light falls on them.

A group of solids has one row here: two colours, a kind, and a frame of reference in which its
pattern is painted, so that a face or a print moves with the body.
"""

# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators, allow-incomplete-defs
# Numba compiles the functions for the types that it sees; annotations would say the same twice.

import math
from enum import IntEnum

import numpy as np
from numba import njit

from .geometry import Vector

# The columns of a group's row.
COLOUR = 0  # 3: linear red, green, blue
KIND = 3
COLOUR_2 = 4  # 3: brows and beard, a shirt's pattern, a shoe's sole
SHINE = 7
FRAME = 8  # which row of the frames
AMOUNT = 9  # a beard's strength, or a shirt's pattern

# The columns of a frame's row: origin (3), rotation world to local (9), scale.
FRAME_AXES = 3
FRAME_SCALE = 12

# Above this height a shoe is upper, below it sole; in metres from the ankle, downwards.
SOLE_TOP_M = -0.046


class Kind(IntEnum):
    PLAIN = 0
    FACE = 1
    CLOTH = 2
    HAIR = 3
    SHOE = 4
    SKIN = 5


FACE = int(Kind.FACE)
CLOTH = int(Kind.CLOTH)
HAIR = int(Kind.HAIR)
SHOE = int(Kind.SHOE)
SKIN = int(Kind.SKIN)


def linear_colour(srgb: str) -> Vector:
    """'#rrggbb' as linear light (IEC 61966-2-1), three numbers in 0..1."""
    digits = srgb.lstrip("#")
    coded = np.array([int(digits[i : i + 2], 16) for i in (0, 2, 4)]) / 255.0
    return np.where(coded <= 0.04045, coded / 12.92, ((coded + 0.055) / 1.055) ** 2.4)


@njit(fastmath=True, cache=True)
def smooth_step(low, high, x):
    t = min(max((x - low) / (high - low), 0.0), 1.0)
    return t * t * (3.0 - 2.0 * t)


@njit(fastmath=True, cache=True)
def lattice(i, j, k):
    """A number in 0..1 that belongs to a lattice point."""
    n = (i * 374761393 + j * 668265263 + k * 2147483647) & 0x7FFFFFFF
    n = ((n ^ (n >> 13)) * 1274126177) & 0x7FFFFFFF
    return ((n ^ (n >> 16)) & 0xFFFF) / 65535.0


@njit(fastmath=True, cache=True)
def noise(x, y, z):
    """Value noise in -1..1, smooth over one unit."""
    fx = math.floor(x)
    fy = math.floor(y)
    fz = math.floor(z)
    i = int(fx)
    j = int(fy)
    k = int(fz)
    u = smooth_step(0.0, 1.0, x - fx)
    v = smooth_step(0.0, 1.0, y - fy)
    w = smooth_step(0.0, 1.0, z - fz)
    total = 0.0
    for a in range(2):
        wa = u if a else 1.0 - u
        for b in range(2):
            wb = v if b else 1.0 - v
            for c in range(2):
                wc = w if c else 1.0 - w
                total += wa * wb * wc * lattice(i + a, j + b, k + c)
    return total * 2.0 - 1.0


@njit(fastmath=True, cache=True)
def to_frame(frames, f, x, y, z):
    """A world point in a frame's own coordinates, unscaled."""
    dx = x - frames[f, 0]
    dy = y - frames[f, 1]
    dz = z - frames[f, 2]
    lx = frames[f, 3] * dx + frames[f, 4] * dy + frames[f, 5] * dz
    ly = frames[f, 6] * dx + frames[f, 7] * dy + frames[f, 8] * dz
    lz = frames[f, 9] * dx + frames[f, 10] * dy + frames[f, 11] * dz
    return lx, ly, lz


@njit(fastmath=True, cache=True)
def darken(out, red, green, blue):
    out[0] *= red
    out[1] *= green
    out[2] *= blue


@njit(fastmath=True, cache=True)
def blend_to(out, red, green, blue, amount):
    out[0] += (red - out[0]) * amount
    out[1] += (green - out[1]) * amount
    out[2] += (blue - out[2]) * amount


@njit(fastmath=True, cache=True)
def paint_eye(out, ax, ly):
    """White, iris, pupil and lid, at a distance ax from the middle of the face."""
    ex = (ax - 0.031) / 0.0145
    ey = ly / 0.0066
    ellipse = ex * ex + ey * ey
    if ellipse >= 1.25:
        return
    out[0] = 0.62
    out[1] = 0.60
    out[2] = 0.57
    from_pupil = (ax - 0.031) ** 2 + ly**2
    if from_pupil < 0.0066**2:
        out[0] = 0.07
        out[1] = 0.04
        out[2] = 0.025
    if from_pupil < 0.003**2:
        out[0] = 0.005
        out[1] = 0.005
        out[2] = 0.005
    if ellipse > 0.8 and ly > -0.003:
        darken(out, 0.1, 0.1, 0.1)


@njit(fastmath=True, cache=True)
def paint_lips(out, ax, ly):
    half_width = 0.026
    if ax >= half_width or ly >= -0.056 or ly <= -0.086:
        return
    corner = 1.0 - smooth_step(0.85, 1.0, ax / half_width)
    half_height = 0.0088 * math.sqrt(1.0 - (ax / half_width) ** 2)
    lip = 1.0 - smooth_step(half_height * 0.7, half_height * 1.1 + 0.0002, abs(ly + 0.0705))
    lip *= corner
    darken(out, 1.0 - 0.20 * lip, 1.0 - 0.48 * lip, 1.0 - 0.45 * lip)
    line = (1.0 - smooth_step(0.0008, 0.002, abs(ly + 0.0700))) * corner
    darken(out, 1.0 - 0.65 * line, 1.0 - 0.7 * line, 1.0 - 0.7 * line)


@njit(fastmath=True, cache=True)
def paint_beard(out, row, ax, ly, lz):
    if row[AMOUNT] <= 0.0 or lz <= -0.02 or ly >= -0.03:
        return
    amount = row[AMOUNT] * smooth_step(-0.035, -0.06, ly) * smooth_step(-0.02, 0.02, lz)
    amount *= 1.0 - 0.8 * math.exp(-((ax / 0.024) ** 4 + ((ly + 0.071) / 0.011) ** 4))
    if ly < -0.118:
        amount *= max(0.0, 1.0 - (-0.118 - ly) / 0.02)
    blend_to(out, row[4], row[5], row[6], amount)


@njit(fastmath=True, cache=True)
def paint_face(out, row, lx, ly, lz):
    """The head's own frame: x to its left, y up, z to the nose; a head 0.229 units tall."""
    ax = abs(lx)
    if lz > 0.03:
        cheek = math.exp(-((ax - 0.042) ** 2 / 0.0004 + (ly + 0.038) ** 2 / 0.0005)) * 0.35
        darken(out, 1.0, 1.0 - cheek * 0.35, 1.0 - cheek * 0.35)
        socket = math.exp(-((ax - 0.031) ** 2 / 0.00035 + ly**2 / 0.00014)) * 0.45
        darken(out, 1.0 - socket * 0.55, 1.0 - socket * 0.6, 1.0 - socket * 0.6)
        paint_eye(out, ax, ly)
        if 0.012 < ax < 0.053:
            arch = 0.017 + 0.004 * math.cos((ax - 0.034) / 0.02)
            brow = 1.0 - smooth_step(0.0022, 0.0052, abs(ly - arch))
            blend_to(out, row[4], row[5], row[6], 0.9 * brow)
        paint_lips(out, ax, ly)
        nostril = math.exp(-((ax - 0.0075) ** 2 / 0.00001 + (ly + 0.0505) ** 2 / 0.000008))
        darken(out, 1.0 - 0.75 * nostril, 1.0 - 0.8 * nostril, 1.0 - 0.8 * nostril)
    paint_beard(out, row, ax, ly, lz)


@njit(fastmath=True, cache=True)
def has_pattern(pattern, lx, ly, lz):
    """Whether a shirt shows its second colour there; the chest's frame, in metres."""
    if pattern == 1.0:
        return math.sin(ly * 2.0 * math.pi / 0.075) > 0.35
    if pattern == 2.0:
        return abs(ly - 0.06) < 0.045
    if pattern == 4.0:
        inside = lz > 0.0 and abs(lx) < 0.07 and 0.0 < ly < 0.11
        return inside and (lx + 0.02) ** 2 + (ly - 0.055) ** 2 > 0.02**2
    return False


@njit(fastmath=True, cache=True)
def paint(materials, frames, group, x, y, z, out):
    """Write the linear colour of a group at a world point to out[0..2], its folds to out[3]."""
    row = materials[group]
    kind = int(row[KIND])
    f = int(row[FRAME])
    lx, ly, lz = to_frame(frames, f, x, y, z)
    scale = 1.0 / frames[f, FRAME_SCALE]
    lx *= scale
    ly *= scale
    lz *= scale
    out[0] = row[0]
    out[1] = row[1]
    out[2] = row[2]
    out[3] = 0.0
    grain = 1.0
    if kind == FACE:
        grain = 1.0 + 0.04 * noise(lx * 60, ly * 60, lz * 60)
        paint_face(out, row, lx, ly, lz)
    elif kind == CLOTH:
        grain = 1.0 + 0.05 * noise(lx * 220, ly * 220, lz * 220)
        if has_pattern(row[AMOUNT], lx, ly, lz):
            blend_to(out, row[4], row[5], row[6], 1.0)
        out[3] = 1.0
    elif kind == HAIR:
        grain = 1.0 + 0.35 * noise(lx * 140, ly * 30, lz * 140)
        out[3] = 0.5
    elif kind == SHOE:
        if ly < SOLE_TOP_M:
            blend_to(out, row[4], row[5], row[6], 1.0)
    elif kind == SKIN:
        grain = 1.0 + 0.04 * noise(lx * 60, ly * 60, lz * 60)
    darken(out, grain, grain, grain)
