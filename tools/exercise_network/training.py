"""Trains the network, with JAX; see the package's README for what it is trained on."""

from __future__ import annotations

import os

# One thread: two wait for each other longer than one computes, and sums come out the same.
os.environ["XLA_FLAGS"] = (
    "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1 "
    + os.environ.get("XLA_FLAGS", "")
)

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from numpy.typing import NDArray

from analyzers.exercise.network.classes import CLASSES
from analyzers.exercise.network.features import GROUPS, WIDTH, mirrored

DILATIONS = (1, 2, 4, 8, 16, 32)
CHANNELS = 48
BATCH = 16
_HELD = CLASSES.index("plank")
_LEFT_OUT = 0.12
_RATE, _WARM_UP, _DECAY = 3e-3, 100, 0.01
# The first half second could be of anything.
_UNCERTAIN, _UNCERTAIN_WEIGHT = 8, 0.2

Parameters = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Examples:
    """Sequences: features (N, T, WIDTH) float16, and labels (N, T) each."""

    features: NDArray[np.float16]
    exercise: NDArray[np.int8]
    phase: NDArray[np.float16]
    inside: NDArray[np.bool_]


def fresh(rng: np.random.Generator, examples: Examples) -> Parameters:
    """Return weights to begin with, and the features' mean and spread."""
    some = examples.features[:1500][examples.exercise[:1500] >= 0].astype(np.float32)

    def layer(inputs: int, outputs: int, gain: float = 2.0) -> dict[str, Any]:
        weights = rng.normal(0.0, np.sqrt(gain / inputs), (inputs, outputs))
        return {"w": jnp.asarray(weights, jnp.float32), "b": jnp.zeros(outputs, jnp.float32)}

    return {
        "mean": jnp.asarray(some.mean(0)),
        "spread": jnp.asarray(np.maximum(some.std(0), 0.05)),
        "first": layer(WIDTH, CHANNELS, 1.0),
        "wide": [layer(3 * CHANNELS, CHANNELS) for _ in DILATIONS],
        "mixed": [layer(CHANNELS, CHANNELS, 0.2) for _ in DILATIONS],
        "last": layer(CHANNELS, len(CLASSES) + 3, 1.0),
    }


def outputs(
    parameters: Parameters, features: jax.Array, drop: jax.Array | None = None
) -> jax.Array:
    """Return (B, T, classes + 3): logits, sine and cosine of the phase, logit of being inside."""
    x = (features - parameters["mean"]) / parameters["spread"]
    x = x @ parameters["first"]["w"] + parameters["first"]["b"]
    count = x.shape[1]
    for number, dilation in enumerate(DILATIONS):
        y = x / jnp.sqrt((x * x).mean(-1, keepdims=True) + 1e-5)
        past = jnp.pad(y, ((0, 0), (2 * dilation, 0), (0, 0)))
        y = jnp.concatenate([past[:, :count], past[:, dilation : dilation + count], y], -1)
        wide, mixed = parameters["wide"][number], parameters["mixed"][number]
        y = jax.nn.relu(y @ wide["w"] + wide["b"])
        if drop is not None:
            # The same for all moments of a sequence: fewer random numbers, which cost time here.
            each = (y.shape[0], 1, y.shape[2])
            keep = jax.random.bernoulli(jax.random.fold_in(drop, number), 0.9, each)
            y = jnp.where(keep, y / 0.9, 0.0)
        x = x + y @ mixed["w"] + mixed["b"]
    return jax.nn.relu(x) @ parameters["last"]["w"] + parameters["last"]["b"]


