"""Clips in which there is nothing to tell, or nothing that can be told: every number is doubtful.

In those of people, a number that is within 5 of their pulse is right all the same; in pictures of
people every number is wrong. A call that is shown on a screen is neither: it has the pulse of whom
it shows, in as far as two encoders left it, and a number of that is theirs.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import count

import cv2
import numpy as np

from bench.parts.vitals_disturbances import Disturbance
from bench.parts.vitals_scene import HEIGHT, WIDTH, Scene

# Rates of what is not the heart, a minute; all of them are in a heart's reach.
RATES = (58.0, 74.0, 98.0, 121.0, 153.0)


@dataclass(frozen=True, slots=True)
class Refusal:
    """One clip.

    Attributes
    ----------
    kind : str
        What is wrong with it.
    scene : Scene
        What is drawn.
    has_pulse : bool
        Whether there is a right number.
    width_px : float or None
        Of the face; None for the portrait's own.
    has_face : bool
        Whether there is one.
    """

    kind: str
    scene: Scene
    has_pulse: bool = True
    width_px: float | None = None
    has_face: bool = True


def refusals(seconds: float, rounds: int = 1) -> Iterator[Refusal]:
    """Return the clips, each round by another chance."""
    number = count()
    for again in range(rounds):
        rng = np.random.default_rng(700 + again)
        for each in _kinds(rng):
            scene = replace(
                each.scene,
                seconds=seconds,
                seed=30_000 + next(number),
                bpm=each.scene.bpm if again == 0 else float(rng.uniform(48.0, 170.0)),
                breaths=float(rng.uniform(9.0, 24.0)),
            )
            yield replace(each, scene=scene)


def _kinds(rng: np.random.Generator) -> Iterator[Refusal]:
    yield from _moving(rng)
    yield from _pictures(rng)
    yield from _light(rng)
    yield from _little()


def _scene(by: Disturbance | None = None, **known: float) -> Scene:
    return Scene(fps=25.0, by=by or Disturbance(), **known)


def _moving(rng: np.random.Generator) -> Iterator[Refusal]:
    yield Refusal("moves about", _scene(bpm=84.0, moving_s=1e6))
    yield Refusal("moves about", _scene(bpm=131.0, moving_s=1e6))
    for per_minute, down in zip(RATES, (0.05, 0.02, 0.05, 0.012, 0.03), strict=True):
        by = Disturbance(per_minute, down=down)
        yield Refusal("nods in time", _scene(by, bpm=per_minute * 0.72))
    for per_minute, across in zip(RATES[:3], (0.04, 0.02, 0.06), strict=True):
        by = Disturbance(per_minute, across=across, wanders=0.15)
        yield Refusal("shakes the head", _scene(by, bpm=150.0 - per_minute / 2.0))
    for per_minute, down in ((108.0, 0.03), (156.0, 0.05)):
        # The picture goes up with each step, and from side to side with two.
        by = Disturbance(per_minute, down=down, across=0.02, wanders=0.05)
        yield Refusal("walks", _scene(by, bpm=120.0 if per_minute < 120 else 95.0))
    by = Disturbance(66.0, across=0.05, down=0.03, wanders=0.3, starts_every_s=9.0)
    yield Refusal("moves now and then", _scene(by, bpm=88.0))
    for bpm in (64.0, 97.0, 128.0):
        by = Disturbance(float(rng.uniform(20, 50)), down=0.01, wanders=0.2, talks=True)
        yield Refusal("talks", _scene(by, bpm=bpm))


def _pictures(rng: np.random.Generator) -> Iterator[Refusal]:
    no_pulse = {"strength": 0.0}
    yield Refusal("a photograph, fixed", _scene(sway=0.0, **no_pulse), has_pulse=False)
    yield Refusal("a photograph, fixed", _scene(sway=0.0, noise=4.0, **no_pulse), has_pulse=False)
    yield Refusal("a photograph, held", _scene(**no_pulse), has_pulse=False)
    yield Refusal("a photograph, held", _scene(sway=0.03, **no_pulse), has_pulse=False)
    for per_minute, across in ((72.0, 0.02), (95.0, 0.04)):
        by = Disturbance(per_minute, across=across, down=across, wanders=0.1)
        yield Refusal("a photograph, moved", _scene(by, **no_pulse), has_pulse=False)
    for per_minute, flicker in zip(RATES, (0.004, 0.01, 0.02, 0.01, 0.004), strict=True):
        by = Disturbance(flicker_per_minute=per_minute, flicker=flicker)
        yield Refusal("a photograph, light flickers", _scene(by, **no_pulse), has_pulse=False)
    for lines_hz in (0.9, 1.3, 1.7, 2.4):
        by = Disturbance(lines_hz=lines_hz, lines=float(rng.uniform(0.01, 0.04)))
        scene = _scene(by, screen=True, **no_pulse)
        yield Refusal("a picture on a screen", scene, has_pulse=False)


def _light(rng: np.random.Generator) -> Iterator[Refusal]:
    for per_minute, flicker in ((60.0, 0.03), (90.0, 0.06), (120.0, 0.03), (180.0, 0.05)):
        by = Disturbance(flicker_per_minute=per_minute, flicker=flicker)
        yield Refusal("strong flicker", _scene(by, bpm=float(rng.uniform(55.0, 140.0))))
    for per_minute, lights, behind in (
        (24.0, 0.15, 1.0),
        (75.0, 0.05, 0.7),
        (103.0, 0.08, 0.5),
        (128.0, 0.03, 0.3),
    ):
        by = Disturbance(lights_per_minute=per_minute, lights=lights, behind=behind)
        yield Refusal("coloured lights change", _scene(by, bpm=float(rng.uniform(55.0, 140.0))))
        scene = _scene(by, strength=0.0)
        yield Refusal("a photograph, coloured lights", scene, has_pulse=False)
    yield Refusal("dark", _scene(bpm=66.0, brightness=0.12))
    yield Refusal("dark", _scene(bpm=118.0, brightness=0.2))


def _little() -> Iterator[Refusal]:
    for bpm, fps in ((92.0, 8.0), (141.0, 8.0), (73.0, 10.0)):
        yield Refusal("8 to 10 fps", replace(_scene(bpm=bpm), fps=fps))
    for width_px in (20.0, 35.0, 50.0):
        yield Refusal("a face of 20 to 50 px", _scene(bpm=80.0), width_px=width_px)
    yield Refusal("no face", _scene(strength=0.0), has_pulse=False, has_face=False)


def smaller(picture: np.ndarray, part: float) -> np.ndarray:
    """Return a picture with what was in it so much smaller, before a wall."""
    wall = np.full_like(picture, 110)
    size = round(WIDTH * part), round(HEIGHT * part)
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    top, left = (HEIGHT - size[1]) // 2, (WIDTH - size[0]) // 2
    wall[top : top + size[1], left : left + size[0]] = small
    return wall
