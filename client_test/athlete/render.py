"""The tracer: one picture of the solids, lit by one lamp and the room, with soft shadows."""

# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators, allow-incomplete-defs
# Numba compiles the functions for the types that it sees; annotations would say the same twice.

import math

import numpy as np
from numba import njit

from .distance import nearest, solids_near, solids_on_ray
from .material import FACE, FRAME, KIND, SHINE, SKIN, noise, paint, to_frame

HIT_M = 0.0006
MARCH_STEPS = 90
SHADOW_STEPS = 60
NORMAL_STEP_M = 0.0012

# The columns of `light`: towards the lamp (3), the lamp's colour (3), the room's (3), what the
# floor throws back (3), and where the back wall is.
LAMP = 3
ROOM = 6
BOUNCE = 9
WALL_Z = 12
LIGHT_COLUMNS = 13


@njit(fastmath=True, cache=True)
def lamp_visibility(solids, groups, indices, x, y, z, light, softness):
    """0 in full shadow, 1 in full light."""
    dx = light[0]
    dy = light[1]
    dz = light[2]
    count, t_first, t_last = solids_on_ray(solids, groups, indices, x, y, z, dx, dy, dz, 0.06)
    if count == 0:
        return 1.0
    seen = 1.0
    t = max(t_first, 0.015)
    for _ in range(SHADOW_STEPS):
        d, _group = nearest(solids, indices, count, x + dx * t, y + dy * t, z + dz * t)
        if d < 0.0008:
            return 0.0
        seen = min(seen, d / min(t / softness, 0.058))
        t += max(0.012, d * 0.9)
        if t > t_last:
            break
    seen = min(max(seen, 0.0), 1.0)
    return seen * seen * (3.0 - 2.0 * seen)


@njit(fastmath=True, cache=True)
def openness(solids, groups, indices, x, y, z, nx, ny, nz, wall_z, on_wall_or_floor):
    """Ambient occlusion: 1 in the open, towards 0 in a crease."""
    count = solids_near(solids, groups, indices, x, y, z, 0.42)
    if count == 0 and on_wall_or_floor:
        return 1.0
    hidden = 0.0
    weight = 1.0
    for step in range(5):
        h = 0.015 + 0.075 * step
        px = x + nx * h
        py = y + ny * h
        pz = z + nz * h
        d = h
        if count > 0:
            d, _group = nearest(solids, indices, count, px, py, pz)
        if not on_wall_or_floor:
            d = min(d, min(py, pz - wall_z))
        hidden += max(h - max(d, 0.0), 0.0) * weight
        weight *= 0.62
    return min(max(1.0 - 1.9 * hidden, 0.12), 1.0)


@njit(fastmath=True, cache=True)
def surface_normal(solids, indices, count, x, y, z):
    """By differences at the four corners of a tetrahedron."""
    nx = 0.0
    ny = 0.0
    nz = 0.0
    for q in range(4):
        sx = 1.0 if q in (0, 3) else -1.0
        sy = 1.0 if q in (2, 3) else -1.0
        sz = 1.0 if q in (1, 3) else -1.0
        e = NORMAL_STEP_M
        d, _group = nearest(solids, indices, count, x + sx * e, y + sy * e, z + sz * e)
        nx += sx * d
        ny += sy * d
        nz += sz * d
    scale = 1.0 / math.sqrt(nx * nx + ny * ny + nz * nz + 1e-18)
    return nx * scale, ny * scale, nz * scale


@njit(fastmath=True, cache=True)
def folded_normal(frames, f, x, y, z, nx, ny, nz, folds):
    """The normal bent by folds that move with the cloth."""
    lx, ly, lz = to_frame(frames, f, x, y, z)
    a = 0.22 * folds
    nx += a * (noise(lx * 14 + 3, ly * 15, lz * 14) + 0.5 * noise(lx * 31, ly * 21 + 7, lz * 31))
    ny += a * (
        noise(lx * 14 + 31, ly * 15 + 5, lz * 14) + 0.5 * noise(lx * 31 + 9, ly * 21, lz * 31)
    )
    nz += a * noise(lx * 14, ly * 15 + 17, lz * 14 + 9)
    scale = 1.0 / math.sqrt(nx * nx + ny * ny + nz * nz)
    return nx * scale, ny * scale, nz * scale


