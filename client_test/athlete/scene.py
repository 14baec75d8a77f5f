"""The room, the camera, and the picture that it takes."""

# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators, allow-incomplete-defs
# Numba compiles the functions for the types that it sees; annotations would say the same twice.

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numba import njit
from numpy.typing import NDArray

from .body import add_body
from .distance import group_bounds
from .geometry import Rotation, unit, vector
from .material import linear_colour
from .people import Person
from .render import LIGHT_COLUMNS, render
from .skeleton import Skeleton
from .solids import Solids

WALL_Z_M = -1.6
MAT_HALF_LENGTH_M = 1.05
MAT_HALF_WIDTH_M = 0.60
PLANK_WIDTH_M = 0.14
PLANK_LENGTH_M = 1.3

# Towards the lamp; the lamp's, the room's and the floor's light. Set by eye.
_LAMP_DIRECTION = unit(vector(-0.55, 1.25, 1.0))
_LAMP = (1.15, 1.08, 0.98)
_ROOM = (0.50, 0.52, 0.56)
_FLOOR_BOUNCE = (1.0, 0.8, 0.6)

# Spread of a camera's noise in 8-bit steps.
NOISE_SIGMA = 1.0

_PALETTE = np.array(
    [
        linear_colour(c)
        for c in (
            "#b08a62",  # 0 planks
            "#3d5a66",  # 1 mat
            "#d9d4ca",  # 2 wall
            "#f2f0ea",  # 3 skirting board
            "#8a857c",  # 4 its edge
            "#4b4038",  # 5 picture frame
            "#c9d6d9",  # 6 sky in the picture
            "#6f8f78",  # 7 hills in the picture
            "#6b4a30",  # 8 shelf
            "#7d2f2f", "#2f4f7d", "#caa44a", "#35593b", "#555555", "#b06a3c", "#dddddd",  # 9 books
        )
    ]
)  # fmt: skip


