"""The temporal network, a moment at a time: which exercise, where in a repetition, and whether.

Causal convolutions over time, each over a moment and two earlier ones, further apart from layer to
layer (after WaveNet, van den Oord et al., 2016). Of the past each layer keeps what it will read, so
that a moment costs the same however long the session. Made in tools/exercise_network.

NumPy and not OpenVINO: at 61 thousand weights the products take a few microseconds each, which is
less than a request takes, and the state of each person is a handful of arrays.
"""

from __future__ import annotations

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


class Stream:
    """One person's past in the network."""

    def __init__(self, network: Network) -> None:
        self._network = network
        channels = network.channels
        self._past = [np.zeros((2 * each + 1, channels), np.float32) for each in DILATIONS]
        self._three = np.zeros(3 * channels, np.float32)
        self._moment = 0

    def step(self, features: NDArray[np.float64]) -> Told:
        """Take the features of the next moment, (WIDTH,), at `features.RATE_HZ`."""
        network, three, now = self._network, self._three, self._moment
        channels = network.channels
        x = features.astype(np.float32) @ network.first + network.first_bias
        for layer, dilation in enumerate(DILATIONS):
            past = self._past[layer]
            places = len(past)
            y = x * np.float32(1.0 / np.sqrt(float(x @ x) / channels + 1e-5))
            past[now % places] = y
            three[:channels] = past[(now - 2 * dilation) % places]
            three[channels : 2 * channels] = past[(now - dilation) % places]
            three[2 * channels :] = y
            y = np.maximum(three @ network.wide[layer] + network.wide_bias[layer], 0.0)
            x = x + y @ network.mixed[layer] + network.mixed_bias[layer]
        self._moment = now + 1
        out = np.maximum(x, 0.0) @ network.last + network.last_bias
        likely = np.exp(out[:-3] - out[:-3].max())
        sine, cosine, inside = out[-3:].tolist()
        return Told(likely / likely.sum(), sine, cosine, 1.0 / (1.0 + np.exp(-inside)))