@njit(fastmath=True, cache=True)
def shade_background(solids, groups, indices, light, albedo, position, normal, out):
    x = position[0]
    y = position[1]
    z = position[2]
    nx = normal[0]
    ny = normal[1]
    nz = normal[2]
    seen = lamp_visibility(solids, groups, indices, x, y, z, light, 7.0)
    wall_z = light[WALL_Z]
    open_ = openness(solids, groups, indices, x, y, z, nx, ny, nz, wall_z, True)
    facing = max(nx * light[0] + ny * light[1] + nz * light[2], 0.0)
    for c in range(3):
        out[c] = albedo[c] * (light[LAMP + c] * facing * seen + light[ROOM + c] * open_)


@njit(fastmath=True, cache=True)
def shade_solid(
    solids, groups, indices, materials, frames, light, group, point, normal, ray, scratch, out
):
    x, y, z = point
    nx, ny, nz = normal
    dx, dy, dz = ray
    paint(materials, frames, group, x, y, z, scratch)
    if scratch[3] > 0.0:
        f = int(materials[group, FRAME])
        nx, ny, nz = folded_normal(frames, f, x, y, z, nx, ny, nz, scratch[3])
    facing = nx * light[0] + ny * light[1] + nz * light[2]
    seen = 0.0
    if facing > -0.2:
        px = x + nx * 0.004
        py = y + ny * 0.004
        pz = z + nz * 0.004
        seen = lamp_visibility(solids, groups, indices, px, py, pz, light, 9.0)
    open_ = openness(solids, groups, indices, x, y, z, nx, ny, nz, light[WALL_Z], False)
    kind = int(materials[group, KIND])
    is_skin = kind in (FACE, SKIN)
    # Light wraps around skin, and reddens where it fades: a cheap scattering under the surface.
    wrap = 0.25 if is_skin else 0.05
    diffuse = max((facing + wrap) / (1.0 + wrap), 0.0)
    glow = math.exp(-(facing * facing) / 0.05) * seen * 0.10 if is_skin else 0.0
    up = 0.5 + 0.5 * ny
    frontal = max(-(nx * dx + ny * dy + nz * dz), 0.0)
    hx = light[0] - dx
    hy = light[1] - dy
    hz = light[2] - dz
    half = 1.0 / math.sqrt(hx * hx + hy * hy + hz * hz)
    shine = max((nx * hx + ny * hy + nz * hz) * half, 0.0) ** 28 * materials[group, SHINE] * seen
    rim = (1.0 - frontal) ** 4 * 0.06 * open_
    for c in range(3):
        room = light[ROOM + c] * (0.35 + 0.65 * up) + 0.10 * (1.0 - up) * light[BOUNCE + c]
        irradiance = light[LAMP + c] * diffuse * seen + open_ * (room + 0.16 * frontal)
        if c == 0:
            irradiance += glow
        out[c] = scratch[c] * irradiance + shine + rim * light[ROOM + c]


