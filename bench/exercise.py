"""Holds exercise recognition, counting and form against people who were counted by eye.

  clips  Whole clips, frame by frame through pose and exercise at their own times: how many
         repetitions of the right exercise were counted, and which exercise was recognised. Clips
         and truth are those of the data folder's rep_counts.json. Where the truth is markers at
         the top of each repetition, complete ones may be one fewer than markers, and both are
         right. Clips without a count (unlabelled) take part in recognition only.
  form   The faults of plank, curl and lunge on labelled landmarks, one row a frame, in
         exercise_landmarks/exercise_correction: precision, recall and F1 by frame, by group (rows
         of one label without a jump between; a group has what most of its rows have), and by frame
         on every second group with the threshold that is best on the other groups: what is to be
         expected of it elsewhere. The definitions' own thresholds were set by eye on all groups.

The rows do not say how wide their frame was; 16:9 makes the shoulders as wide as people's are.
"""

import argparse
import csv
import json
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

if not __package__:  # Run as a file, Python looks for modules beside it.
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

import cv2
import numpy as np
from numpy.typing import NDArray

from analyzers.exercise import Exercise
from analyzers.exercise.definition import Definition
from analyzers.exercise.definitions import definitions
from analyzers.exercise.scorer import NONE
from analyzers.exercise.signals import INDEX, measure
from analyzers.pose import Pose
from analyzers.pose.landmarks import INDEX as LANDMARK
from bench.harness.report import BadInput, Report, add_data, parser_for, run
from bench.parts.people import frames

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

FORM = Path("exercise_landmarks", "exercise_correction")
ROWS_ASPECT = 16 / 9
# Landmarks that move so much between rows, on average, are of another recording.
JUMP = 0.05
# Files, the exercise, and which label is which fault.
LABELS = (
    ("plank_*.csv", "plank", {"L": "plank_hips_low", "H": "plank_hips_high"}),
    ("bicep_*.csv", "bicep_curl", {"L": "curl_leaning_back"}),
    ("lunge_err_*.csv", "lunge", {"L": "lunge_knee_past_toe"}),
)
WAYS = {
    "frames": "Form, by frame",
    "groups": "Form, by group",
    "held_out": "Form, by frame, on half of the groups, thresholds refitted on the other half",
}

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Clip:
    """A clip and its truth: the exercise, and the least and the most that may be counted."""

    name: str
    path: Path
    exercise: str
    true_least: int | None
    true_most: int | None


