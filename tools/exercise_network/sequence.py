"""Labelled sequences: somebody gets ready, does some repetitions, does something else."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analyzers.exercise.network.classes import CLASSES, NONE
from analyzers.exercise.network.features import RATE_HZ, WIDTH, FeatureMaker
from tools.exercise_network import floor, others, standing
from tools.exercise_network.body import (
    Array,
    Build,
    Figure,
    Random,
    as_long_as,
    ease,
    mix,
    some_build,
    wandering,
)
from tools.exercise_network.view import Seen, look

FRAMES = 225
MOVEMENTS = {
    "bicep_curl": standing.bicep_curl,
    "deadlift": standing.deadlift,
    "jumping_jack": standing.jumping_jack,
    "lateral_raise": standing.lateral_raise,
    "lunge": standing.lunge,
    "plank": floor.plank,
    "pull_up": floor.pull_up,
    "push_up": floor.push_up,
    "shoulder_press": standing.shoulder_press,
    "sit_up": floor.sit_up,
    "squat": standing.squat,
}
HELD = "plank"
# Seconds that a repetition takes.
_TEMPO = {
    "jumping_jack": (0.55, 1.8),
    "squat": (1.0, 8.0),
    "push_up": (0.65, 4.5),
    "deadlift": (1.4, 6.0),
    "lunge": (1.2, 5.0),
    "sit_up": (1.1, 5.0),
    "pull_up": (1.0, 5.0),
}
_ANY_TEMPO = (0.8, 5.0)
ON_FLOOR = ("sit_up", "push_up", HELD)
# Nothing is asked of a frame with this label.
PADDING = -1


@dataclass(frozen=True, slots=True)
class Labels:
    """What is true at each moment, (T,) each.

    `exercise` is a number of CLASSES, `phase` runs from 0 over 0.5 at the turn to 1, and `inside`
    says that a repetition, or a hold, is going on.
    """

    exercise: NDArray[np.int64]
    phase: Array
    inside: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Sequence:
    """Features (FRAMES, WIDTH) and labels, (FRAMES,) each, padded at the end."""

    features: NDArray[np.float16]
    exercise: NDArray[np.int8]
    phase: NDArray[np.float16]
    inside: NDArray[np.bool_]


def repetitions(
    rng: Random, name: str, count: int, dt: float
) -> tuple[Array, Array, NDArray[np.int64], NDArray[np.bool_]]:
    """Return depth 0..1, phase 0..1, the repetition's number, and whether in one; (T,) each."""
    low, high = _TEMPO.get(name, _ANY_TEMPO)
    mean = float(np.exp(rng.uniform(np.log(low), np.log(high))))
    stays, rests = rng.choice([0.0, 0.0, 0.1, 0.6]), rng.choice([0.0, 0.05, 0.2, 0.8])
    share, smooth = rng.uniform(0.35, 0.65), rng.random() < 0.5
    depth, phase = np.zeros(count), np.zeros(count)
    number, inside = np.zeros(count, int), np.zeros(count, bool)
    # Videos begin at rest or anywhere in a repetition.
    at = -rng.uniform(0.0, 1.5) * mean if rng.random() < 0.5 else rng.uniform(0.0, 0.9)
    time_s, done = np.arange(count) * dt, 0
    full = rng.uniform(0.75, 1.0)
    while at < count * dt:
        lasts = mean * rng.uniform(0.8, 1.25)
        hold = stays * rng.uniform(0.0, 1.5)
        out, back = lasts * share, lasts * (1.0 - share)
        given_up = rng.random() < 0.03
        size = full * (rng.uniform(0.1, 0.3) if given_up else rng.uniform(0.85, 1.0))
        x = time_s - at
        now = (x >= 0.0) & (x < out + hold + back)
        way = np.clip(np.where(x < out, x / out, 1.0 - (x - out - hold) / back), 0.0, 1.0)
        depth = np.where(
            now, size * (ease(way) if smooth else np.sin(0.5 * np.pi * way) ** 2), depth
        )
        if not given_up:
            going = np.where(x < out, 0.5 * x / out, 0.5)
            going = np.where(x >= out + hold, 0.5 + 0.5 * (x - out - hold) / back, going)
            phase = np.where(now, going, phase)
            inside |= now
        number = np.where(x >= 0.0, done, number)
        rest = rests * rng.uniform(0.0, 1.5) + (
            rng.uniform(0.5, 2.5) if rng.random() < 0.06 else 0.0
        )
        at += out + hold + back + rest
        done += 1
    return depth, phase, number, inside


def _part(rng: Random, build: Build, name: str, count: int, dt: float) -> tuple[Array, Labels]:
    figure = Figure(rng, build, count)
    if name == NONE:
        others.some_other(figure, 1.0 / dt)
        none = np.zeros(count, int)
        return figure.joints(), Labels(none, np.zeros(count), np.zeros(count, bool))
    depth, phase, number, inside = repetitions(rng, name, count, dt)
    MOVEMENTS[name](figure, depth, number)
    if name == HELD:
        phase, inside = np.zeros(count), np.ones(count, bool)
    return figure.joints(), Labels(np.full(count, CLASSES.index(name)), phase, inside)


