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
import os
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

if not __package__:
    # Run as a file, Python looks for modules beside it. They are found as bench's.
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

import cv2
import numpy as np
from numpy.typing import NDArray

from analyzers.exercise import Exercise
from analyzers.exercise.definition import Definition, definitions
from analyzers.exercise.signals import INDEX, measure
from analyzers.pose import Pose
from analyzers.pose.landmarks import INDEX as LANDMARK

DATA_VARIABLE = "KINECAST_DATA"
FORM = Path("exercise_landmarks", "exercise_correction")
ROWS_ASPECT = 16 / 9
# Landmarks that move so much between rows, on average, are of another recording.
JUMP = 0.05

# What the truth calls an exercise, and what we do.
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
}

# Files, the exercise, and which label is which fault.
LABELS = (
    ("plank_*.csv", "plank", {"L": "plank_hips_low", "H": "plank_hips_high"}),
    ("bicep_*.csv", "bicep_curl", {"L": "curl_leaning_back"}),
    ("lunge_err_*.csv", "lunge", {"L": "lunge_knee_past_toe"}),
)


@dataclass(frozen=True, slots=True)
class ClipFigures:
    """One clip: the truth as the least and the most it may be, and what was found."""

    clip: str
    exercise: str
    true_least: int | None
    true_most: int | None
    counted: int
    recognised: str
    held_s: float
    latest_s: float

    @property
    def error(self) -> int:
        """By how many repetitions the count is wrong."""
        assert self.true_least is not None
        assert self.true_most is not None
        return max(self.true_least - self.counted, self.counted - self.true_most, 0)


def main() -> int:
    """Run the bench; return the exit status."""
    arguments = _arguments()
    cv2.setNumThreads(1)
    clips = [] if arguments.form_only else list(_clips(arguments.data, arguments.json))
    form = _form(arguments.data)
    report = {
        "summary": _summary(clips),
        "clips": [asdict(clip) for clip in clips],
        "form": form["frames"],
        "form_groups": form["groups"],
        "form_held_out": form["held_out"],
        "form_macro": form["macro"],
    }
    if arguments.json:
        print(json.dumps(report, indent=1))
    else:
        _print(report)
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    default = os.environ.get(DATA_VARIABLE, "../shared/data")
    parser.add_argument("--data", type=Path, default=Path(default), help="the data folder")
    parser.add_argument("--json", action="store_true", help="print JSON and nothing else")
    parser.add_argument("--form-only", action="store_true", help="leave the clips out")
    arguments = parser.parse_args()
    if not arguments.data.is_dir():
        parser.error(f"there is no folder {arguments.data}; name one with --data")
    return arguments


def _clips(data: Path, quiet: bool) -> Iterator[ClipFigures]:
    truths = json.loads((data / "rep_counts.json").read_text())
    pose, exercise = Pose(), Exercise()
    for name, truth in truths.items():
        if not (data / name).is_file():
            print(f"{name}: not there, left out", file=sys.stderr)
            continue
        figures = _clip(name, truth, data / name, pose, exercise)
        if not quiet:
            print(_line(figures), flush=True)
        yield figures


def _clip(
    name: str, truth: dict[str, Any], path: Path, pose: Pose, exercise: Exercise
) -> ClipFigures:
    wanted = _our_name(truth["exercise"])
    pose.start(name, 0.0)
    exercise.start(name, 0.0)
    latest_s = 0.0
    told = 0
    for rgb, time_ms in _frames(path):
        seen = pose.frame(name, rgb, time_ms)
        result = exercise.frame(name, rgb, time_ms, results={"pose": seen})
        if result["repetition"] is not None and result["repetition"]["end_ms"] > told:
            told = result["repetition"]["end_ms"]
            latest_s = max(latest_s, (time_ms - told) / 1000.0)
    pose.end(name)
    summary = exercise.end(name)["exercise_summary"]
    found = summary["exercises"]
    least, most = _true_count(truth)
    return ClipFigures(
        name,
        wanted,
        least,
        most,
        # A hold has no repetitions of its own: any that are counted are wrong.
        sum(each["reps"] for each in found.values())
        if wanted == "plank"
        else found.get(wanted, {}).get("reps", 0),
        summary["main_exercise"],
        found.get("plank", {}).get("held_s", 0.0),
        round(latest_s, 3),
    )


def _frames(path: Path) -> Iterator[tuple[NDArray[np.uint8], float]]:
    capture = cv2.VideoCapture(str(path))
    fps = capture.get(cv2.CAP_PROP_FPS) or 30.0
    number = 0
    while True:
        read, bgr = capture.read()
        if not read:
            break
        yield cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), number * 1000.0 / fps
        number += 1
    capture.release()


def _our_name(words: str) -> str:
    return next((name for word, name in WORDS.items() if word in words), words)


def _true_count(truth: dict[str, Any]) -> tuple[int | None, int | None]:
    if truth.get("reps") is not None:
        return truth["reps"], truth["reps"]
    markers = truth.get("rep_markers")
    return (markers - 1, markers) if markers else (None, None)


