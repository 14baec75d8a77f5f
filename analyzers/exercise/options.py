"""What a client may ask of the exercise analyzer, checked before a frame comes."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from analyzers.exercise.definitions import definitions
from analyzers.exercise.demonstration import UNKNOWN, ShownExercise, read_exercises
from analyzers.exercise.demonstration.definition import (
    MAX_REPETITIONS,
    MIN_REPETITIONS,
    BadExercise,
    checked_name,
)

_OPTIONS = ("name", "person", "learn", "custom", "still")
# Pictures are taken as stills while nobody in them moves.
WHEN_STILL = "when_still"
_LEARN = ("name", "repetitions")
_DEFAULT_REPETITIONS = 3


@dataclass(frozen=True, slots=True)
class Lesson:
    """An exercise that is to be learned, and from how many repetitions."""

    name: str
    repetitions: int


@dataclass(frozen=True, slots=True)
class Shown:
    """What options say of exercises that are shown; None where they say nothing of it."""

    learns: bool
    lesson: Lesson | None
    custom: tuple[ShownExercise, ...] | None


def read_shown(options: Mapping[str, Any]) -> Shown:
    """Read what options say of exercises that are shown.

    Raises
    ------
    BadExercise
        A ValueError: one line that says what is wrong with which exercise.
    """
    custom = options.get("custom")
    return Shown(
        "learn" in options,
        _lesson(options.get("learn")),
        None if custom is None else read_exercises(custom),
    )


def check_options(options: Mapping[str, Any], shown: Collection[str]) -> None:
    """Check everything else.

    Parameters
    ----------
    options
        As the client gave them.
    shown
        Names of exercises that were shown and that the session has.

    Raises
    ------
    ValueError
        One line that says what is wrong.
    """
    for key in options:
        if key not in _OPTIONS:
            known = f"{', '.join(_OPTIONS[:-1])} and {_OPTIONS[-1]}"
            raise ValueError(f"exercise has no option {key!r}, only {known}")
    name, person = options.get("name"), options.get("person")
    names = {*definitions(), *shown, UNKNOWN}
    if name is not None and (not isinstance(name, str) or name not in names):
        raise ValueError(f"there is no exercise {name!r}; there are {', '.join(sorted(names))}")
    still = options.get("still")
    if still is not None and still != WHEN_STILL and not isinstance(still, bool):
        raise ValueError(f'still is {still!r}; it must be true, false or "{WHEN_STILL}"')
    if person is not None and (isinstance(person, bool) or not isinstance(person, int)):
        raise ValueError(f"person is {person!r}; it must be the id of one of pose's people")


def _lesson(value: Any) -> Lesson | None:
    if value is None:
        return None
    if not isinstance(value, Mapping) or not value.keys() <= set(_LEARN) or "name" not in value:
        raise BadExercise('learn must be {"name": …, "repetitions": 2 to 5}, or null')
    count = value.get("repetitions", _DEFAULT_REPETITIONS)
    if type(count) is not int or not MIN_REPETITIONS <= count <= MAX_REPETITIONS:
        raise BadExercise(
            f"repetitions must be a whole number, {MIN_REPETITIONS} to {MAX_REPETITIONS}:"
            " so many are shown"
        )
    return Lesson(checked_name(value["name"]), count)
