"""The faults of plank, curl and lunge on labelled landmarks, one row a frame.

Precision, recall and F1 by frame, by group (rows of one label without a jump between; a group has
what most of its rows have), and by frame on every second group with the threshold that is best on
the other groups: what is to be expected of it elsewhere. The definitions' own thresholds were set
by eye on all groups.

The rows do not say how wide their frame was; 16:9 makes the shoulders as wide as people's are.
"""

import csv
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analyzers.exercise.definition import Definition
from analyzers.exercise.definitions import definitions
from analyzers.exercise.signals import INDEX, measure
from analyzers.pose.landmarks import INDEX as LANDMARK
from bench.harness.report import Report

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
