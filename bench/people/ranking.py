"""Rank-1, mean average precision and thresholds of re-identification models."""

from dataclasses import dataclass
from statistics import median
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from analyzers.networks.boxes import Box
from analyzers.reid.models import FeatureExtractor
from bench.people.crops import Crop, Floats

MAX_FALSE_ACCEPT = 0.02
"""The share of strangers that a network's threshold lets in."""


@dataclass(frozen=True, slots=True)
class ModelFigures:
    """What a re-identification model reaches.

    Attributes
    ----------
    rank1, map
        Shares in 0..1.
    ms
        A crop.
    threshold
        Cosine distance, chosen on half of the identities.
    false_accept, false_reject
        Shares of the other half's strangers, and of its right persons.
    posed
        The share of crops in which landmarks were found; None where they are not asked for.
    """

    rank1: float
    map: float
    ms: float
    threshold: float
    false_accept: float
    false_reject: float
    posed: float | None = None


def rank(queries: Floats, gallery: Floats, asked: Floats, there: Floats) -> tuple[float, float]:
    """Rank a gallery by distance for each query.

    Parameters
    ----------
    queries, gallery
        Vectors of length 1, shapes (Q, N) and (G, N).
    asked, there
        Whose they are, shapes (Q,) and (G,).

    Returns
    -------
    rank1, map
        How often the nearest is the right person, and the mean over queries of the average
        precision at each right one. Queries of people who are not in the gallery do not count.
    """
    first, precisions = [], []
    for similarities, identity in zip(queries @ gallery.T, asked, strict=True):
        right = there[np.argsort(-similarities, kind="stable")] == identity
        positions = np.flatnonzero(right)
        if len(positions):
            first.append(bool(right[0]))
            precisions.append(float(np.mean(np.arange(1, len(positions) + 1) / (positions + 1))))
    return float(np.mean(first)), float(np.mean(precisions))


def equal_error_threshold(same: Floats, different: Floats) -> float:
    """The distance at which as large a share of `same` lies above as of `different` below."""
    candidates = np.unique(np.concatenate([same, different]))
    refused = 1 - np.searchsorted(np.sort(same), candidates, side="right") / len(same)
    accepted = np.searchsorted(np.sort(different), candidates, side="right") / len(different)
    return float(candidates[np.abs(refused - accepted).argmin()])


def accepting_threshold(different: Floats, share: float) -> float:
    """The distance below which only this share of strangers lies."""
    return float(np.quantile(different, share))


def measure_model(extractor: FeatureExtractor, crops: list[Crop]) -> ModelFigures:
    """Rank-1, mAP, time and threshold of one model."""
    vectors, durations_ms = [], []
    for crop in crops:
        height, width = crop.rgb.shape[:2]
        began = perf_counter()
        embedding = extractor.describe(crop.rgb, Box(0, 0, width, height), crop.landmarks)
        durations_ms.append((perf_counter() - began) * 1000)
        vectors.append(embedding.vector.astype(np.float64))
    table = np.array(vectors)
    whose = np.array([crop.identity for crop in crops])
    camera_b = np.array([crop.camera_b for crop in crops])
    rank1, average = rank(table[~camera_b], table[camera_b], whose[~camera_b], whose[camera_b])
    chosen_on = np.isin(whose, np.unique(whose)[::2])
    same, different = _pairs(table, whose, camera_b, chosen_on)
    # Of several people in a picture the wrong ones must not match. What needs no weights would find
    # next to nobody at that, and is allowed as many errors of one kind as of the other.
    threshold = (
        equal_error_threshold(same, different)
        if extractor.is_fallback
        else accepting_threshold(different, MAX_FALSE_ACCEPT)
    )
    same, different = _pairs(table, whose, camera_b, ~chosen_on)
    posed = [crop.landmarks is not None for crop in crops] if extractor.is_fallback else None
    return ModelFigures(
        rank1,
        average,
        median(durations_ms[1:]),
        threshold,
        float(np.mean(different <= threshold)),
        float(np.mean(same > threshold)),
        None if posed is None else float(np.mean(posed)),
    )


def _pairs(
    table: Floats, whose: Floats, camera_b: NDArray[np.bool_], taken: NDArray[np.bool_]
) -> tuple[Floats, Floats]:
    """Distances of camera A's crops from camera B's means: of one person, and of two."""
    identities = np.unique(whose[taken & camera_b])
    means = np.array([table[camera_b & (whose == who)].mean(axis=0) for who in identities])
    means /= np.linalg.norm(means, axis=1, keepdims=True)
    asked = taken & ~camera_b
    distances = 1 - table[asked] @ means.T
    same = whose[asked][:, None] == identities[None, :]
    return distances[same], distances[~same]
