"""Signed distance to the solids of a scene, and which solids a ray can meet.

A solid is a row of floats: an ellipsoid, or a cone with round ends. Solids of one group melt into
each other (a smooth union, or a smooth subtraction) and have one material; groups stay apart.
"""

# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators, allow-incomplete-defs
# Numba compiles the functions for the types that it sees; annotations would say the same twice.

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

# The columns of a solid's row.
ORIGIN = 0  # 3: an ellipsoid's centre, a cone's first end
AXES = 3  # 9: rotation, world to local, row by row
SCALE = 12  # 3: an ellipsoid's radii; a cone's flattening across (x and z)
LENGTH = 15  # a cone's; 0 makes it an ellipsoid
RADIUS_1 = 16
RADIUS_2 = 17
BOUND_CENTRE = 18  # 3: a sphere around the solid
BOUND_RADIUS = 21
BLEND = 22  # metres over which it melts into its group
SUBTRACT = 23  # 1 takes the solid away from its group
GROUP = 24
COLUMNS = 25

FAR = 1e9


@njit(fastmath=True, inline="always", cache=True)
def solid_distance(solids, i, x, y, z):
    """Distance from a point to one solid; a bound on it where the solid is flattened."""
    dx = x - solids[i, 0]
    dy = y - solids[i, 1]
    dz = z - solids[i, 2]
    lx = solids[i, 3] * dx + solids[i, 4] * dy + solids[i, 5] * dz
    ly = solids[i, 6] * dx + solids[i, 7] * dy + solids[i, 8] * dz
    lz = solids[i, 9] * dx + solids[i, 10] * dy + solids[i, 11] * dz
    sx = solids[i, SCALE]
    sy = solids[i, SCALE + 1]
    sz = solids[i, SCALE + 2]
    length = solids[i, LENGTH]
    ax = lx / sx
    az = lz / sz
    if length <= 0.0:
        ay = ly / sy
        k0 = math.sqrt(ax * ax + ay * ay + az * az)
        bx = ax / sx
        by = ay / sy
        bz = az / sz
        k1 = math.sqrt(bx * bx + by * by + bz * bz)
        if k1 < 1e-9:
            return -min(sx, min(sy, sz))
        return k0 * (k0 - 1.0) / k1
    r1 = solids[i, RADIUS_1]
    r2 = solids[i, RADIUS_2]
    radial = math.sqrt(ax * ax + az * az)
    slope = (r1 - r2) / length
    cosine = math.sqrt(max(1.0 - slope * slope, 1e-9))
    along = cosine * ly - slope * radial
    if along < 0.0:
        d = math.sqrt(radial * radial + ly * ly) - r1
    elif along > cosine * length:
        d = math.sqrt(radial * radial + (ly - length) * (ly - length)) - r2
    else:
        d = radial * cosine + ly * slope - r1
    return d * min(1.0, min(sx, sz))


@njit(fastmath=True, cache=True)
def nearest(solids, indices, count, x, y, z):
    """Distance to the nearest group among some solids (listed group by group), and that group."""
    best = FAR
    best_group = -1
    current = -1
    distance = FAR
    for j in range(count):
        i = indices[j]
        group = int(solids[i, GROUP])
        if group != current:
            if distance < best:
                best = distance
                best_group = current
            current = group
            distance = FAR
        d = solid_distance(solids, i, x, y, z)
        k = solids[i, BLEND]
        if solids[i, SUBTRACT] == 0.0:
            overlap = k - abs(distance - d)
            distance = min(distance, d)
            if overlap > 0.0:
                distance -= overlap * overlap / (4.0 * k)
        else:
            overlap = k - abs(distance + d)
            distance = max(distance, -d)
            if overlap > 0.0:
                distance += overlap * overlap / (4.0 * k)
    if distance < best:
        best = distance
        best_group = current
    return best, best_group


@njit(fastmath=True, cache=True)
def solids_on_ray(solids, groups, indices, ox, oy, oz, dx, dy, dz, margin):
    """List the solids that a ray comes within `margin` of.

    Returns how many there are, and where on the ray they begin and end.
    """
    count = 0
    t_first = FAR
    t_last = 0.0
    for g in range(groups.shape[0]):
        cx = groups[g, 0] - ox
        cy = groups[g, 1] - oy
        cz = groups[g, 2] - oz
        b = cx * dx + cy * dy + cz * dz
        r = groups[g, 3] + margin
        if r * r - (cx * cx + cy * cy + cz * cz - b * b) <= 0.0 or b + r < 0.0:
            continue
        for i in range(int(groups[g, 4]), int(groups[g, 5])):
            cx = solids[i, BOUND_CENTRE] - ox
            cy = solids[i, BOUND_CENTRE + 1] - oy
            cz = solids[i, BOUND_CENTRE + 2] - oz
            b = cx * dx + cy * dy + cz * dz
            r = solids[i, BOUND_RADIUS] + solids[i, BLEND] + margin
            q = r * r - (cx * cx + cy * cy + cz * cz - b * b)
            if q <= 0.0:
                continue
            s = math.sqrt(q)
            if b + s > 0.0:
                indices[count] = i
                count += 1
                t_first = min(t_first, max(b - s, 0.0))
                t_last = max(t_last, b + s)
    return count, t_first, t_last


@njit(fastmath=True, cache=True)
def solids_near(solids, groups, indices, x, y, z, reach):
    """List the solids within `reach` of a point; return how many there are."""
    count = 0
    for g in range(groups.shape[0]):
        cx = groups[g, 0] - x
        cy = groups[g, 1] - y
        cz = groups[g, 2] - z
        r = groups[g, 3] + reach
        if cx * cx + cy * cy + cz * cz > r * r:
            continue
        for i in range(int(groups[g, 4]), int(groups[g, 5])):
            cx = solids[i, BOUND_CENTRE] - x
            cy = solids[i, BOUND_CENTRE + 1] - y
            cz = solids[i, BOUND_CENTRE + 2] - z
            r = solids[i, BOUND_RADIUS] + reach
            if cx * cx + cy * cy + cz * cz < r * r:
                indices[count] = i
                count += 1
    return count


def group_bounds(solids: NDArray[np.float64]) -> NDArray[np.float64]:
    """A sphere around each group of solids, and where its rows begin and end.

    Parameters
    ----------
    solids
        (N, COLUMNS), sorted by group.

    Returns
    -------
    (G, 6): centre x, y, z, radius, first row, row after the last.
    """
    group = solids[:, GROUP]
    starts = np.flatnonzero(np.r_[True, group[1:] != group[:-1]])
    ends = np.r_[starts[1:], len(group)]
    bounds = []
    for start, end in zip(starts, ends, strict=True):
        centres = solids[start:end, BOUND_CENTRE : BOUND_CENTRE + 3]
        radii = solids[start:end, BOUND_RADIUS] + solids[start:end, BLEND]
        low = (centres - radii[:, None]).min(axis=0)
        high = (centres + radii[:, None]).max(axis=0)
        middle = (low + high) / 2.0
        radius = (np.linalg.norm(centres - middle, axis=1) + radii).max()
        bounds.append([*middle, radius, start, end])
    return np.array(bounds, dtype=np.float64)
