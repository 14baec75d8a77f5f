"""What a rate must not be told from: movement, talk, light that changes, lines of a screen."""

import math
from dataclasses import dataclass

import numpy as np

from analyzers.vitals.face_mesh import Face

# Around the lips.
_LIPS = (61, 40, 37, 0, 267, 270, 291, 321, 314, 17, 84, 91)
# Syllables a second, and how dark an open mouth is.
_SYLLABLES_HZ = (3.0, 6.0)
_OPEN = 0.55


@dataclass(frozen=True, slots=True)
class Disturbance:
    """What is in the way in a clip, beside what always is.

    Attributes
    ----------
    moves_per_minute : float
        The head moves in time; 0 for not.
    across, down : float
        How far it does, to either side, in parts of the face's width.
    wanders : float
        How unsteady that time is, parts of a turn.
    starts_every_s : float
        It moves for a part of every so many seconds only; 0 for always.
    flicker_per_minute, flicker : float
        All light rises and falls, by such a part of it to either side.
    lights_per_minute, lights : float
        Two coloured lights, one from each side, which change in turn.
    behind : float
        How much of those lights reaches what is behind the face, 0..1.
    talks : bool
        The mouth opens and closes, and the head goes with it.
    lines_hz, lines : float
        The beat of a screen's lines with the camera's, and how strong it is.
    """

    moves_per_minute: float = 0.0
    across: float = 0.0
    down: float = 0.0
    wanders: float = 0.0
    starts_every_s: float = 0.0
    flicker_per_minute: float = 0.0
    flicker: float = 0.0
    lights_per_minute: float = 0.0
    lights: float = 0.0
    behind: float = 1.0
    talks: bool = False
    lines_hz: float = 0.0
    lines: float = 0.0


@dataclass(frozen=True, slots=True)
class Disturbed:
    """A disturbance at the times of frames.

    Attributes
    ----------
    sway : ndarray, shape (2, N)
        Across and down, in parts of the face's width.
    light : ndarray, shape (N,)
        On everything.
    lights : ndarray, shape (N, 2, 3)
        Of the lamps left and right, red, green and blue.
    mouth : ndarray, shape (N,)
        How far it is open, 0..1.
    """

    sway: np.ndarray
    light: np.ndarray
    lights: np.ndarray
    mouth: np.ndarray


def disturbed(by: Disturbance, times: np.ndarray, seed: int) -> Disturbed:
    """Return what it does at times, seconds; by a chance of its own."""
    rng = np.random.default_rng((seed, 1))
    beat = times * by.moves_per_minute / 60.0 + by.wanders * _slow(rng, times)
    turn = 2.0 * math.pi * beat
    moves = np.stack([by.across * np.sin(turn + 1.0), by.down * np.sin(turn)])
    if by.starts_every_s:
        moves = moves * (np.sin(2.0 * math.pi * times / by.starts_every_s) > 0.0)
    mouth = np.zeros(len(times))
    if by.talks:
        syllables = np.cumsum(np.diff(times, prepend=times[0]) * rng.uniform(*_SYLLABLES_HZ))
        words = np.clip(1.5 * _slow(rng, times) + 0.5, 0.0, 1.0)
        mouth = words * np.abs(np.sin(math.pi * (syllables + 0.6 * _slow(rng, times))))
        moves = moves + 0.012 * np.stack([_slow(rng, times), _slow(rng, times) + mouth])
    flicker = np.sin(2.0 * math.pi * by.flicker_per_minute / 60.0 * times + rng.uniform(0.0, 6.0))
    turn = 2.0 * math.pi * by.lights_per_minute / 60.0 * times
    lamps = [
        np.stack([np.sin(turn + phase) for phase in rng.uniform(0.0, 6.0, 3)], axis=1)
        for _ in range(2)
    ]
    return Disturbed(
        moves,
        1.0 + by.flicker * flicker,
        1.0 + by.lights * np.stack(lamps, axis=1),
        mouth,
    )


def lips(face: Face) -> np.ndarray:
    """Return the corners of the mouth's outline, pixels, shape (12, 2)."""
    return face.points[list(_LIPS)].round().astype(np.int32)


def opened(mouth: float) -> float:
    """Return how bright a mouth is that is so far open."""
    return 1.0 - _OPEN * mouth


def _slow(rng: np.random.Generator, times: np.ndarray) -> np.ndarray:
    """Return something by chance below 0.8 Hz, of variance about 1."""
    frequencies, phases = rng.uniform(0.05, 0.8, 5), rng.uniform(0.0, 6.28, 5)
    return np.sin(2.0 * math.pi * np.outer(times, frequencies) + phases).sum(axis=1) / 1.6
