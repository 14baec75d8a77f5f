"""Holds the engines' landmarks against MediaPipe's and against the truth, clip by clip."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bench.poses.clips import PoseClip, Source
from bench.poses.compare import Agreement, Distances, Spread
from bench.poses.turns import Answers

ALL = "all"


@dataclass(frozen=True, slots=True)
class DifferenceFigures:
    """How far an engine's answers are from MediaPipe's on the same frames.

    Attributes
    ----------
    clips
        "real", "rendered" or "all".
    agreement
        Of MediaPipe, the first, and this one, on who found someone.
    spreads
        By unit: "px", "world_cm" and "angle_deg".
    of_noise
        The spreads, divided by those of MediaPipe on noisy frames.
    """

    clips: str
    engine: str
    agreement: Agreement
    spreads: dict[str, Spread]
    of_noise: dict[str, Spread]


@dataclass(frozen=True, slots=True)
class TruthFigures:
    """How far an engine's answers are from the rendered athlete's true landmarks.

    Attributes
    ----------
    frames
        Those in which all engines found someone; the others are left out for all.
    of_mediapipe
        The spreads, divided by MediaPipe's.
    """

    engine: str
    frames: int
    spreads: dict[str, Spread]
    of_mediapipe: dict[str, Spread]


class Accuracy:
    """Takes in clips one by one, and says what they come to.

    Parameters
    ----------
    reference, noisy
        The names of MediaPipe and of MediaPipe on noisy frames.
    engines
        The names of the others.
    """

    def __init__(self, reference: str, noisy: str, engines: Sequence[str]) -> None:
        self._reference, self._noisy = reference, noisy
        self._names = (noisy, *engines)
        keys = [(clips, name) for clips in (*Source, ALL) for name in self._names]
        self._agreement = {key: Agreement() for key in keys}
        self._differences = {key: Distances() for key in keys}
        self._errors = {name: Distances() for name in (reference, *self._names)}
        self._true_frames = 0

    def add(self, clip: PoseClip, answers: dict[str, Answers]) -> None:
        """Take in what all of the engines said to a clip."""
        height, width = clip.frames.shape[1:3]
        reference = answers[self._reference]
        points = {name: each.landmarks_px(width, height) for name, each in answers.items()}
        for clips in (clip.source, ALL):
            for name in self._names:
                key = clips, name
                self._agreement[key].add(
                    map(bool, reference.people), map(bool, answers[name].people)
                )
                distances = self._differences[key]
                distances.add_px(points[name], points[self._reference])
                distances.add_world_cm(answers[name].world_cm(), reference.world_cm())
        if clip.truth_px is None:
            return
        by_all = ~np.isnan([each[:, 0, 0] for each in points.values()]).any(axis=0)
        self._true_frames += int(by_all.sum())
        for name, errors in self._errors.items():
            errors.add_px(points[name][by_all], clip.truth_px[by_all])

    def differences(self) -> list[DifferenceFigures]:
        """From MediaPipe, for each kind of clips there was, and for all."""
        figures = []
        for (clips, name), distances in self._differences.items():
            spreads = distances.spreads()
            if not spreads:
                continue
            floor = self._differences[clips, self._noisy].spreads()
            of_noise = {unit: each.over(floor[unit]) for unit, each in spreads.items()}
            agreement = self._agreement[clips, name]
            figures.append(DifferenceFigures(str(clips), name, agreement, spreads, of_noise))
        return figures

    def errors(self) -> list[TruthFigures]:
        """Against the truth; nothing if there was no clip with it."""
        if not self._true_frames:
            return []
        figures = []
        mediapipe = self._errors[self._reference].spreads()
        for name, distances in self._errors.items():
            spreads = distances.spreads()
            ratios = {unit: each.over(mediapipe[unit]) for unit, each in spreads.items()}
            figures.append(TruthFigures(name, self._true_frames, spreads, ratios))
        return figures
