"""Chooses what finds people and what describes them, by name or by path."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from analyzers.base_model import AnalyzerUnavailable
from analyzers.networks import catalogue, model_cache, sidecar
from analyzers.networks.boxes import Box
from analyzers.networks.catalogue import Task
from analyzers.networks.person_detector import PersonDetector
from analyzers.networks.runtime import Runtime
from analyzers.networks.sidecar import Sidecar
from analyzers.reid import appearance
from analyzers.reid.appearance import Appearance
from analyzers.reid.embedding import Embedding
from analyzers.reid.network_extractor import NetworkExtractor
from analyzers.reid.yolox import YoloxDetector

T = TypeVar("T")

logger = logging.getLogger(__name__)

# The best first.
_MODELS = ("person-reidentification-retail-0287", "person-reidentification-retail-0288")
# What docs/accuracy.md has figures of.
_MEASURED = "person-reidentification-retail-0288"
_DETECTORS = ("person-detection-retail-0013",)


class FeatureExtractor(Protocol):
    """Says what a person looks like.

    Attributes
    ----------
    name : str
        The network's name, or the fallback's.
    size : int
        Length of its vectors.
    threshold : float
        The largest cosine distance at which two pictures show one person.
    is_fallback : bool
        Whether it does without weights.
    """

    name: str
    size: int
    threshold: float
    is_fallback: bool

    def describe(
        self, rgb: NDArray[np.uint8], box: Box, landmarks: NDArray[np.float64] | None
    ) -> Embedding:
        """Describe one person of a frame, given where their landmarks are (33, 3) in pixels."""


class Detector(Protocol):
    """Finds people by boxes, the surest first."""

    def find(self, rgb: NDArray[np.uint8]) -> list[Box]: ...


def make_extractor(model: str | None, make_runtime: Callable[[], Runtime]) -> FeatureExtractor:
    """Make what was asked for.

    Parameters
    ----------
    model
        A name, a path, or the fallback's name; by default the best network in
        the user's cache, and the fallback when there is none that works.
    make_runtime
        Called when a network is to be computed.

    Raises
    ------
    AnalyzerUnavailable
        When it is not there, or OpenVINO is missing.
    ValueError
        When it is there, and is not what it should be.
    """
    if model == appearance.NAME:
        return Appearance()
    if model is None:
        return _best(_MODELS, make_extractor, make_runtime) or _fallback()
    path, wants = resolve(model, Task.REIDENTIFICATION)
    return NetworkExtractor(make_runtime(), path, wants)


def _fallback() -> Appearance:
    logger.warning(
        "re-identification has no weights and falls back on clothes' colours,"
        " which is much less sure: kinecast models fetch %s",
        _MEASURED,
    )
    return Appearance()


def make_detector(
    detector: str | None, make_runtime: Callable[[], Runtime]
) -> tuple[str, Detector] | None:
    """Make a person detector, and say what it is called; None when there are no weights.

    Parameters and errors are those of `make_extractor`.
    """
    if detector is None:
        return _best(_DETECTORS, make_detector, make_runtime)
    path, wants = resolve(detector, Task.DETECTION)
    runtime = make_runtime()
    if wants.family == "yolox":
        return path.stem, YoloxDetector(runtime, path, wants)
    return path.stem, PersonDetector(runtime, path, quick=runtime.has_quick)


def _best(
    names: Iterable[str],
    make: Callable[[str, Callable[[], Runtime]], T | None],
    make_runtime: Callable[[], Runtime],
) -> T | None:
    """Make the first of those in the user's cache that works; None when none does."""
    for name in filter(model_cache.find, names):
        try:
            return make(name, make_runtime)
        except (OSError, ValueError, AnalyzerUnavailable) as error:
            # Nobody asked for it.
            logger.warning("re-identification goes without %s: %s", name, error)
    return None


def resolve(model: str, task: Task) -> tuple[Path, Sidecar]:
    """Find a network's file, and how it wants its picture.

    Parameters
    ----------
    model
        A path (.xml, .onnx), or a name in the catalogue or the user's cache.
    task
        What it is to be for.

    Raises
    ------
    AnalyzerUnavailable
        When it is not there.
    ValueError
        When nobody says how it wants its picture, or it is for something else.
    """
    path = model_cache.locate(model) or _missing(model, task)
    beside, weights = sidecar.find(path), catalogue.known(path.stem)
    wants = sidecar.read(beside) if beside else weights.sidecar if weights else None
    if wants is None:
        raise ValueError(
            f"nobody says how {path} wants its picture: write {path.with_suffix('.toml').name}"
            " beside it, with task, size, channels, mean and scale"
        )
    if wants.task != task:
        raise ValueError(f"{path} is for {wants.task}, not for {task}")
    return path, wants


def _missing(model: str, task: Task) -> Path:
    weights = catalogue.known(model)
    if weights is None:
        known = ", ".join(catalogue.names(task))
        raise AnalyzerUnavailable(
            f"there is no network {model!r} for {task}; known by name are {known}"
        )
    if weights.files:
        raise AnalyzerUnavailable(f"{model} is not on this machine: kinecast models fetch {model}")
    raise AnalyzerUnavailable(f"{model} is not in {model_cache.directory()}: put its file there")