def _summary(clips: list[ClipFigures]) -> dict[str, float | int]:
    counted = [clip for clip in clips if clip.true_most is not None]
    known = max(len(counted), 1)
    return {
        "clips": len(clips),
        "counted_clips": len(counted),
        "exact": round(sum(clip.error == 0 for clip in counted) / known, 4),
        "off_by_one": round(sum(clip.error <= 1 for clip in counted) / known, 4),
        "mean_error": round(sum(c.error / max(c.true_most or 0, 1) for c in counted) / known, 4),
        "recognised": round(
            sum(clip.recognised == clip.exercise for clip in clips) / max(len(clips), 1), 4
        ),
    }


def _form(data: Path) -> dict[str, dict[str, Any]]:
    report: dict[str, dict[str, Any]] = {"frames": {}, "groups": {}, "held_out": {}, "macro": {}}
    for pattern, name, codes in LABELS:
        exercise = definitions()[name]
        true: list[str] = []
        told: list[str] = []
        group: list[int] = []
        signals: list[list[float]] = []
        for path in sorted((data / FORM).glob(pattern)):
            _rows_of(path, exercise, codes, true, told, group, signals)
        if not true:
            continue
        truth, said, groups = np.array(true), np.array(told), np.array(group)
        by_group = [
            (truth[groups == number][0], Counter(said[groups == number]).most_common(1)[0][0])
            for number in np.unique(groups)
        ]
        ways = {
            "frames": (truth, said),
            "groups": (np.array([g[0] for g in by_group]), np.array([g[1] for g in by_group])),
        }
        for code in codes.values():
            fault = next(each for each in exercise.faults if each.code == code)
            values = np.array(signals)[:, INDEX[fault.signal]]
            rising = values if fault.above < 1e8 else -values
            report["held_out"][code] = _refitted(rising, truth == code, groups % 2 == 1)
        for way, (labels, answers) in ways.items():
            for code in codes.values():
                report[way][code] = _f1(labels == code, answers == code)
            classes = [_f1(labels == each, answers == each)["f1"] for each in ("", *codes.values())]
            report["macro"][f"{name} {way}"] = round(float(np.mean(classes)), 4)
    return report


def _rows_of(
    path: Path,
    exercise: Definition,
    codes: dict[str, str],
    true: list[str],
    told: list[str],
    group: list[int],
    signals: list[list[float]],
) -> None:
    """Add a file's rows: the true fault, the one that shows, and the group they are of."""
    last: tuple[str, NDArray[np.float64]] | None = None
    number = group[-1] if group else -1
    with path.open(newline="") as file:
        reader = csv.DictReader(file)
        names = [key[:-2] for key in reader.fieldnames or () if key.endswith("_x")]
        for row in reader:
            if row.get("label") not in ("C", *codes):
                continue
            seen = {
                name: [float(row[f"{name}_{axis}"]) for axis in ("x", "y", "z", "v")]
                for name in names
            }
            points = np.array([seen[name][:2] for name in names])
            if last is None or row["label"] != last[0] or np.abs(points - last[1]).mean() > JUMP:
                number += 1
            last = row["label"], points
            true.append(codes.get(row["label"], ""))
            signals.append(_signals_of(seen))
            told.append(_fault_of(exercise, tuple(codes.values()), signals[-1]))
            group.append(number)


def _refitted(
    values: NDArray[np.float64], faulty: NDArray[np.bool_], held_out: NDArray[np.bool_]
) -> dict[str, float]:
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
        if fault.code in codes and fault.shows(
            signals[INDEX[fault.signal]], signals[INDEX["side_on"]]
        ):
            return fault.code
    return ""


def _f1(true: NDArray[np.bool_], told: NDArray[np.bool_]) -> dict[str, float]:
    both = int((true & told).sum())
    precision = both / max(int(told.sum()), 1)
    recall = both / max(int(true.sum()), 1)
    f1 = 2.0 * precision * recall / max(precision + recall, 1e-9)
    return {"precision": round(precision, 4), "recall": round(recall, 4), "f1": round(f1, 4)}


def _line(clip: ClipFigures) -> str:
    if clip.true_most is None:
        truth = "?"
    elif clip.true_least == clip.true_most:
        truth = str(clip.true_most)
    else:
        truth = f"{clip.true_least} or {clip.true_most}"
    wrong = clip.true_most is not None and clip.error > 0
    held = f", held {clip.held_s} s" if clip.held_s else ""
    return (
        f"{clip.clip:52} {clip.exercise:14} true {truth:8} counted {clip.counted:3}"
        f" recognised {clip.recognised}{held}"
        f"{'  WRONG COUNT' if wrong else ''}"
        f"{'  WRONG EXERCISE' if clip.recognised != clip.exercise else ''}"
    )


def _print(report: dict[str, Any]) -> None:
    print("\nin all:", ", ".join(f"{key} {value}" for key, value in report["summary"].items()))
    for key, title in (
        ("form", "form, by frame"),
        ("form_groups", "form, by group"),
        (
            "form_held_out",
            "form, by frame, on half of the groups, thresholds refitted on the other half",
        ),
    ):
        print(f"\n{title}")
        for fault, figures in report[key].items():
            print(
                f"  {fault:24} precision {figures['precision']:.3f}"
                f"  recall {figures['recall']:.3f}  F1 {figures['f1']:.3f}"
            )
    print("\nmacro F1 over correct and faulty")
    for name, value in report["form_macro"].items():
        print(f"  {name:24} {value:.3f}")


if __name__ == "__main__":
    sys.exit(main())
