"""Counts the repetitions of whole clips, and holds them against who counted by eye."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from analyzers.exercise import Exercise
from analyzers.exercise.scorer import NONE
from analyzers.pose import Pose

TRUTH = "rep_counts.json"

# What the truth calls an exercise, and what we do; of several words the first one here counts, as
# in a walking lunge or a standing press.
WORDS = {
    "jack": "jumping_jack",
    "squat": "squat",
    "push": "push_up",
    "plank": "plank",
    "curl": "bicep_curl",
    "deadlift": "deadlift",
    "press": "shoulder_press",
    "pull": "pull_up",
    "sit": "sit_up",
    "lunge": "lunge",
    "lateral": "lateral_raise",
    "stand": NONE,
    "walk": NONE,
    "talk": NONE,
}
# In these no repetition is right, of whatever exercise.
WITHOUT_REPETITIONS = ("plank", NONE)


@dataclass(frozen=True, slots=True)
class Clip:
    """A clip and its truth: the exercise, and the least and the most that may be counted."""

    name: str
    path: Path
    exercise: str
    true_least: int | None
    true_most: int | None


@dataclass(frozen=True, slots=True)
class ClipFigures:
    """What was found in a clip.

    Attributes
    ----------
    told_late_s
        The longest time between a repetition's end and the frame with which it was told.
    """

    clip: Clip
    counted: int
    recognised: str
    held_s: float
    told_late_s: float

    @property
    def error(self) -> int | None:
        """By how many repetitions the count is wrong; None where the truth is not known."""
        least, most = self.clip.true_least, self.clip.true_most
        if least is None or most is None:
            return None
        return max(least - self.counted, self.counted - most, 0)

    @property
    def is_recognised(self) -> bool:
        return self.recognised == self.clip.exercise

    def as_json(self) -> dict[str, Any]:
        return {
            "clip": self.clip.name,
            "exercise": self.clip.exercise,
            "true": self.clip.true_most,
            "true_least": self.clip.true_least,
            "counted": self.counted,
            "error": self.error,
            "recognised": self.recognised,
            "held_s": self.held_s,
            "told_late_s": self.told_late_s,
        }


def clips_of(data: Path) -> list[Clip]:
    """Read the truth of a data folder.

    Raises
    ------
    FileNotFoundError
        When the truth, or a clip that it names, is not there.
    ValueError
        When the truth is not what it should be.
    """
    truth = data / TRUTH
    if not truth.is_file():
        raise FileNotFoundError(f"there is no {truth}; name a folder that has it with --data")
    try:
        entries = json.loads(truth.read_text())
        clips = [
            Clip(name, data / name, _our_name(entry["exercise"]), *_true_count(entry))
            for name, entry in entries.items()
        ]
    except (json.JSONDecodeError, AttributeError, KeyError, TypeError) as error:
        raise ValueError(
            f"{truth} is not an object of clips, each with its exercise and its reps: {error!r}"
        ) from None
    missing = [clip.name for clip in clips if not clip.path.is_file()]
    if missing:
        raise FileNotFoundError(
            f"{truth} names {len(missing)} clips that are not there: {', '.join(missing[:3])}"
            f"{', ...' if len(missing) > 3 else ''}; add them, or take them out of it"
        )
    return clips


def measure_clip(clip: Clip, pose: Pose, exercise: Exercise) -> ClipFigures:
    """Run a clip through pose and exercise, every frame at its own time.

    Raises
    ------
    ValueError
        When no frame can be decoded.
    """
    pose.start(clip.name, 0.0)
    exercise.start(clip.name, 0.0)
    late_s = told = 0.0
    frames = 0
    for rgb, time_ms in _frames(clip.path):
        frames += 1
        seen = pose.frame(clip.name, rgb, time_ms)
        result = exercise.frame(clip.name, rgb, time_ms, results={"pose": seen})
        if result["repetition"] is not None and result["repetition"]["end_ms"] > told:
            told = result["repetition"]["end_ms"]
            late_s = max(late_s, (time_ms - told) / 1000.0)
    pose.end(clip.name)
    summary = exercise.end(clip.name)["exercise_summary"]
    if not frames:
        raise ValueError(f"{clip.path} has no frame that can be decoded; replace the file")
    found = summary["exercises"]
    counted = (
        sum(each["reps"] for each in found.values())
        if clip.exercise in WITHOUT_REPETITIONS
        else found.get(clip.exercise, {}).get("reps", 0)
    )
    held_s = found.get("plank", {}).get("held_s", 0.0)
    return ClipFigures(clip, counted, summary["main_exercise"], held_s, round(late_s, 3))


def summary_of(clips: list[ClipFigures]) -> dict[str, float | int]:
    """Return shares in 0..1: counts of the clips whose truth is known, recognition of all."""
    errors = [
        (clip.error, max(clip.clip.true_most or 0, 1)) for clip in clips if clip.error is not None
    ]
    known = max(len(errors), 1)
    return {
        "clips": len(clips),
        "exact": round(sum(error == 0 for error, _ in errors) / known, 4),
        "off_by_one": round(sum(error <= 1 for error, _ in errors) / known, 4),
        "mean_error": round(sum(error / true for error, true in errors) / known, 4),
        "recognised": round(sum(clip.is_recognised for clip in clips) / max(len(clips), 1), 4),
    }


def line_of(figures: ClipFigures) -> str:
    """Return a clip's line on the terminal."""
    clip = figures.clip
    if clip.true_most is None:
        truth = "?"
    elif clip.true_least == clip.true_most:
        truth = str(clip.true_most)
    else:
        truth = f"{clip.true_least} or {clip.true_most}"
    held = f", held {figures.held_s} s" if figures.held_s else ""
    return (
        f"{clip.name:52} {clip.exercise:14} true {truth:8} counted {figures.counted:3}"
        f" recognised {figures.recognised}{held}"
        f"{'  WRONG COUNT' if figures.error else ''}"
        f"{'' if figures.is_recognised else '  WRONG EXERCISE'}"
    )


def _frames(path: Path) -> Iterator[tuple[NDArray[np.uint8], float]]:
    capture = cv2.VideoCapture(str(path))
    fps = capture.get(cv2.CAP_PROP_FPS) or 30.0
    number = 0
    while True:
        read, bgr = capture.read()
        if not read:
            break
        yield np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8), number * 1000.0 / fps
        number += 1
    capture.release()


def _our_name(words: str) -> str:
    return next((name for word, name in WORDS.items() if word in words.lower()), words)


def _true_count(truth: dict[str, Any]) -> tuple[int | None, int | None]:
    if truth.get("reps") is not None:
        return truth["reps"], truth["reps"]
    markers = truth.get("rep_markers")
    return (markers - 1, markers) if markers else (None, None)
