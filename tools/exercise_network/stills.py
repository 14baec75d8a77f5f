"""Sequences from real postures: labelled stills of the two ends of a repetition, and ways between.

The table has a row for each still: pose_id, pose (such as squats_up), and x, y, z of BlazePose's
33 points, normalised by whoever made it. It is the training table of an MIT-licensed repository,
kalatz_exercise_recognition_train.csv in the data folder.
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from analyzers.exercise.network.classes import CLASSES
from analyzers.exercise.network.features import POINTS
from tools.exercise_network.body import HIPS, SHOULDERS, TOES, WRISTS, Array, Random, wandering
from tools.exercise_network.sequence import (
    FRAMES,
    RATE_HZ,
    Labels,
    Sequence,
    as_features,
    repetitions,
)
from tools.exercise_network.view import look

# What the table calls an exercise: our name, and where it starts and turns.
_ENDS = {
    "squats": ("squat", "up", "down"),
    "pushups": ("push_up", "up", "down"),
    "pullups": ("pull_up", "down", "up"),
    "situp": ("sit_up", "down", "up"),
    "jumping_jacks": ("jumping_jack", "down", "up"),
}
# Hips to shoulders of somebody of medium height, metres.
_TRUNK_M = 0.48
_NEAREST = 8

Table = dict[str, Array]


def read(path: Path) -> Table:
    """Return the postures by label, (stills, 15, 3): metres, y up, z towards the camera."""
    rows: dict[str, list[Array]] = {}
    with path.open(newline="") as file:
        for row in csv.reader(file):
            if not row[0].isdigit():
                continue
            points = np.array(row[2:], float).reshape(33, 3)[list(POINTS)]
            points -= points[HIPS : HIPS + 2].mean(0)
            trunk = np.linalg.norm(points[SHOULDERS : SHOULDERS + 2].mean(0))
            rows.setdefault(row[1], []).append(points * (1.0, -1.0, -1.0) * _TRUNK_M / trunk)
    return {label: np.array(points) for label, points in rows.items()}


def sequence(table: Table, seed: int) -> Sequence:
    """Return a sequence; the same seed gives the same."""
    rng = np.random.default_rng(seed)
    rate = rng.uniform(9.0, 30.0)
    lasts_s = rng.uniform(2.0, 15.0) if rng.random() < 0.4 else FRAMES / RATE_HZ
    count, dt = int(lasts_s * rate) + 3, 1.0 / rate
    kind = str(rng.choice(list(_ENDS)))
    name, start, turn = _ENDS[kind]
    depth, phase, _, inside = repetitions(rng, name, count, dt)
    first, second = _pair(rng, table[f"{kind}_{start}"], table[f"{kind}_{turn}"])
    points = first + (second - first) * depth[:, None, None]
    # Hips are where both begin; what stays is the feet, and the hands of who hangs.
    still = slice(WRISTS, WRISTS + 2) if name == "pull_up" else slice(TOES - 2, TOES)
    points = points - points[:, still].mean(1, keepdims=True)
    points += 0.03 * wandering(rng, count, (1, 3), 3.0 / dt)
    points += 0.01 * wandering(rng, count, (15, 3), 0.8 / dt)
    labels = Labels(np.full(count, CLASSES.index(name)), phase, inside)
    # The table's postures are as a camera saw them: turned a little only.
    seen = look(rng, points, dt, turned=False)
    return as_features(rng, seen, labels, rate)


def _pair(rng: Random, starts: Array, turns: Array) -> tuple[Array, Array]:
    """Return a start and a turn that were seen from about the same side."""
    first = starts[rng.integers(len(starts))]
    alike = (_aside(turns) * _aside(first)).sum(-1)
    second = turns[rng.choice(np.argsort(-alike)[:_NEAREST])]
    return first, second


def _aside(points: Array) -> Array:
    way = points[..., 1, :] - points[..., 2, :] + points[..., 7, :] - points[..., 8, :]
    direction: Array = way / np.maximum(np.linalg.norm(way, axis=-1, keepdims=True), 1e-9)
    return direction
