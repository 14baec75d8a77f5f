"""Trains the network for single pictures; see the package's README.

    /tmp/training/bin/python -m tools.exercise_network.postures --stills TABLE.csv --out still.npz

A picture of a repetition's turn is of its exercise, one of a rest is of none. In between it is not
said what it is, nor of the rest of a push-up, which looks like a plank's.
"""

from __future__ import annotations

import os

# One thread, so that sums come out the same.
os.environ["XLA_FLAGS"] = (
    "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1 "
    + os.environ.get("XLA_FLAGS", "")
)

import argparse
import hashlib
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from numpy.typing import NDArray

from analyzers.exercise.network.classes import CLASSES, NONE
from analyzers.exercise.network.features import GROUPS, WIDTH, mirrored
from analyzers.exercise.network.still import features_of_still
from tools.exercise_network import stills
from tools.exercise_network.body import Random
from tools.exercise_network.sequence import HELD, ON_FLOOR, performance
from tools.exercise_network.view import Seen, look

_RATE_HZ, _SECONDS, _MOMENTS = 12.0, 9.0, 6
_HIDDEN, _BATCH, _STEPS = 64, 256, 6000
_RATE, _WARM_UP, _DECAY, _SMOOTH = 3e-3, 100, 0.02, 0.1
_LEFT_OUT, _DROPPED, _WITHOUT_EXERCISE = 0.1, 0.2, 0.35
# The phase's cosine: 1 at rest, -1 at the turn.
_AT_TURN, _AT_REST = -0.75, 0.9
# Each has seeds of its own.
_CHECK, _STILLS = 9_500_000, 5_500_000
# Which of the table's postures are the turn of what.
_TABLE = {
    "squats_down": "squat",
    "pushups_down": "push_up",
    "pullups_up": "pull_up",
    "situp_up": "sit_up",
    "jumping_jacks_up": "jumping_jack",
    "squats_up": NONE,
    "situp_down": NONE,
    "jumping_jacks_down": NONE,
}
# Whose rest says nothing.
_NO_REST = ("push_up", HELD)

Picture = tuple[NDArray[np.float32], int]


def pictures(seed: int) -> list[Picture]:
    """Return features and classes of moments of one performance; the same seed, the same ones."""
    rng = np.random.default_rng(seed)
    none = rng.random() < _WITHOUT_EXERCISE
    name = NONE if none else str(rng.choice(CLASSES[1:]))
    count, dt = int(_RATE_HZ * _SECONDS), 1.0 / _RATE_HZ
    joints, labels = performance(rng, count, dt, name)
    seen = look(rng, joints, dt, floor=name in ON_FLOOR, side_on=name == "sit_up")
    cosine = np.cos(2.0 * np.pi * labels.phase)
    kind = labels.exercise
    held = kind == CLASSES.index(HELD)
    no_rest = np.isin(kind, [CLASSES.index(each) for each in _NO_REST])
    turned = held | ((kind > 0) & labels.inside & (cosine < _AT_TURN))
    rests = (kind > 0) & ~no_rest & labels.inside & (cosine > _AT_REST)
    return _some(rng, seen, np.flatnonzero(turned), kind) + _some(
        rng, seen, np.flatnonzero(rests | (kind == 0)), np.zeros_like(kind)
    )


def _some(
    rng: Random, seen: Seen, moments: NDArray[np.intp], kind: NDArray[np.int64]
) -> list[Picture]:
    chosen = rng.choice(moments, min(_MOMENTS, len(moments)), replace=False)
    return [(_features(seen, moment), int(kind[moment])) for moment in chosen]


def from_table(table: stills.Table, seed: int) -> list[Picture]:
    """Return one real posture, looked at."""
    rng = np.random.default_rng(seed)
    label = str(rng.choice(list(_TABLE)))
    points = table[label][rng.integers(len(table[label]))]
    points = points - points[-4:].mean(0)
    seen = look(rng, np.repeat(points[None], 8, 0), 1.0 / _RATE_HZ, turned=False)
    return [(_features(seen, 4), CLASSES.index(_TABLE[label]))]


def _features(seen: Seen, moment: int) -> NDArray[np.float32]:
    made = features_of_still(seen.picture[moment], seen.world[moment], seen.visibility[moment])
    return made.astype(np.float32)


