"""Clips of people who were counted by eye, and what pose says of every frame of them.

A folder has rep_counts.json; where there is a folder exercise_unseen with another one beside it,
its clips are taken too. A source is whoever a clip comes from: the first word of a file's name
where that names it (mrpose_squat2), else the folder.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analyzers.exercise.demonstration import UNKNOWN
from analyzers.exercise.scorer import NONE, ExerciseScorer
from analyzers.exercise.summary import session_summary
from analyzers.exercise.sureness import CHOSEN, Judgement
from analyzers.pose import Pose
from bench.harness.report import BadInput
from bench.parts.people import frames

TRUTH = "rep_counts.json"
KNOWN, UNSEEN = "known", "unseen"
_UNSEEN_FOLDER = "exercise_unseen"
# Whose folder says from whom its files are.
_BY_NAME = "exercise_videos"
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
    "dip": UNKNOWN,
    "stand": NONE,
    "walk": NONE,
    "talk": NONE,
}
# In these no repetition is right, of whatever exercise.
WITHOUT_REPETITIONS = ("plank", NONE)
_AXES = ("x", "y", "z", "visibility")

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Clip:
    """A clip and its truth: the exercise, and the least and the most that may be counted."""

    name: str
    path: Path
    exercise: str
    true_least: int | None
    true_most: int | None
    part: str = KNOWN

    @property
    def source(self) -> str:
        """From whom it is."""
        folder, _, rest = self.name.partition("/")
        return rest.partition("_")[0] if folder == _BY_NAME else folder


@dataclass(frozen=True, slots=True)
class Landmarks:
    """What pose said of a clip: (frames,) seconds, (frames, 33, 4) twice, NaN where nobody was."""

    times_s: Floats
    flat: Floats
    solid: Floats
    aspect: float


def clips_of(data: Path) -> list[Clip]:
    """Read the truth of a data folder, and of the one with unseen clips in it.

    Raises
    ------
    BadInput
        When there is none, or it is not whole.
    """
    clips = _clips_of(data, KNOWN)
    unseen = data / _UNSEEN_FOLDER
    return clips + _clips_of(unseen, UNSEEN) if (unseen / TRUTH).is_file() else clips


def _clips_of(data: Path, part: str) -> list[Clip]:
    truth = data / TRUTH
    if not truth.is_file():
        raise BadInput(f"there is no {truth}; name a folder that has it with --data")
    try:
        entries = json.loads(truth.read_text())
        clips = [
            Clip(name, data / name, _our_name(entry["exercise"]), *_true_count(entry), part)
            for name, entry in entries.items()
        ]
    except (json.JSONDecodeError, AttributeError, KeyError, TypeError) as error:
        raise BadInput(
            f"{truth} is not an object of clips, each with its exercise and its reps: {error!r}"
        ) from None
    missing = [clip.name for clip in clips if not clip.path.is_file()]
    if missing:
        raise BadInput(
            f"{truth} names {len(missing)} clips that are not there: {', '.join(missing[:3])}"
            f"{', ...' if len(missing) > 3 else ''}; add them, or take them out of it"
        )
    return clips


def _our_name(words: str) -> str:
    return next((name for word, name in WORDS.items() if word in words.lower()), words)


def _true_count(truth: dict[str, Any]) -> tuple[int | None, int | None]:
    if truth.get("reps") is not None:
        return truth["reps"], truth["reps"]
    markers = truth.get("rep_markers")
    return (markers - 1, markers) if markers else (None, None)


def landmarks_of(path: Path, pose: Pose, cache: Path | None) -> Landmarks:
    """Return what pose says of a clip, frame by frame; kept in `cache`, where there is one.

    Raises
    ------
    BadInput
        When it is no video.
    """
    kept = None if cache is None else cache / f"{path.stem}-{_fingerprint(path)}.npz"
    if kept is not None and kept.is_file():
        with np.load(kept) as file:
            return Landmarks(file["times_s"], file["flat"], file["solid"], float(file["aspect"]))
    times_s, flat, solid, aspect = list[float](), list[Any](), list[Any](), 1.0
    pose.start(path.name, 0.0)
    try:
        for time_ms, rgb in frames(path):
            seen = pose.frame(path.name, rgb, time_ms)
            aspect = rgb.shape[1] / rgb.shape[0]
            times_s.append(time_ms / 1000.0)
            flat.append(_rows(seen["landmarks"]))
            solid.append(_rows(seen["world_landmarks"]))
    except ValueError as error:
        raise BadInput(str(error)) from None
    finally:
        pose.end(path.name)
    made = Landmarks(np.array(times_s), np.array(flat), np.array(solid), aspect)
    if kept is not None:
        kept.parent.mkdir(parents=True, exist_ok=True)
        np.savez_compressed(
            kept, times_s=made.times_s, flat=made.flat, solid=made.solid, aspect=aspect
        )
    return made


def _rows(landmarks: list[dict[str, float]]) -> Floats:
    if not landmarks:
        return np.full((33, 4), np.nan)
    return np.array([[each[axis] for axis in _AXES] for each in landmarks])


def _fingerprint(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]


def played(seen: Landmarks, judgement: Judgement = CHOSEN) -> Iterator[tuple[float, Any]]:
    """Yield what the scorer says after each frame, and with the last, at infinity, the scorer."""
    scorer = ExerciseScorer(None, judgement)
    rows = zip(seen.times_s.tolist(), seen.flat.tolist(), seen.solid.tolist(), strict=True)
    for time_s, flat, solid in rows:
        nobody = flat[0][0] != flat[0][0]
        yield (
            time_s,
            scorer.idle(time_s) if nobody else scorer.feed(flat, solid, time_s, seen.aspect),
        )
    scorer.finish()
    yield float("inf"), scorer


def figures_of(clip: Clip, seen: Landmarks, judgement: Judgement = CHOSEN) -> dict[str, Any]:
    """Score a clip, and hold it against its truth."""
    # The longest time between a repetition's end and the frame with which it was told.
    late_s = 0.0
    for time_s, said in played(seen, judgement):
        if isinstance(said, ExerciseScorer):
            summary = session_summary(said)
        else:
            late_s = max([late_s, *(time_s - each.end_s for each in said.new)])
    found = summary["exercises"]
    counts = {name: each["reps"] for name, each in found.items() if each["reps"]}
    counted = (
        sum(counts.values())
        if clip.exercise in WITHOUT_REPETITIONS
        else counts.get(clip.exercise, 0)
    )
    least, most = clip.true_least, clip.true_most
    known = least is not None and most is not None and clip.exercise != UNKNOWN
    return {
        "clip": clip.name,
        "part": clip.part,
        "source": clip.source,
        "exercise": clip.exercise,
        "true": most,
        "true_least": least,
        "counted": counted,
        "wrong": sum(counts.values()) - counts.get(clip.exercise, 0),
        "error": max(least - counted, counted - most, 0) if known else None,
        "recognised": summary["main_exercise"],
        "held_s": found.get("plank", {}).get("held_s", 0.0),
        "told_late_s": round(late_s, 3),
    }


def summary_of(clips: list[dict[str, Any]]) -> dict[str, float | int]:
    """Return shares in 0..1: counts of the clips whose truth is known, recognition of all."""
    known = [clip for clip in clips if clip["error"] is not None]
    count, right = max(len(known), 1), [clip["recognised"] == clip["exercise"] for clip in clips]
    return {
        "clips": len(clips),
        "exact": round(sum(clip["error"] == 0 for clip in known) / count, 4),
        "off_by_one": round(sum(clip["error"] <= 1 for clip in known) / count, 4),
        "mean_error": round(sum(c["error"] / max(c["true"], 1) for c in known) / count, 4),
        "recognised": round(sum(right) / max(len(clips), 1), 4),
    }
