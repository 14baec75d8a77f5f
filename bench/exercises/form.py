"""Names faults on labelled landmarks, one row a frame, and holds them against the labels."""

import csv
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analyzers.exercise.definition import Definition
from analyzers.exercise.definitions import definitions
from analyzers.exercise.signals import INDEX, measure
from analyzers.pose.landmarks import INDEX as LANDMARK

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


def form_of(data: Path) -> dict[str, dict[str, Any]]:
    """Return figures per fault: by frame, by group, held out, and the macro F1 by exercise."""
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
