"""The temporal network, a moment at a time: which exercise, where in a repetition, and whether.

Causal convolutions over time, each over a moment and two earlier ones, further apart from layer to
layer (after WaveNet, van den Oord et al., 2016). Of the past each layer keeps what it will read, so
that a moment costs the same however long the session. Made in tools/exercise_network.

NumPy and not OpenVINO: at 61 thousand weights the products take a few microseconds each, which is
less than a request takes, and the state of each person is a handful of arrays.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from analyzers.exercise.network.classes import CLASSES
from analyzers.exercise.network.features import WIDTH

WEIGHTS = Path(__file__).with_name("weights.npz")
DILATIONS = (1, 2, 4, 8, 16, 32)

Array = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Told:
    """What the network says of one moment.

    Attributes
    ----------
    classes : ndarray, (classes,)
        The probability of each of CLASSES.
    sine, cosine : float
        Of the phase: of an angle that goes round once in a repetition, and is 0 at rest.
    inside : float
        The probability that a repetition or a hold is going on.
    """

    classes: Array
    sine: float
    cosine: float
    inside: float


class Network:
    """The weights, shared by everybody who is looked at.

    Parameters
    ----------
    weights : mapping of str to ndarray
        As in the file: `mean` and `spread` of the features; `first`, `wide`, `mixed` and `last`,
        each with `_w` and `_b`; those of the layers in between stacked.
    """

    def __init__(self, weights: dict[str, Array]) -> None:
        spread = weights["spread"]
        # The features' normalisation goes into the first layer.
        self.first = weights["first_w"] / spread[:, None]
        self.first_bias = weights["first_b"] - (weights["mean"] / spread) @ weights["first_w"]
        self.wide, self.wide_bias = weights["wide_w"], weights["wide_b"]
        self.mixed, self.mixed_bias = weights["mixed_w"], weights["mixed_b"]
        self.last, self.last_bias = weights["last_w"], weights["last_b"]
        self.channels = self.first.shape[1]
        expected = {
            (WIDTH, self.channels): self.first.shape,
            (len(DILATIONS), 3 * self.channels, self.channels): self.wide.shape,
            (len(DILATIONS), self.channels, self.channels): self.mixed.shape,
            (self.channels, len(CLASSES) + 3): self.last.shape,
        }
        for wanted, there in expected.items():
            if wanted != there:
                raise ValueError(f"the network's weights are {there} where {wanted} belong")


@cache
def shipped() -> Network:
    """Return the network that comes with the package, read once."""
    with np.load(WEIGHTS) as file:
        return Network({name: file[name].astype(np.float32) for name in file.files})


# What all layers keep of the past lies in one array, each layer's moments in turn: where each layer
# begins, how many it keeps, and which it reads, earlier first.
_BACK = np.array([(2 * each, each) for each in DILATIONS])
_PLACES = _BACK[:, :1] + 1
_BEGINS = np.cumsum(_PLACES, axis=0) - _PLACES


class Stream:
    """One person's past in the network."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._past = np.zeros((int(_PLACES.sum()), network.channels), np.float32)
        self._moment = 0

    def step(self, features: NDArray[np.float64]) -> Told:
        """Take the features of the next moment, (WIDTH,), at `features.RATE_HZ`."""
        return step_together([self], features[None])[0]

    def read(self) -> Array:
        """Return what the layers need of the past, (layers, 2 * channels)."""
        past = self._past[_BEGINS + (self._moment - _BACK) % _PLACES]
        side_by_side: Array = past.reshape(len(DILATIONS), -1)
        return side_by_side

    def write(self, moment: Array) -> None:
        """Keep what each layer was given at this moment, (layers, channels)."""
        self._past[(_BEGINS + self._moment % _PLACES)[:, 0]] = moment
        self._moment += 1


def step_together(streams: Sequence[Stream], features: NDArray[np.float64]) -> list[Told]:
    """Take the next moment of several people who are looked at by one network.

    One product for all of them, as a call costs more than what it computes.

    Parameters
    ----------
    streams : sequence of Stream
        One for each of P people, one at least.
    features : ndarray, (P, WIDTH)
        Of each one's moment.
    """
    network = streams[0]._network
    channels = network.channels
    # What comes from the past is known for all layers at once.
    past = np.array([stream.read() for stream in streams]).swapaxes(0, 1)
    early = past @ network.wide[:, : 2 * channels] + network.wide_bias[:, None]
    now = network.wide[:, 2 * channels :]
    x = features.astype(np.float32) @ network.first + network.first_bias
    given = np.empty((len(streams), len(DILATIONS), channels), np.float32)
    for layer in range(len(DILATIONS)):
        size = np.einsum("pc,pc->p", x, x)[:, None] / np.float32(channels)
        y = given[:, layer] = x / np.sqrt(size + np.float32(1e-5))
        y = np.maximum(y @ now[layer] + early[layer], 0.0)
        x = x + y @ network.mixed[layer] + network.mixed_bias[layer]
    for stream, moment in zip(streams, given, strict=True):
        stream.write(moment)
    out = np.maximum(x, 0.0) @ network.last + network.last_bias
    likely = np.exp(out[:, :-3] - out[:, :-3].max(axis=1, keepdims=True))
    likely /= likely.sum(axis=1, keepdims=True)
    return [
        Told(classes, sine, cosine, 1.0 / (1.0 + math.exp(-inside)))
        for classes, (sine, cosine, inside) in zip(likely, out[:, -3:].tolist(), strict=True)
    ]