def clips_of(data: Path) -> list[Clip]:
    """Read the truth of a data folder."""
    truth = data / TRUTH
    if not truth.is_file():
        raise BadInput(f"there is no {truth}; name a folder that has it with --data")
    try:
        entries = json.loads(truth.read_text())
        clips = [
            Clip(name, data / name, _our_name(entry["exercise"]), *_true_count(entry))
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


def measure_clip(clip: Clip, pose: Pose, exercise: Exercise) -> dict[str, Any]:
    """Run a clip through pose and exercise, every frame at its own time."""
    pose.start(clip.name, 0.0)
    exercise.start(clip.name, 0.0)
    # The longest time between a repetition's end and the frame with which it was told.
    late_s = told = 0.0
    try:
        for time_ms, rgb in frames(clip.path):
            seen = pose.frame(clip.name, rgb, time_ms)
            result = exercise.frame(clip.name, rgb, time_ms, results={"pose": seen})
            if result["repetition"] is not None and result["repetition"]["end_ms"] > told:
                told = result["repetition"]["end_ms"]
                late_s = max(late_s, (time_ms - told) / 1000.0)
    except ValueError as error:
        raise BadInput(str(error)) from None
    pose.end(clip.name)
    summary = exercise.end(clip.name)["exercise_summary"]
    found = summary["exercises"]
    counted = (
        sum(each["reps"] for each in found.values())
        if clip.exercise in WITHOUT_REPETITIONS
        else found.get(clip.exercise, {}).get("reps", 0)
    )
    least, most = clip.true_least, clip.true_most
    known = least is not None and most is not None
    return {
        "clip": clip.name,
        "exercise": clip.exercise,
        "true": most,
        "true_least": least,
        "counted": counted,
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


def measure_clips(data: Path, report: Report) -> None:
    """Count the repetitions of whole clips, and hold them against who counted by eye."""
    cv2.setNumThreads(1)
    pose, exercise = Pose(), Exercise()
    clips, figures = clips_of(data), list[dict[str, Any]]()
    columns = ("exercise", "true", "counted", "recognised", "held s", "told late s", "")
    table = report.table("Clips", "clip", *columns)
    for number, clip in enumerate(clips, 1):
        figures.append(each := measure_clip(clip, pose, exercise))
        wrong = ["count"] if each["error"] else []
        wrong += ["exercise"] if each["recognised"] != clip.exercise else []
        least, most = clip.true_least, clip.true_most
        truth = "?" if most is None else f"{least} or {most}" if least != most else str(most)
        said = (each[key] for key in ("counted", "recognised", "held_s", "told_late_s"))
        verdict = f"WRONG {' and '.join(wrong).upper()}" if wrong else ""
        table.add(clip.name, clip.exercise, truth, *said, verdict)
        told = f"{each['counted']} of {truth} {clip.exercise} {verdict}"
        report.say(f"clip {number} of {len(clips)}, {clip.name}: {told}")
    summary = summary_of(figures)
    report.figures |= {"summary": summary, "clips": figures}
    counted = sum(each["error"] is not None for each in figures)
    late_s = max((each["told_late_s"] for each in figures), default=0.0)
    told = ", ".join(f"{key} {value}" for key, value in summary.items())
    report.notes.append(f"In all: {told}; {counted} counted; told {late_s} s late at most.")


def _rows_of(
    paths: list[Path], exercise: Definition, codes: dict[str, str]
) -> Iterator[tuple[str, str, int, list[float]]]:
    """Labelled rows: the true fault, the one that shows, the group, and the signals."""
    number = -1
    for path in paths:
        label, points = "", np.zeros(0)
        with path.open(newline="") as file:
            reader = csv.DictReader(file)
            names = [key[:-2] for key in reader.fieldnames or () if key.endswith("_x")]
            for row in reader:
                if row.get("label") not in ("C", *codes):
                    continue
                seen = {name: [float(row[f"{name}_{axis}"]) for axis in "xyzv"] for name in names}
                before, points = points, np.array([seen[name][:2] for name in names])
                if row["label"] != label or np.abs(points - before).mean() > JUMP:
                    number += 1
                label, signals = row["label"], _signals_of(seen)
                told = _fault_of(exercise, tuple(codes.values()), signals)
                yield codes.get(label, ""), told, number, signals


def form_of(data: Path) -> dict[str, dict[str, Any]]:
    """Return figures per fault: by frame, by group, held out, and the macro F1 by exercise."""
    report: dict[str, dict[str, Any]] = {"frames": {}, "groups": {}, "held_out": {}, "macro": {}}
    for pattern, name, codes in LABELS:
        exercise = definitions()[name]
        rows = list(_rows_of(sorted((data / FORM).glob(pattern)), exercise, codes))
        if not rows:
            continue
        truth, said, groups, signals = map(np.array, zip(*rows, strict=True))
        members = [groups == number for number in np.unique(groups)]
        most = [Counter(said[each]).most_common(1)[0][0] for each in members]
        ways = {
            "frames": (truth, said),
            "groups": (np.array([truth[each][0] for each in members]), np.array(most)),
        }
        for code in codes.values():
            fault = next(each for each in exercise.faults if each.code == code)
            values = signals[:, INDEX[fault.signal]]
            rising = values if fault.above < 1e8 else -values
            report["held_out"][code] = _refitted(rising, truth == code, groups % 2 == 1)
        for way, (labels, answers) in ways.items():
            for code in codes.values():
                report[way][code] = _f1(labels == code, answers == code)
            classes = [_f1(labels == each, answers == each)["f1"] for each in ("", *codes.values())]
            report["macro"][f"{name} {way}"] = round(float(np.mean(classes)), 4)
    return report


def _refitted(values: Floats, faulty: Flags, held_out: Flags) -> dict[str, float]:
    """Return figures of the held out rows, with the threshold that is best on the others."""
    known, answers = values[~held_out], faulty[~held_out]

    def macro(threshold: float) -> float:
        told = known > threshold
        return _f1(answers, told)["f1"] + _f1(~answers, ~told)["f1"]

    best = max(np.quantile(known, np.linspace(0.01, 0.99, 200)).tolist(), key=macro)
    return _f1(faulty[held_out], values[held_out] > best)


def _signals_of(seen: dict[str, list[float]]) -> list[float]:
    # Only what the fault is seen on is in the rows; where the rest is does not matter.
    flat = np.tile((np.array(seen["left_hip"]) + np.array(seen["right_hip"])) / 2.0, (33, 1))
    for name, values in seen.items():
        flat[LANDMARK[name]] = values
    world = flat - np.append(flat[[23, 24], :3].mean(axis=0), 0.0)
    world[:, [0, 2]] *= ROWS_ASPECT
    return measure(flat.tolist(), world.tolist(), ROWS_ASPECT)


def _fault_of(exercise: Definition, codes: tuple[str, ...], signals: list[float]) -> str:
    for fault in exercise.faults:
        value, side_on = signals[INDEX[fault.signal]], signals[INDEX["side_on"]]
        if fault.code in codes and fault.shows(value, side_on):
            return fault.code
    return ""


def _f1(true: Flags, told: Flags) -> dict[str, float]:
    both = int((true & told).sum())
    precision = both / max(int(told.sum()), 1)
    recall = both / max(int(true.sum()), 1)
    f1 = 2.0 * precision * recall / max(precision + recall, 1e-9)
    return {"precision": round(precision, 4), "recall": round(recall, 4), "f1": round(f1, 4)}


def measure_form(data: Path, report: Report) -> None:
    """Name faults on labelled landmarks."""
    form = form_of(data)
    report.figures["form"] = form["frames"]
    if not form["frames"]:
        print(f"form is left out: there are no CSVs in {data / FORM}", file=sys.stderr)
    for way, title in WAYS.items():
        table = report.table(title, "fault", "precision:.3f", "recall:.3f", "F1:.3f")
        for fault, figures in form[way].items():
            table.add(fault, *figures.values())
    table = report.table("Form, macro F1 over correct and faulty", "exercise", "F1:.3f")
    for name, value in form["macro"].items():
        table.add(name, value)


def bench(asked: argparse.Namespace, report: Report) -> None:
    """Everything that the command line asks for."""
    if not asked.data.is_dir():
        raise BadInput(f"there is no folder {asked.data}; name one with --data")
    report.figures = {"summary": summary_of([]), "clips": [], "form": {}}
    if not asked.form_only:
        measure_clips(asked.data, report)
    measure_form(asked.data, report)


def main() -> int:
    parser = parser_for(__doc__)
    add_data(parser, "clips and landmarks")
    parser.add_argument("--form-only", action="store_true", help="leave the clips out")
    return run("Exercises", parser.parse_args(), bench)


if __name__ == "__main__":
    sys.exit(main())
