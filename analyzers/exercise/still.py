"""What exercise a single picture shows, and the faults that a still can show.

A still shows a repetition's turn, if anything: what holds there, and throughout, is asked of it,
and that the exercise's own signal is where it turns. What is told by a change can not be: where
somebody came from, how far, and how evenly. So a stance at rest is no exercise.

Which exercise it is can be told by itself of those that only one posture is like, and has to be
named of the others: by rules like these a picture of a squat was taken for four other exercises.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from analyzers.exercise.definition import Condition, Definition
from analyzers.exercise.definitions import definitions
from analyzers.exercise.scorer import NONE
from analyzers.exercise.signals import INDEX, PLACES, STATURE, Row, measure

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
_MIN_FIT = 0.5
# Those that are told without being named (docs/accuracy.md).
_BY_POSTURE = ("push_up", "plank")

Points = Sequence[Row]


def of_still(
    landmarks: Points, world: Points, aspect: float, name: str | None = None
) -> dict[str, Any]:
    """Return what a picture shows: `exercise`, ``none`` if it is none, and `warnings`.

    Parameters
    ----------
    landmarks, world : 33 rows of x, y, z, visibility
        In 0..1 of the frame, and in metres from the middle of the hips.
    aspect : float
        Width of the frame over its height.
    name : str, optional
        Which exercise it is said to be; without it, push-ups and planks are told.

    Returns
    -------
    dict
        `exercise`, and `warnings`, a list of `code` and `text`, the form's faults that it shows.
    """
    row = measure(landmarks, world, aspect)
    exercises = [definitions()[each] for each in ((name,) if name else _BY_POSTURE)]
    fit, exercise = max(((_fit(e, row), e) for e in exercises), key=lambda pair: pair[0])
    if fit < _MIN_FIT:
        return {"exercise": NONE, "warnings": []}
    faults = [
        fault
        for fault in exercise.faults
        if fault.statistic in _FAULTS_SHOWN
        and INDEX[fault.signal] not in _BY_CHANGE
        and fault.shows(row[INDEX[fault.signal]], row[INDEX["side_on"]])
    ]
    return {
        "exercise": exercise.name,
        "warnings": [{"code": each.code, "text": each.text} for each in faults],
    }


def _fit(exercise: Definition, row: Sequence[float]) -> float:
    fit = 1.0
    for condition in (*exercise.conditions, *_INSTEAD.get(exercise.name, ())):
        if condition.statistic in _SHOWN and INDEX[condition.signal] not in _BY_CHANGE:
            fit *= condition.fit(row[INDEX[condition.signal]])
    if not exercise.held and INDEX[exercise.signal] not in _BY_CHANGE:
        missing = exercise.direction * (exercise.full - row[INDEX[exercise.signal]])
        fit *= min(1.0, max(0.0, 1.0 - (missing - exercise.full_soft) / exercise.full_soft))
    return fit