@dataclass(frozen=True)
class Viewpoint:
    """A pinhole camera without distortion.

    Attributes
    ----------
    position, target
        Where it is and what it looks at, in metres.
    vertical_fov_deg
        Angle between the picture's top and bottom.
    width, height
        The picture's size in pixels.
    """

    position: tuple[float, float, float]
    target: tuple[float, float, float]
    vertical_fov_deg: float
    width: int
    height: int

    @functools.cached_property
    def axes(self) -> Rotation:
        """Rows: right, up, forward."""
        forward = unit(np.array(self.target) - np.array(self.position))
        right = unit(np.cross(forward, vector(0, 1, 0)))
        return np.array([right, np.cross(right, forward), forward])

    @property
    def focal_px(self) -> float:
        return self.height / 2.0 / math.tan(math.radians(self.vertical_fov_deg) / 2.0)

    def project(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """World points (..., 3) in metres to pixels (..., 2): x to the right, y downwards."""
        seen = (points - np.array(self.position)) @ self.axes.T
        x = self.width / 2.0 + self.focal_px * seen[..., 0] / seen[..., 2]
        y = self.height / 2.0 - self.focal_px * seen[..., 1] / seen[..., 2]
        return np.stack([x, y], axis=-1)


@dataclass(frozen=True)
class Picture:
    """What the camera saw.

    Attributes
    ----------
    rgb
        (H, W, 3) uint8.
    people
        (H, W) int: the index of the person that a pixel shows, -1 for the room.
    """

    rgb: NDArray[np.uint8]
    people: NDArray[np.int32]


def take_picture(
    camera: Viewpoint, people: Sequence[tuple[Person, Skeleton]], noise_seed: int
) -> Picture:
    """Render people in the room. The same arguments give the same picture."""
    solids = Solids()
    for index, (person, skeleton) in enumerate(people):
        add_body(solids, index, person, skeleton)
    rows, materials, frames = solids.arrays()
    camera_row = np.concatenate([np.array(camera.position), camera.axes.ravel()])
    light, group = render(
        rows,
        group_bounds(rows),
        materials,
        frames,
        camera_row,
        camera.focal_px,
        _light_row(),
        _room(camera),
    )
    # A group of -1, the room, picks the last owner.
    owners = np.array([*solids.owners, -1], dtype=np.int32)
    return Picture(_develop(light, np.random.default_rng(noise_seed)), owners[group])


def _light_row() -> NDArray[np.float64]:
    row = np.empty(LIGHT_COLUMNS)
    row[:] = [*_LAMP_DIRECTION, *_LAMP, *_ROOM, *_FLOOR_BOUNCE, WALL_Z_M]
    return row


def _develop(light: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Linear light to 8-bit sRGB: a soft shoulder, a lens's slight blur, a sensor's noise."""
    toned = np.clip(light, 0.0, None)
    toned = np.clip(toned * (1.0 + toned / 6.0) / (1.0 + toned * 0.55) * 1.12, 0.0, 1.0)
    coded = np.where(toned <= 0.0031308, 12.92 * toned, 1.055 * toned ** (1 / 2.4) - 0.055) * 255.0
    blurred = cv2.GaussianBlur(coded.astype(np.float32), (0, 0), 0.45)
    noise = rng.standard_normal(blurred.shape, dtype=np.float32) * NOISE_SIGMA
    pixels: NDArray[np.uint8] = np.clip(blurred + noise + 0.5, 0, 255).astype(np.uint8)
    return pixels


@functools.lru_cache(maxsize=2)
def _room(camera: Viewpoint) -> NDArray[np.float64]:
    """What is behind every pixel: (H, W, 9) albedo, position and normal."""
    axes, position = camera.axes, np.array(camera.position)
    room: NDArray[np.float64] = _trace_room(
        position, axes, camera.focal_px, camera.width, camera.height, WALL_Z_M, _PALETTE
    )
    return room


@njit(fastmath=True, cache=True)
def _floor_colour(x, z, palette, out):
    if abs(x) < MAT_HALF_LENGTH_M and abs(z) < MAT_HALF_WIDTH_M:
        border = abs(x) > MAT_HALF_LENGTH_M - 0.03 or abs(z) > MAT_HALF_WIDTH_M - 0.03
        out[:] = palette[1] * (0.72 if border else 1.0)
        return
    row = math.floor(z / PLANK_WIDTH_M)
    along = x / PLANK_LENGTH_M + (row * 0.37) % 1.0
    column = math.floor(along)
    # A hash of the plank's place gives its tone.
    tone = abs(math.sin(row * 12.9898 + column * 78.233) * 43758.5453) % 1.0
    grain = 0.5 + 0.5 * math.sin(z * 260.0 + 3.0 * math.sin(x * 6.0 + row))
    out[:] = palette[0] * (0.72 + 0.35 * tone + 0.06 * grain)
    across = z / PLANK_WIDTH_M - row
    if abs(across - 0.5) > 0.485 or abs(along - column - 0.5) > 0.498:
        out *= 0.55


@njit(fastmath=True, cache=True)
def _wall_colour(x, y, palette, out):
    out[:] = palette[2] * (0.96 + 0.04 * math.sin(x * 1.7) * math.sin(y * 2.1))
    if y < 0.112:
        out[:] = palette[3] if y < 0.105 else palette[4]
    elif 1.05 < x < 1.95 and 1.0 < y < 2.1:
        if not (1.10 < x < 1.90 and 1.05 < y < 2.05):
            out[:] = palette[5]
        elif y < 1.35 + 0.15 * math.sin(x * 5.0):
            out[:] = palette[7]
        else:
            out[:] = palette[6] * (0.6 + 0.4 * (y - 1.05))
    elif -2.0 < x < -1.0 and abs(y - 1.25) < 0.02:
        out[:] = palette[8]
    elif -1.95 < x < -1.18 and y > 1.27:
        book = int((x + 1.95) / 0.11)
        tall = 0.16 + 0.07 * ((book * 37) % 5) / 5.0
        if x + 1.95 - book * 0.11 < 0.09 and y < 1.27 + tall:
            out[:] = palette[9 + book]


@njit(fastmath=True, cache=True)
def _trace_room(position, axes, focal_px, width, height, wall_z, palette):
    room = np.zeros((height, width, 9))
    colour = np.empty(3)
    for j in range(height):
        for i in range(width):
            for sample in range(9):
                # The last of the nine, in the middle, is where the pixel's light is reckoned.
                s = (sample + 5) % 9
                u = (i + (s % 3 + 0.5) / 3.0 - width * 0.5) / focal_px
                v = -(j + (s // 3 + 0.5) / 3.0 - height * 0.5) / focal_px
                dx = axes[0, 0] * u + axes[1, 0] * v + axes[2, 0]
                dy = axes[0, 1] * u + axes[1, 1] * v + axes[2, 1]
                dz = axes[0, 2] * u + axes[1, 2] * v + axes[2, 2]
                to_floor = -position[1] / min(dy, -1e-6)
                to_wall = (wall_z - position[2]) / min(dz, -1e-6)
                t = min(to_floor, to_wall)
                x = position[0] + dx * t
                y = position[1] + dy * t
                z = position[2] + dz * t
                if to_floor < to_wall:
                    _floor_colour(x, z, palette, colour)
                else:
                    _wall_colour(x, y, palette, colour)
                room[j, i, 0:3] += colour / 9.0
                room[j, i, 3] = x
                room[j, i, 4] = y
                room[j, i, 5] = z
                room[j, i, 6] = 0.0
                room[j, i, 7] = 1.0 if to_floor < to_wall else 0.0
                room[j, i, 8] = 1.0 - room[j, i, 7]
    return room