def train(
    features: NDArray[np.float32], classes: NDArray[np.int64], seed: int
) -> dict[str, NDArray[np.float32]]:
    """Return trained weights."""
    rng = np.random.default_rng(seed)
    mean, spread = features.mean(0), np.maximum(features.std(0), 0.05)
    first = rng.normal(0.0, np.sqrt(1.0 / WIDTH), (WIDTH, _HIDDEN))
    last = rng.normal(0.0, np.sqrt(1.0 / _HIDDEN), (_HIDDEN, len(CLASSES)))
    weights: Any = {
        "first_w": jnp.asarray(first, jnp.float32),
        "first_b": jnp.zeros(_HIDDEN, jnp.float32),
        "last_w": jnp.asarray(last, jnp.float32),
        "last_b": jnp.zeros(len(CLASSES), jnp.float32),
    }
    schedule = optax.warmup_cosine_decay_schedule(0.0, _RATE, _WARM_UP, _STEPS, 1e-5)
    optimiser = optax.adamw(schedule, weight_decay=_DECAY)
    state = optimiser.init(weights)

    def loss(weights: Any, inputs: Any, wanted: Any, kept: Any) -> Any:
        hidden = jax.nn.relu((inputs - mean) / spread @ weights["first_w"] + weights["first_b"])
        out = hidden * kept @ weights["last_w"] + weights["last_b"]
        smooth = optax.smooth_labels(jax.nn.one_hot(wanted, len(CLASSES)), _SMOOTH)
        return optax.softmax_cross_entropy(out, smooth).mean()

    @jax.jit
    def step(weights: Any, state: Any, inputs: Any, wanted: Any, kept: Any) -> Any:
        gradient = jax.grad(loss)(weights, inputs, wanted, kept)
        change, state = optimiser.update(gradient, state, weights)
        return optax.apply_updates(weights, change), state

    index, sign = mirrored()
    for _ in range(_STEPS):
        chosen = rng.integers(0, len(classes), _BATCH)
        inputs = features[chosen]
        other = rng.random(_BATCH) < 0.5
        inputs[other] = inputs[other][:, index] * sign
        for low, high in GROUPS:
            inputs[rng.random(_BATCH) < _LEFT_OUT, low:high] = mean[low:high]
        kept = (rng.random((_BATCH, _HIDDEN)) > _DROPPED) / (1.0 - _DROPPED)
        weights, state = step(weights, state, inputs, classes[chosen], kept.astype(np.float32))
    trained = {"mean": mean, "spread": spread} | weights
    return {name: np.asarray(value, np.float32) for name, value in trained.items()}


def right(
    weights: dict[str, NDArray[np.float32]],
    features: NDArray[np.float32],
    classes: NDArray[np.int64],
) -> float:
    """Return the share of pictures that get the right class."""
    hidden = (features - weights["mean"]) / weights["spread"] @ weights["first_w"]
    out = np.maximum(hidden + weights["first_b"], 0.0) @ weights["last_w"] + weights["last_b"]
    return float((out.argmax(1) == classes).mean())


def _as_arrays(found: list[Picture]) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    return np.stack([each for each, _ in found]), np.array([kind for _, kind in found])


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--stills", type=Path, required=True, help="the table of labelled stills")
    parser.add_argument("--out", type=Path, required=True, help="the file of weights to write")
    parser.add_argument("--performances", type=int, default=6000)
    parser.add_argument("--from-stills", type=int, default=4000)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    table = stills.read(asked.stills)
    made = [e for seed in range(asked.performances) for e in pictures(asked.seed + seed)]
    first = _STILLS + asked.seed
    made += [e for seed in range(asked.from_stills) for e in from_table(table, first + seed)]
    weights = train(*_as_arrays(made), asked.seed)
    check = [each for seed in range(_CHECK, _CHECK + 400) for each in pictures(seed)]
    np.savez(asked.out, **weights)
    print(
        f"{asked.out}: {len(made)} pictures, {right(weights, *_as_arrays(check)):.1%} of"
        f" {len(check)} others right,"
        f" sha256 {hashlib.sha256(asked.out.read_bytes()).hexdigest()}"
    )


if __name__ == "__main__":
    main()
