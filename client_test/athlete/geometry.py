"""Vectors, rotations and the two-bone linkage that legs and arms are."""

import math

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]
"""Three metres, or three components of a direction."""

Rotation = NDArray[np.float64]
"""3 x 3; the columns are the rotated axes."""

# A linkage is never quite straight: its plane would be undefined, and no one locks a joint so.
STRAIGHTEST = 0.9995


def vector(x: float, y: float, z: float) -> Vector:
    return np.array([x, y, z], dtype=np.float64)


# Numpy's own norm and cross product of three numbers spend most of their time on finding out what
# they were given.


def length(way: Vector) -> float:
    return math.sqrt(way.dot(way))


def unit(direction: Vector) -> Vector:
    """The direction with length one."""
    return direction / length(direction)


def cross(a: Vector, b: Vector) -> Vector:
    """At right angles to both, by the right hand."""
    ax, ay, az = a.tolist()
    bx, by, bz = b.tolist()
    return vector(ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx)


def radians(angle_deg: float) -> float:
    return math.radians(angle_deg)


def rotation_x(angle_rad: float) -> Rotation:
    """About x: y turns towards z, so a standing trunk leans forward."""
    c, s = math.cos(angle_rad), math.sin(angle_rad)
    return np.array([[1.0, 0.0, 0.0], [0.0, c, -s], [0.0, s, c]])


def rotation_y(angle_rad: float) -> Rotation:
    """About y: z turns towards x, so someone who faces the camera turns to their left."""
    c, s = math.cos(angle_rad), math.sin(angle_rad)
    return np.array([[c, 0.0, s], [0.0, 1.0, 0.0], [-s, 0.0, c]])


def rotation_z(angle_rad: float) -> Rotation:
    """About z: x turns towards y, so a standing trunk leans to its right."""
    c, s = math.cos(angle_rad), math.sin(angle_rad)
    return np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])


def nearest_rotation(matrix: NDArray[np.float64]) -> Rotation:
    """The rotation nearest to a matrix, such as a weighted mean of two rotations."""
    left, _, right = np.linalg.svd(matrix)
    sign = np.linalg.det(left @ right)
    rotation: Rotation = left @ np.diag([1.0, 1.0, sign]) @ right
    return rotation


def axes_along(y: Vector, towards: Vector) -> Rotation:
    """A frame whose second axis is y and whose third is as near to `towards` as it can be."""
    x = unit(cross(y, towards))
    return np.column_stack([x, y, cross(x, y)])


def middle_joint(
    root: Vector, end: Vector, first_length: float, second_length: float, pole: Vector
) -> Vector:
    """Where the knee or the elbow of a two-bone linkage is.

    Parameters
    ----------
    root, end
        The hip and the ankle, or the shoulder and the wrist, in metres. An end out of reach is
        taken to be as far as the linkage goes in that direction.
    first_length, second_length
        The bones' lengths in metres.
    pole
        The direction in which the linkage bends.
    """
    reach = end - root
    distance = length(reach)
    along = reach / distance
    distance = min(distance, (first_length + second_length) * STRAIGHTEST)
    foot = (first_length**2 - second_length**2 + distance**2) / (2.0 * distance)
    height = math.sqrt(max(first_length**2 - foot**2, 0.0))
    across = unit(pole - float(pole @ along) * along)
    joint: Vector = root + along * foot + across * height
    return joint


def ease(fraction: float) -> float:
    """Perlin's smoother step on 0..1: at rest, and without acceleration, at both ends."""
    x = min(max(fraction, 0.0), 1.0)
    return x * x * x * (x * (x * 6.0 - 15.0) + 10.0)


def mix(a: Vector, b: Vector, fraction: float) -> Vector:
    """Straight from a (0) to b (1)."""
    return a + (b - a) * fraction


def between(a: float, b: float, fraction: float) -> float:
    """Straight from a (0) to b (1)."""
    return a + (b - a) * fraction