@njit(fastmath=True, cache=True)
def trace(solids, groups, on_ray, near, materials, frames, camera, light, u, v, room, scratch, out):
    """Write the colour seen along one ray to out; return the group it meets (-1: none) and where.

    u and v are the ray's tangents to the right and upwards; `room` is the background's albedo,
    position and normal there.
    """
    scale = 1.0 / math.sqrt(u * u + v * v + 1.0)
    dx = (camera[3] * u + camera[6] * v + camera[9]) * scale
    dy = (camera[4] * u + camera[7] * v + camera[10]) * scale
    dz = (camera[5] * u + camera[8] * v + camera[11]) * scale
    ox = camera[0]
    oy = camera[1]
    oz = camera[2]
    count, t, t_last = solids_on_ray(solids, groups, on_ray, ox, oy, oz, dx, dy, dz, 0.0)
    hit = -1
    if count > 0:
        for _ in range(MARCH_STEPS):
            d, group = nearest(solids, on_ray, count, ox + dx * t, oy + dy * t, oz + dz * t)
            if d < HIT_M:
                hit = group
                break
            t += d * 0.95
            if t > t_last:
                break
    if hit < 0:
        shade_background(solids, groups, near, light, room[0:3], room[3:6], room[6:9], out)
        return -1, 99.0
    x = ox + dx * t
    y = oy + dy * t
    z = oz + dz * t
    normal = surface_normal(solids, on_ray, count, x, y, z)
    point = (x, y, z)
    ray = (dx, dy, dz)
    shade_solid(
        solids, groups, near, materials, frames, light, hit, point, normal, ray, scratch, out
    )
    return hit, t


@njit(fastmath=True, cache=True)
def is_edge(picture, group, depth, j, i):
    """Whether a pixel differs so much from a neighbour that it needs more rays."""
    g = group[j, i]
    for q in range(4):
        jj = j + (1 if q == 0 else (-1 if q == 1 else 0))
        ii = i + (1 if q == 2 else (-1 if q == 3 else 0))
        if group[jj, ii] != g or (g >= 0 and abs(depth[jj, ii] - depth[j, i]) > 0.03):
            return True
        if g < 0:
            continue
        for c in range(3):
            if abs(picture[jj, ii, c] - picture[j, i, c]) > 0.04 + 0.25 * picture[j, i, c]:
                return True
    return False


@njit(fastmath=True, cache=True)
def render(solids, groups, materials, frames, camera, focal_px, light, room):
    """Trace one picture; pixels at edges get four rays more (a rotated grid).

    Parameters
    ----------
    solids, groups
        (N, COLUMNS) sorted by group, and (G, 6): see `distance`.
    materials, frames
        (G, 10) and (F, 13): see `material`.
    camera
        (12,): position, right, up and forward.
    focal_px
        Focal length in pixels.
    light
        (LIGHT_COLUMNS,).
    room
        (H, W, 9): albedo, position and normal of what is behind each pixel.

    Returns
    -------
    Linear light (H, W, 3), and the group that each pixel shows (H, W), -1 for the room.
    """
    height, width = room.shape[0], room.shape[1]
    picture = np.empty((height, width, 3))
    group = np.empty((height, width), np.int32)
    depth = np.empty((height, width))
    on_ray = np.empty(solids.shape[0], np.int64)
    near = np.empty(solids.shape[0], np.int64)
    scratch = np.empty(4)
    out = np.empty(3)
    for j in range(height):
        for i in range(width):
            u = (i + 0.5 - width * 0.5) / focal_px
            v = -(j + 0.5 - height * 0.5) / focal_px
            group[j, i], depth[j, i] = trace(
                solids, groups, on_ray, near, materials, frames, camera, light, u, v, room[j, i],
                scratch, out,
            )  # fmt: skip
            picture[j, i] = out
    result = picture.copy()
    total = np.empty(3)
    for j in range(1, height - 1):
        for i in range(1, width - 1):
            if not is_edge(picture, group, depth, j, i):
                continue
            total[:] = 0.0
            for q in range(4):
                su = (0.125, 0.375, -0.375, -0.125)[q]
                sv = (-0.375, 0.125, -0.125, 0.375)[q]
                u = (i + 0.5 + su - width * 0.5) / focal_px
                v = -(j + 0.5 + sv - height * 0.5) / focal_px
                trace(
                    solids, groups, on_ray, near, materials, frames, camera, light, u, v,
                    room[j, i], scratch, out,
                )  # fmt: skip
                total += out
            result[j, i] = total * 0.25
    return result, group
