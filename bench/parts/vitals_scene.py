"""A face with a pulse that is known: drawn over a still picture, and harder than life.

What is put in is the true rate, its waveform with the colours that blood has (de Haan and van
Leest, Physiological Measurement 35, 2014), breathing that moves shoulders and head, and what is in
the way: sway, light that is uneven, flickers, drifts and is set anew, colours that tremble, noise.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

import cv2
import numpy as np

from analyzers.vitals.face_mesh import Face
from bench.parts.vitals_disturbances import Disturbance, disturbed, lips, opened

WIDTH, HEIGHT = 640, 480
# Blood's change of red, green and blue, the green one being 1.
_BLOOD = np.array([0.33, 0.77, 0.53]) / 0.77
_OVAL = (10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377)
_OVAL += (152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109)
_HOLES = (
    (33, 160, 158, 133, 153, 144),
    (263, 387, 385, 362, 380, 373),
    (61, 40, 0, 270, 291, 321, 17, 91),
)


@dataclass(frozen=True, slots=True)
class Scene:
    """One clip.

    Attributes
    ----------
    bpm : float
        The heart's rate; it wanders by one or two about it.
    breaths : float
        A minute.
    strength : float
        Of the pulse in green from peak to peak, a part of the skin's level.
    seconds, fps : float
        How long, and frames a second.
    skipped : float
        The part of the frames that are missing.
    sway : float
        Of the head, parts of the face's width.
    moving_s : float
        So long at the beginning the person moves about.
    nod_per_minute : float
        The head nods in time, as with music; 0 for none.
    noise : float
        Of the sensor, levels.
    brightness : float
        1 as the picture is.
    screen : bool
        The face is on a screen, whose lines beat with the camera's as `by` says.
    seed : int
        Of all that is by chance.
    by : Disturbance
        What is in the way beside all that.
    """

    bpm: float = 70.0
    breaths: float = 15.0
    strength: float = 0.01
    seconds: float = 22.0
    fps: float = 30.0
    skipped: float = 0.0
    sway: float = 0.015
    moving_s: float = 0.0
    nod_per_minute: float = 0.0
    noise: float = 2.5
    brightness: float = 1.0
    screen: bool = False
    seed: int = 0
    by: Disturbance = field(default_factory=Disturbance)


@dataclass(slots=True)
class Actor:
    """A picture of somebody, and where the face in it is."""

    picture: np.ndarray
    face: Face | None
    skin: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        mask = np.zeros(self.picture.shape[:2], np.float32)
        if self.face is not None:
            points = self.face.points.round().astype(np.int32)
            cv2.fillPoly(mask, [points[list(_OVAL)]], 1.0)
            for hole in _HOLES:
                cv2.fillPoly(mask, [points[list(hole)]], 0.0)
            mask = cv2.GaussianBlur(mask, (0, 0), 0.02 * self.face.width)
        self.skin = mask


def wander(rng: np.random.Generator, times: np.ndarray, slow_hz: float) -> np.ndarray:
    """Return something by chance with nothing above a frequency, of variance 1."""
    frequencies = rng.uniform(0.03, slow_hz, 6)
    phases = rng.uniform(0.0, 2.0 * math.pi, 6)
    return np.sin(2.0 * math.pi * np.outer(times, frequencies) + phases).sum(axis=1) / math.sqrt(3)


@dataclass(frozen=True, slots=True)
class Shown:
    """One frame: when, the picture, and what the heart does then."""

    time_s: float
    rgb: np.ndarray
    bpm: float


def frames(actor: Actor, scene: Scene) -> Iterator[Shown]:
    """Draw a clip."""
    rng = np.random.default_rng(scene.seed)
    # A camera's frames come when they come.
    times = np.arange(round(scene.seconds * scene.fps)) / scene.fps
    times = times + rng.uniform(-0.1, 0.1, len(times)) / scene.fps
    times = times[rng.random(len(times)) >= scene.skipped]
    bpm = scene.bpm + 1.0 * wander(rng, times, 0.1)
    phase = 2.0 * math.pi * np.cumsum(np.diff(times, prepend=times[0]) * bpm / 60.0)
    phase += rng.uniform(0.0, 6.0)
    # The rise is steep, and the valve's notch comes after it.
    wave = np.sin(phase) + 0.4 * np.sin(2.0 * phase + 0.5) + 0.15 * np.sin(3.0 * phase + 1.0)
    breath = np.sin(2.0 * math.pi * scene.breaths / 60.0 * times + rng.uniform(0.0, 6.0))
    pulse = scene.strength * (wave / np.ptp(wave)) * (1.0 + 0.1 * breath)
    width = actor.face.width if actor.face else 120.0
    sway = scene.sway * width * np.stack([wander(rng, times, 0.5) for _ in range(2)]) / 2.0
    moving = times < scene.moving_s
    if moving.any():
        large = np.stack([wander(rng, times, 1.5) for _ in range(2)]) * 0.2 * width
        sway = sway + large * np.clip((scene.moving_s - times) * 3.0, 0.0, 1.0)
    if scene.nod_per_minute:
        nod = 0.05 * width * np.sin(2.0 * math.pi * scene.nod_per_minute / 60.0 * times)
        sway[1] += nod
    other = disturbed(scene.by, times, scene.seed)
    sway = sway + other.sway * width
    turn = np.deg2rad(0.8) * wander(rng, times, 0.4)
    # 100 Hz of the mains against the shutter: something slow or not so slow, and a little of it.
    flicker = 0.004 * np.sin(2.0 * math.pi * rng.uniform(0.2, 4.0) * times + rng.uniform(0.0, 6.0))
    light = 1.0 + flicker + 0.015 * wander(rng, times, 0.15)
    # The camera sets its exposure in steps.
    light = light * (1.0 + 0.006 * (rng.random(len(times)) < 0.01).cumsum() % 0.02)
    light = light * other.light
    tint = 1.0 + 0.0015 * np.stack([wander(rng, times, 0.7) for _ in range(3)], axis=1)
    bank = rng.normal(0.0, scene.noise, (HEIGHT + 64, WIDTH + 64, 3)).astype(np.float32)
    shade = _shade(rng)
    base = actor.picture.astype(np.float32) * scene.brightness
    rows = np.arange(HEIGHT, dtype=np.float32)[:, None]
    x0, y0 = (float(each) for each in (actor.face.points[152] if actor.face else (320.0, 240.0)))
    top, across = round(y0), np.repeat(np.arange(WIDTH, dtype=np.float32)[None], HEIGHT, 0)
    below = np.clip((rows[top:] - y0) / (0.4 * width), 0.0, 1.0)
    skin = np.s_[: round(y0) + 8]
    blood = actor.skin[skin][:, :, None] * _BLOOD.astype(np.float32) * base[skin]
    picture = base.copy()
    mouth = np.zeros(base.shape[:2], np.uint8)
    if scene.by.talks and actor.face:
        cv2.fillPoly(mouth, [lips(actor.face)], 1)
    mouth = mouth.astype(bool)
    lit = _lit(actor, width) if scene.by.lights else None
    for k, time_s in enumerate(times):
        cv2.scaleAdd(blood, -float(pulse[k]), base[skin], dst=picture[skin])
        if scene.by.talks:
            picture[mouth] = base[mouth] * np.float32(opened(other.mouth[k]))
        rise = 0.02 * width * breath[k]
        matrix = cv2.getRotationMatrix2D((x0, y0), math.degrees(turn[k]), 1.0)
        matrix[:, 2] += sway[0, k], sway[1, k] - 0.15 * rise
        seen = cv2.warpAffine(
            picture, matrix, (WIDTH, HEIGHT), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT
        )
        if top < HEIGHT - 8:
            where_y = (rows[top:] + below * 0.85 * rise).astype(np.float32)
            seen[top:] = cv2.remap(
                seen,
                across[top:],
                np.repeat(where_y, WIDTH, 1),
                cv2.INTER_LINEAR,
                borderMode=cv2.BORDER_REFLECT,
            )
        if scene.screen:
            beat = 2.0 * math.pi * scene.by.lines_hz * time_s
            seen *= (1.0 + scene.by.lines * np.sin(rows / 30.0 + beat)[:, :, None]).astype(
                np.float32
            )
        if lit is not None:
            seen *= _lamps(other.lights[k], lit, scene.by.behind)
        seen = cv2.multiply(seen, shade * (light[k] * tint[k]).astype(np.float32))
        dy, dx = rng.integers(0, 64, 2)
        noise = bank[dy : dy + HEIGHT, dx : dx + WIDTH]
        yield Shown(float(time_s), cv2.add(seen, noise, dtype=cv2.CV_8U), float(bpm[k]))


def _shade(rng: np.random.Generator) -> np.ndarray:
    """Return light from one side, warmer than that from the other."""
    across = np.linspace(-1.0, 1.0, WIDTH)[None, :, None] * rng.uniform(-0.25, 0.25)
    down = np.linspace(-1.0, 1.0, HEIGHT)[:, None, None] * rng.uniform(-0.15, 0.15)
    warm = np.array([1.0, 0.95, 0.85])
    return (0.92 + across * warm + down).astype(np.float32)


def _lit(actor: Actor, width: float) -> np.ndarray:
    """Return where lamps before the person fall, 1 on them and 0 far behind, (H, W, 1)."""
    seen = np.ones((HEIGHT, WIDTH), np.float32)
    if actor.face:
        x, y = actor.face.points.mean(axis=0)
        down, across = np.mgrid[0:HEIGHT, 0:WIDTH]
        apart = np.hypot((across - x) / width, np.minimum((down - y) / width, 0.0))
        seen = np.clip(2.4 - 2.0 * apart, 0.0, 1.0).astype(np.float32)
    return seen[:, :, None]


def _lamps(lights: np.ndarray, lit: np.ndarray, behind: float) -> np.ndarray:
    """Return what two lamps, one at each side, do to each pixel."""
    across = np.linspace(0.0, 1.0, WIDTH, dtype=np.float32)[None, :, None]
    both = (1.0 - across) * lights[0] + across * lights[1]
    return (1.0 + (both - 1.0) * (behind + (1.0 - behind) * lit)).astype(np.float32)