def performance(rng: Random, count: int, dt: float, name: str) -> tuple[Array, Labels]:
    """Return joints (T, 15, 3) and labels of somebody who does an exercise, or nothing of it."""
    build = some_build(rng)
    plans: dict[str, list[str]] = {
        "all": [name],
        "framed": [NONE, name, NONE][int(rng.integers(0, 2)) : int(rng.integers(2, 4))],
        "two": [name, str(rng.choice(CLASSES[1:]))],
        "others": [NONE] * int(rng.integers(1, 4)),
    }
    plan = (
        "others" if name == NONE else str(rng.choice(["all", "framed", "two"], p=[0.5, 0.4, 0.1]))
    )
    names = plans[plan]
    edges = [0, *np.sort(rng.uniform(0.1, 0.9, len(names) - 1) * count).astype(int), count]
    joints, labels = (
        np.zeros((count, 15, 3)),
        Labels(np.zeros(count, int), np.zeros(count), np.zeros(count, bool)),
    )
    for number, each in enumerate(names):
        start, end = edges[number], edges[number + 1]
        length = max(end - start, 4)
        made, own = _part(rng, build, each, length, dt)
        end = min(start + length, count)
        kept = slice(0, end - start)
        joints[start:end] = made[kept]
        labels.exercise[start:end] = own.exercise[kept]
        labels.phase[start:end], labels.inside[start:end] = own.phase[kept], own.inside[kept]
        if start and end - start > 2:
            way = min(int(rng.uniform(0.4, 2.0) / dt) + 1, end - start - 1)
            there = slice(start, start + way)
            part = ease(np.arange(way) / way)[:, None]
            joints[there] = mix(joints[start - 1], joints[there], part)
            joints[there] = as_long_as(joints[there], joints[start - 1])
            labels.exercise[there], labels.phase[there] = 0, 0.0
            labels.inside[there] = False
    wander = 0.06 if rng.random() < 0.85 else 0.5
    place = wandering(rng, count, (1, 3), 3.0 / dt) * (wander, 0.0, wander)
    return joints + place + 0.008 * wandering(rng, count, (15, 3), 0.8 / dt), labels


def _seen(rng: Random, joints: Array, dt: float, name: str) -> Seen:
    """Look at a performance, at times with a cut or a cross-fade in it."""
    count = len(joints)

    def seen() -> Seen:
        return look(
            rng,
            joints,
            dt,
            floor=name in ON_FLOOR,
            side_on=name == "sit_up",
        )

    first = seen()
    if rng.random() > 0.15:
        return first
    second = seen()
    fades_s = 0.0 if rng.random() < 0.5 else rng.uniform(0.2, 1.2)
    cut = rng.uniform(0.05, 0.95) * count
    part = np.clip((np.arange(count) - cut) * dt / max(fades_s, 1e-3), 0.0, 1.0)[:, None]
    # While one picture fades into the other the network sees the one, then the other.
    if rng.random() < 0.5:
        part = np.round(part)
    return Seen(
        mix(first.picture, second.picture, part),
        mix(first.world, second.world, part),
        first.visibility * (1.0 - part) + second.visibility * part,
    )


def sequence(seed: int) -> Sequence:
    """Return one sequence; the same seed gives the same."""
    rng = np.random.default_rng(seed)
    rate = rng.uniform(9.0, 30.0)
    lasts_s = rng.uniform(2.0, 15.0) if rng.random() < 0.4 else FRAMES / RATE_HZ
    count, dt = int(lasts_s * rate) + 3, 1.0 / rate
    name = NONE if rng.random() < 0.25 else str(rng.choice(CLASSES[1:]))
    joints, labels = performance(rng, count, dt, name)
    return as_features(rng, _seen(rng, joints, dt, name), labels, rate)


def as_features(rng: Random, seen: Seen, labels: Labels, rate: float) -> Sequence:
    """Resample what was seen, with gaps in it, and make features of it."""
    count = len(labels.exercise)
    at = np.arange(0.0, (count - 1) / rate, 1.0 / RATE_HZ)[:FRAMES] * rate
    missing = np.zeros(len(at))
    source = at.copy()
    if rng.random() < 0.2:
        for _ in range(int(rng.integers(1, 4))):
            start = int(rng.integers(1, max(len(at) - 1, 2)))
            end = start + int(rng.uniform(0.1, 0.9) * RATE_HZ)
            missing[start:end], source[start:end] = 1.0, source[start - 1]
    low = np.minimum(source.astype(int), count - 2)
    part = source - low

    def between(values: Array) -> Array:
        p = part.reshape(-1, *(1 for _ in values.shape[1:]))
        return values[low] * (1.0 - p) + values[low + 1] * p

    made = FeatureMaker().make(
        between(seen.picture), between(seen.world), between(seen.visibility), missing
    )
    nearest = np.minimum(np.round(at).astype(int), count - 1)
    features = np.zeros((FRAMES, WIDTH), np.float16)
    exercise = np.full(FRAMES, PADDING, np.int8)
    phase, inside = np.zeros(FRAMES, np.float16), np.zeros(FRAMES, bool)
    features[: len(at)] = made
    exercise[: len(at)] = labels.exercise[nearest]
    phase[: len(at)], inside[: len(at)] = labels.phase[nearest], labels.inside[nearest]
    return Sequence(features, exercise, phase, inside)
