"""What the network sees of a body: fifteen of its landmarks at an even rate.

The same for landmarks of people and for those that it is trained on. Place and size in the frame
are taken out, and which way the body faces in space; nothing but the past is used.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

RATE_HZ = 15.0

# Nose, shoulders, elbows, wrists, hips, knees, ankles, toes, by BlazePose's numbers.
POINTS = (0, 11, 12, 13, 14, 15, 16, 23, 24, 25, 26, 27, 28, 31, 32)
_OTHER_SIDE = (0, 2, 1, 4, 3, 6, 5, 8, 7, 10, 9, 12, 11, 14, 13)
_SHOULDERS, _WRISTS, _HIPS = (1, 2), (5, 6), (7, 8)

# Knees, hips, elbows, arms against the trunk; left and right in turns.
_JOINTS = np.array(
    [(7, 9, 11), (8, 10, 12), (1, 7, 9), (2, 8, 10), (1, 3, 5), (2, 4, 6), (7, 1, 3), (8, 2, 4)]
).T

_FLAT, _SOLID, _YAW, _BENDS, _RISES, _SEEN = 30, 75, 77, 93, 99, 114
WIDTH = 115
# In the picture, in space, which way it faces, bends in the picture and in space, how high and how
# large, and how well seen: what training leaves out at times, each by itself.
GROUPS = ((0, _FLAT), (_FLAT, _SOLID), (_SOLID, _YAW), (_YAW, 85), (85, _BENDS), (_BENDS, _RISES),
          (_RISES, _SEEN))  # fmt: skip

# How fast size and place in the frame are followed.
_SIZE_S, _PLACE_S = 1.0, 3.0
_KEEPS_SIZE = float(np.exp(-1.0 / (RATE_HZ * _SIZE_S)))
_KEEPS_PLACE = float(np.exp(-1.0 / (RATE_HZ * _PLACE_S)))
# A body's metre in heights of the frame is not less: one that small is none.
_LEAST_SCALE = 0.02
_MOST = 4.0

Array = NDArray[np.float64]


class FeatureMaker:
    """Makes features, and remembers how large and how high the body was."""

    def __init__(self) -> None:
        # Log of the size, and of it again more slowly; heights of hips, shoulders, wrists, nose.
        self._past: Array | None = None

    def make(self, picture: Array, world: Array, seen: Array, missing: Array) -> Array:
        """Return the features of moments that follow one another at `RATE_HZ`.

        Parameters
        ----------
        picture : ndarray, (T, 15, 2)
            Places in heights of the frame.
        world : ndarray, (T, 15, 3)
            Metres.
        seen : ndarray, (T, 15)
            Visibility, 0 to 1.
        missing : ndarray, (T,)
            1 where nobody was found and the last landmarks stand in, else 0.

        Returns
        -------
        ndarray, (T, WIDTH)
        """
        return _made(picture, world, seen, missing, self._follow)

    def _follow(self, now: Array) -> Array:
        past = np.empty_like(now)
        last = now[0] if self._past is None else self._past
        for row, values in enumerate(now):
            last = values + _KEEPS * (last - values)
            past[row] = last
        self._past = last
        return past


_KEEPS = np.array([_KEEPS_SIZE] + [_KEEPS_PLACE] * 5)


def features_of_people(
    makers: Sequence[FeatureMaker], picture: Array, world: Array, seen: Array, missing: Array
) -> Array:
    """Return the features of one moment of several people, (P, WIDTH), each with their own maker.

    As `FeatureMaker.make` gives them one by one; for so few numbers the calls are what costs.
    Parameters are as there, with a row for each of P people.
    """

    def follow(now: Array) -> Array:
        known = ((maker._past, row) for maker, row in zip(makers, now, strict=True))
        last = np.array([row if past is None else past for past, row in known])
        followed: Array = now + _KEEPS * (last - now)
        for maker, row in zip(makers, followed, strict=True):
            maker._past = row
        return followed

    return _made(picture, world, seen, missing, follow)


def _made(
    picture: Array, world: Array, seen: Array, missing: Array, follow: Callable[[Array], Array]
) -> Array:
    count = len(picture)
    flat = picture - 0.5 * (picture[:, 7:8] + picture[:, 8:9])
    solid = world - 0.5 * (world[:, 7:8] + world[:, 8:9])
    scale = _scale(flat, solid, seen)
    now = np.empty((count, 6))
    now[:, 0] = now[:, 1] = np.log(scale)
    ys = picture[:, :, 1]
    for column, pair in enumerate((_HIPS, _SHOULDERS, _WRISTS), 2):
        now[:, column] = 0.5 * (ys[:, pair[0]] + ys[:, pair[1]])
    now[:, 5] = ys[:, 0]
    past = follow(now)
    size = np.exp(past[:, 0])[:, None]

    aside = solid[:, 1] - solid[:, 2] + solid[:, 7] - solid[:, 8]
    norm = np.maximum(np.hypot(aside[:, 0], aside[:, 2]), 1e-6)
    c, s = aside[:, 0] / norm, aside[:, 2] / norm
    out = np.empty((count, WIDTH))
    out[:, :_FLAT] = (flat / size[:, :, None]).reshape(count, -1)
    own = out[:, _FLAT:_SOLID].reshape(count, 15, 3)
    x, z = solid[:, :, 0], solid[:, :, 2]
    own[:, :, 0] = x * c[:, None] + z * s[:, None]
    own[:, :, 1] = solid[:, :, 1]
    own[:, :, 2] = z * c[:, None] - x * s[:, None]
    out[:, _SOLID], out[:, _SOLID + 1] = c, s
    out[:, _YAW:_BENDS] = _bends(flat, solid)
    out[:, _BENDS : _BENDS + 4] = (now[:, 2:] - past[:, 2:]) / size
    out[:, _BENDS + 4] = now[:, 1] - past[:, 1]
    out[:, _BENDS + 5] = now[:, 0] - past[:, 0]
    out[:, _RISES:_SEEN] = seen
    out[:, _SEEN] = missing
    return np.minimum(np.maximum(out, -_MOST), _MOST)


def mirrored() -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """Return which feature each one is in the mirror, and its sign there."""
    index: list[int] = []
    sign: list[float] = []
    for first, axes in ((0, 2), (_FLAT, 3)):
        for point in _OTHER_SIDE:
            index += [first + point * axes + axis for axis in range(axes)]
            sign += [-1.0] + [1.0] * (axes - 1)
    index += [_SOLID, _SOLID + 1]
    sign += [1.0, -1.0]
    index += [_YAW + (number ^ 1) for number in range(16)]
    index += list(range(_BENDS, _RISES))
    index += [_RISES + point for point in _OTHER_SIDE] + [_SEEN]
    sign += [1.0] * (16 + 6 + 16)
    return np.array(index), np.array(sign, np.float32)


def _scale(flat: Array, solid: Array, seen: Array) -> Array:
    """Return a metre in heights of the frame: the factor that fits the points best."""
    weighted = (seen + 0.05)[:, :, None] * solid[:, :, :2]
    both = (weighted * flat).sum((1, 2))
    scale: Array = np.maximum(
        both / ((weighted * solid[:, :, :2]).sum((1, 2)) + 1e-4), _LEAST_SCALE
    )
    return scale


def _bends(flat: Array, solid: Array) -> Array:
    """Return each joint's angle in half turns, (T, 16): in the picture, then in space.

    Both at once: for one moment a call costs more than what it computes.
    """
    points = np.zeros((len(flat), 2, 15, 3))
    points[:, 0, :, :2], points[:, 1] = flat, solid
    ends = points[:, :, _JOINTS]
    u, v = ends[:, :, 0] - ends[:, :, 1], ends[:, :, 2] - ends[:, :, 1]
    length = np.sqrt(_dot(u, u) * _dot(v, v))
    cosine = _dot(u, v) / np.maximum(length, 1e-9)
    angles: Array = np.arccos(np.minimum(np.maximum(cosine, -1.0), 1.0))
    return angles.reshape(len(flat), 16) / np.pi


def _dot(one: Array, other: Array) -> Array:
    products: Array = np.einsum("...i,...i->...", one, other)
    return products
