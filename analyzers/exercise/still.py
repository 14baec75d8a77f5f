"""What exercise a single picture shows, and the faults that a still can show.

A still shows a repetition's turn, if anything: what holds there, and throughout, is asked of it,
and that the exercise's own signal is where it turns. What is told by a change can not be: where
somebody came from, how far, and how evenly. So a stance at rest is no exercise.

Which exercise it is a small network tells, with the conditions beside it; where somebody named the
exercise, the conditions alone say whether it is done in the picture.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from analyzers.exercise.definition import Condition, Definition, Fault
from analyzers.exercise.definitions import definitions
from analyzers.exercise.network.still import likely_still
from analyzers.exercise.scorer import NONE
from analyzers.exercise.scoring import alignment, depth_part, symmetry, total
from analyzers.exercise.signals import INDEX, PLACES, STATURE, Row, measure
from analyzers.exercise.summary import as_texts, praise

# What a condition or a fault may be of, for a still to show it.
_SHOWN = ("turn", "mean")
_FAULTS_SHOWN = ("live", "turn")
# Places and stature mean something by their changes alone.
_BY_CHANGE = {STATURE, *PLACES}
# What the exercises that are counted on stature look like at their turn instead, and what tells
# a bent arm on the floor from a plank, and a press from a jumping jack.
_INSTEAD: Mapping[str, tuple[Condition, ...]] = {
    "squat": (Condition("knee", "turn", high=118.0, soft=15.0),),
    "lunge": (Condition("knee_min", "turn", high=115.0, soft=15.0),),
    "push_up": (
        Condition("elbow", "turn", high=115.0, soft=20.0),
        Condition("support", "turn", low=0.1, soft=0.2),
    ),
    "plank": (Condition("elbow", "turn", low=140.0, soft=20.0),),
    "jumping_jack": (Condition("feet_apart", "turn", low=0.35, soft=0.15),),
    "shoulder_press": (Condition("feet_apart", "turn", high=0.35, soft=0.15),),
    "sit_up": (Condition("trunk", "turn", high=60.0, soft=15.0),),
    "pull_up": (
        Condition("elbow", "turn", high=110.0, soft=20.0),
        Condition("wrist_up_max", "turn", low=-0.1, soft=0.15),
    ),
}
# What the feet alone tell apart.
_BY_FEET = ("jumping_jack", "shoulder_press")
# Depth at the turn, of those that are counted on stature: a signal, its full depth, and half of
# the part lost so far short of it; smaller is deeper.
_DEPTH = {"squat": ("knee", 95.0, 25.0), "lunge": ("knee_min", 100.0, 25.0)}
# Of the one that is named, the conditions decide.
_MIN_FIT = 0.5
# Of all others the network, and the conditions beside it: how much they weigh, what they count at
# least, and how sure it has to be. On stills of the clips of bench/exercise.py: docs/accuracy.md.
_CONDITIONS_WEIGH, _LEAST_FIT, _LEAST_LIKELY = 0.3, 0.2, 0.02
_SOMETHING, _SURE = 0.2, 0.5

Points = Sequence[Row]


def of_still(
    landmarks: Points, world: Points, aspect: float, name: str | None = None
) -> dict[str, Any]:
    """Return what a picture shows.

    Parameters
    ----------
    landmarks, world : 33 rows of x, y, z, visibility
        In 0..1 of the frame, and in metres from the middle of the hips.
    aspect : float
        Width of the frame over its height.
    name : str, optional
        Which exercise it is said to be; without it, it is told from all.

    Returns
    -------
    dict
        `exercise`, ``none`` if it is none; `score`, 0 to 100, and `score_parts`, of what a picture
        shows: depth, alignment and symmetry; `feedback` and `warnings`, lists of `code` and `text`.
    """
    row = measure(landmarks, world, aspect)
    exercise = (
        _told(landmarks, world, aspect, row) if name is None else _named(definitions()[name], row)
    )
    if exercise is None:
        return {"exercise": NONE, "score": None, "score_parts": {}, "feedback": [], "warnings": []}
    faults = [
        fault
        for fault in exercise.faults
        if fault.statistic in _FAULTS_SHOWN
        and INDEX[fault.signal] not in _BY_CHANGE
        and fault.shows(row[INDEX[fault.signal]], row[INDEX["side_on"]])
    ]
    parts = _parts(exercise, row, faults)
    return {
        "exercise": exercise.name,
        "score": total(parts),
        "score_parts": parts,
        "feedback": praise(exercise, parts, has_faults=bool(faults)),
        "warnings": as_texts(faults),
    }


def _told(
    landmarks: Points, world: Points, aspect: float, row: Sequence[float]
) -> Definition | None:
    likely = likely_still(landmarks, world, aspect)

    def sureness(exercise: Definition) -> float:
        if exercise.name in _BY_FEET and _product(_INSTEAD[exercise.name], row) == 0.0:
            return 0.0
        own = likely.get(exercise.name, 0.0)
        network = own + _SOMETHING * (1.0 - own - likely[NONE])
        by_fit, by_network = max(_fit(exercise, row), _LEAST_FIT), max(network, _LEAST_LIKELY)
        weigh = _CONDITIONS_WEIGH
        return math.exp(weigh * math.log(by_fit) + (1.0 - weigh) * math.log(by_network))

    sure, exercise = max(
        ((sureness(each), each) for each in definitions().values()), key=lambda pair: pair[0]
    )
    return exercise if sure >= _SURE else None


def _named(exercise: Definition, row: Sequence[float]) -> Definition | None:
    return exercise if _fit(exercise, row) >= _MIN_FIT else None


def _parts(exercise: Definition, row: Sequence[float], faults: Sequence[Fault]) -> dict[str, float]:
    """Return the parts of the score that a picture shows; tempo and steadiness are of movements."""
    parts = {"alignment": alignment(faults)}
    if not exercise.held:
        if exercise.name in _DEPTH:
            signal, full, soft = _DEPTH[exercise.name]
            missing = row[INDEX[signal]] - full
        else:
            soft = exercise.full_soft
            missing = exercise.direction * (exercise.full - row[INDEX[exercise.signal]])
        depth = depth_part(missing, soft)
        parts["depth"] = min(depth, 50.0) if any(f.part == "depth" for f in faults) else depth
        if exercise.difference:
            difference = row[INDEX[exercise.difference]]
            parts["symmetry"] = symmetry(difference, row[INDEX["side_on"]])
    return {name: round(value, 1) for name, value in parts.items()}


def _fit(exercise: Definition, row: Sequence[float]) -> float:
    fit = _product((*exercise.conditions, *_INSTEAD.get(exercise.name, ())), row)
    if not exercise.held and INDEX[exercise.signal] not in _BY_CHANGE:
        missing = exercise.direction * (exercise.full - row[INDEX[exercise.signal]])
        fit *= min(1.0, max(0.0, 1.0 - (missing - exercise.full_soft) / exercise.full_soft))
    return fit


def _product(conditions: Iterable[Condition], row: Sequence[float]) -> float:
    """Return how well a picture fits the conditions that it can show."""
    return math.prod(
        each.fit(row[INDEX[each.signal]])
        for each in conditions
        if each.statistic in _SHOWN and INDEX[each.signal] not in _BY_CHANGE
    )
