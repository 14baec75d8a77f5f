"""Exercises by demonstration: learned from a few repetitions that somebody shows.

`Learner` watches until enough of them were alike, `distilled` makes a definition of what it saw
(`ShownExercise`, which a client keeps as JSON), `ShownExercises` counts and compares from then on,
and `FreeCounter` counts whatever is repeated without knowing what it is.
"""

from analyzers.exercise.demonstration.definition import (
    BadExercise,
    ShownExercise,
    read_exercise,
    read_exercises,
)
from analyzers.exercise.demonstration.distilling import distilled
from analyzers.exercise.demonstration.free import UNKNOWN, FreeCounter
from analyzers.exercise.demonstration.learner import Learner, Seen
from analyzers.exercise.demonstration.several import ShownExercises

__all__ = [
    "UNKNOWN",
    "BadExercise",
    "FreeCounter",
    "Learner",
    "Seen",
    "ShownExercise",
    "ShownExercises",
    "distilled",
    "read_exercise",
    "read_exercises",
]