def loss_of(
    parameters: Parameters, batch: tuple[jax.Array, ...], drop: jax.Array | None = None
) -> tuple[jax.Array, jax.Array]:
    """Return the loss, and of what it is: class, phase, inside, and the share that is right."""
    features, exercise, phase, inside = batch
    made = outputs(parameters, features, drop)
    classes, wave, within = made[..., :-3], made[..., -3:-1], made[..., -1]
    valid = exercise >= 0
    weight = jnp.where(jnp.arange(exercise.shape[1]) < _UNCERTAIN, _UNCERTAIN_WEIGHT, 1.0) * valid
    wanted = optax.smooth_labels(jax.nn.one_hot(exercise, len(CLASSES)), 0.05)
    by_class = optax.softmax_cross_entropy(classes, wanted)
    repeats = (exercise > 0) & (exercise != _HELD)
    angle = 2.0 * jnp.pi * jnp.where(repeats, phase, 0.0)
    off = (wave[..., 0] - jnp.sin(angle)) ** 2 + (wave[..., 1] - jnp.cos(angle)) ** 2
    moves = weight * jnp.where(repeats, 1.0, 0.3)
    by_inside = optax.sigmoid_binary_cross_entropy(within, inside.astype(jnp.float32))
    total = weight.sum()
    parts = jnp.array(
        [
            (by_class * weight).sum() / total,
            (off * moves).sum() / moves.sum(),
            (by_inside * weight).sum() / total,
            ((classes.argmax(-1) == exercise) & valid).sum() / valid.sum(),
        ]
    )
    return parts[0] + parts[1] + 0.5 * parts[2], parts


def batches(rng: np.random.Generator, examples: Examples, mean: Any) -> Iterator[tuple[Any, ...]]:
    """Yield batches without end: mirrored at times, and with groups of features left out."""
    index, sign = mirrored()
    fill = np.asarray(mean)
    while True:
        chosen = rng.integers(0, len(examples.exercise), BATCH)
        features = examples.features[chosen].astype(np.float32)
        other = rng.random(BATCH) < 0.5
        features[other] = features[other][..., index] * sign
        for first, last in GROUPS:
            features[rng.random(BATCH) < _LEFT_OUT, :, first:last] = fill[first:last]
        yield (
            features,
            examples.exercise[chosen].astype(np.int32),
            examples.phase[chosen].astype(np.float32),
            examples.inside[chosen],
        )


def train(
    examples: Examples, check: Examples, steps: int, seed: int, say: Any = print
) -> Parameters:
    """Return trained weights; `say` is told how it goes."""
    rng = np.random.default_rng(seed)
    parameters = fresh(rng, examples)
    schedule = optax.warmup_cosine_decay_schedule(0.0, _RATE, _WARM_UP, steps, 1e-5)
    optimiser = optax.chain(
        optax.clip_by_global_norm(1.0), optax.adamw(schedule, weight_decay=_DECAY)
    )
    fixed = {key: parameters.pop(key) for key in ("mean", "spread")}
    state = optimiser.init(parameters)

    @jax.jit
    def step(parameters: Any, state: Any, batch: Any, key: Any) -> Any:
        def loss(trained: Any) -> Any:
            return loss_of(trained | fixed, batch, key)

        (_, parts), gradient = jax.value_and_grad(loss, has_aux=True)(parameters)
        change, state = optimiser.update(gradient, state, parameters)
        return optax.apply_updates(parameters, change), state, parts

    @jax.jit
    def measured(parameters: Any, batch: Any) -> Any:
        return loss_of(parameters | fixed, batch)[1]

    held_back = (
        check.features.astype(np.float32),
        check.exercise.astype(np.int32),
        check.phase.astype(np.float32),
        check.inside,
    )
    key, began = jax.random.PRNGKey(seed), time.monotonic()
    made = batches(rng, examples, fixed["mean"])
    for number in range(steps):
        batch = next(made)
        parameters, state, _ = step(parameters, state, batch, jax.random.fold_in(key, number))
        if (number + 1) % 250 == 0 or number + 1 == steps:
            names = ("class", "phase", "inside", "right")
            told = measured(parameters, held_back)
            shown = " ".join(f"{name} {value:.3f}" for name, value in zip(names, told, strict=True))
            say(f"step {number + 1} of {steps}, {time.monotonic() - began:.0f} s: {shown}")
    return parameters | fixed


def as_arrays(parameters: Parameters) -> dict[str, NDArray[np.float32]]:
    """Return the weights by name, as the analyzer reads them."""
    out = {"mean": parameters["mean"], "spread": parameters["spread"]}
    for name in ("first", "last"):
        out |= {f"{name}_{key}": parameters[name][key] for key in "wb"}
    for name in ("wide", "mixed"):
        for key in "wb":
            out[f"{name}_{key}"] = np.stack([np.asarray(each[key]) for each in parameters[name]])
    return {name: np.asarray(value, np.float32) for name, value in out.items()}
