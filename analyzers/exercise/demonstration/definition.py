"""An exercise that was shown: what a client keeps of it and gives back, checked when it comes.

As JSON it is version 1 of::

    {"version": 1, "name": "band_pull", "repetitions": 3,
     "out": "up", "out_s": 0.8, "back_s": 1.1,
     "signals": [{"name": "elbows_2d", "rest": 168.2, "turn": 71.0}, …],
     "joints": [{"name": "left_elbow", "weight": 0.94, "spread_deg": 3.1,
                 "path_deg": [20 angles]}, …]}

`repetitions` is how many were shown, `out` which way the body goes first, `out_s` and `back_s` the
seconds out and back. `signals` are those to count on (their units are degrees, or lengths of the
trunk), `joints` the way that each joint and the trunk takes, out and back, with its weight (how
well it was seen, 0 to 1) and by how much the shown repetitions differed there.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from analyzers.exercise.definitions import definitions
from analyzers.exercise.demonstration.motion import ANGLES, NUMBER
from analyzers.exercise.demonstration.path import POINTS

VERSION = 1
# In one session; all of them are looked for at once.
MAX_EXERCISES = 12
MAX_SIGNALS = 7
MIN_REPETITIONS, MAX_REPETITIONS = 2, 5
# What an exercise may not be called: results say these.
RESERVED = ("none", "unknown")
_NAME = re.compile(r"[a-z0-9][a-z0-9_]{0,39}")
# Beyond, no number in a definition can be what somebody showed.
_LARGEST = 1e4
_MAX_S = 60.0
_KEYS = frozenset(("version", "name", "repetitions", "out", "out_s", "back_s", "signals", "joints"))
_QUOTED = 40


class BadExercise(ValueError):
    """A definition that can not be used: one line that names it and says why."""


@dataclass(frozen=True, slots=True)
class SignalRange:
    """A signal to count on, with its values at rest and at the turn, in its unit."""

    name: str
    rest: float
    turn: float


@dataclass(frozen=True, slots=True)
class JointPath:
    """The way of a joint's angle through a repetition, degrees; see `path.path_of`."""

    name: str
    weight: float
    spread_deg: float
    path_deg: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class ShownExercise:
    """An exercise as it was shown; the module's docstring says what is in it."""

    name: str
    repetitions: int
    out: str
    out_s: float
    back_s: float
    signals: tuple[SignalRange, ...]
    joints: tuple[JointPath, ...]

    def as_json(self) -> dict[str, Any]:
        """Return what `read_exercise` reads: plain numbers, text, lists and dicts."""
        return {
            "version": VERSION,
            "name": self.name,
            "repetitions": self.repetitions,
            "out": self.out,
            "out_s": self.out_s,
            "back_s": self.back_s,
            "signals": [
                {"name": each.name, "rest": each.rest, "turn": each.turn} for each in self.signals
            ],
            "joints": [
                {
                    "name": each.name,
                    "weight": each.weight,
                    "spread_deg": each.spread_deg,
                    "path_deg": list(each.path_deg),
                }
                for each in self.joints
            ],
        }


def checked_name(name: Any) -> str:
    """Return a name for an exercise of somebody's own.

    Raises
    ------
    BadExercise
        It is none, or is taken.
    """
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise BadExercise(
            f"{_quoted(name)} is no name for an exercise: take up to 40 of a-z, 0-9 and _"
        )
    if name in RESERVED or name in definitions():
        raise BadExercise(f"the name {name!r} is taken by Kinecast itself: choose another")
    return name


def read_exercises(value: Any) -> tuple[ShownExercise, ...]:
    """Read a list of definitions.

    Raises
    ------
    BadExercise
        One of them can not be used, or there are too many, or two of one name.
    """
    if not isinstance(value, list):
        raise BadExercise(f"custom is {_quoted(value)}; it must be a list of learned exercises")
    if len(value) > MAX_EXERCISES:
        raise BadExercise(f"custom has {len(value)} exercises; at most {MAX_EXERCISES} are taken")
    exercises = tuple(read_exercise(each) for each in value)
    names = [each.name for each in exercises]
    for name in names:
        if names.count(name) > 1:
            raise BadExercise(f"there are two exercises {name!r}: rename one of them")
    return exercises


def read_exercise(value: Any) -> ShownExercise:
    """Read one definition, as `ShownExercise.as_json` wrote it.

    Raises
    ------
    BadExercise
        It can not be used.
    """
    if not isinstance(value, Mapping):
        raise BadExercise(f"{_quoted(value)} is no learned exercise: give back what was sent")
    told = value.get("name")
    name = told if isinstance(told, str) else ""
    try:
        return _read(value)
    except BadExercise as error:
        raise BadExercise(f"the exercise {_quoted(name)} can not be used: {error}") from None


def _read(value: Mapping[Any, Any]) -> ShownExercise:
    version = value.get("version")
    if type(version) is not int or version != VERSION:
        raise BadExercise(
            f"its version is {_quoted(version)}, and {VERSION} is known: learn it anew"
        )
    name = checked_name(value.get("name"))
    if value.keys() != _KEYS:
        wrong = sorted(map(str, value.keys() ^ _KEYS))
        raise BadExercise(f"it has not the keys that version 1 has: {_quoted(', '.join(wrong))}")
    repetitions = value["repetitions"]
    if type(repetitions) is not int or not MIN_REPETITIONS <= repetitions <= MAX_REPETITIONS:
        raise BadExercise(f"repetitions is {_quoted(repetitions)}")
    if value["out"] not in ("up", "down"):
        raise BadExercise(f"out is {_quoted(value['out'])}; it must be up or down")
    signals = tuple(_signal(each) for each in _list(value["signals"], "signals", 1, MAX_SIGNALS))
    joints = tuple(
        _joint(each) for each in _list(value["joints"], "joints", len(ANGLES), len(ANGLES))
    )
    if len({each.name for each in signals}) < len(signals):
        raise BadExercise("it names a signal twice")
    if tuple(each.name for each in joints) != ANGLES:
        raise BadExercise(f"its joints are not {', '.join(ANGLES)}")
    return ShownExercise(
        name,
        repetitions,
        value["out"],
        _number(value["out_s"], "out_s", 0.0, _MAX_S),
        _number(value["back_s"], "back_s", 0.0, _MAX_S),
        signals,
        joints,
    )


def _signal(value: Any) -> SignalRange:
    _check_keys(value, "signal", ("name", "rest", "turn"))
    name = value["name"]
    if not isinstance(name, str) or name not in NUMBER:
        raise BadExercise(f"it counts on {_quoted(name)}, which is no signal")
    rest, turn = (_number(value[key], f"{name}'s {key}") for key in ("rest", "turn"))
    if abs(turn - rest) < 1e-3:
        raise BadExercise(f"its signal {name} does not move")
    return SignalRange(name, rest, turn)


def _joint(value: Any) -> JointPath:
    _check_keys(value, "joint", ("name", "weight", "spread_deg", "path_deg"))
    name = value["name"]
    if not isinstance(name, str):
        raise BadExercise(f"a joint is called {_quoted(name)}")
    path = _list(value["path_deg"], "path_deg", POINTS, POINTS)
    return JointPath(
        name,
        _number(value["weight"], "weight", 0.0, 1.0),
        _number(value["spread_deg"], "spread_deg", 0.0, 180.0),
        tuple(_number(each, "path_deg", 0.0, 180.0) for each in path),
    )


def _check_keys(value: Any, what: str, keys: Sequence[str]) -> None:
    if not isinstance(value, Mapping) or value.keys() != set(keys):
        raise BadExercise(f"a {what} is {_quoted(value)}; it must have {', '.join(keys)}")


def _list(value: Any, what: str, least: int, most: int) -> list[Any]:
    if not isinstance(value, list) or not least <= len(value) <= most:
        count = str(least) if least == most else f"{least} to {most}"
        raise BadExercise(f"{what} must be a list of {count}")
    return value


def _number(value: Any, what: str, low: float = -_LARGEST, high: float = _LARGEST) -> float:
    # Before it is made a float: an integer may be too large for one.
    if type(value) not in (int, float) or not low <= value <= high or not math.isfinite(value):
        raise BadExercise(f"{what} is {_quoted(value)}; it must be a number, {low:g} to {high:g}")
    return float(value)


def _quoted(value: Any) -> str:
    """Return a value on one line, short; containers by their kind, since they may be deep."""
    if isinstance(value, Mapping | list | tuple):
        return f"a {type(value).__name__}"
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > _LARGEST**4:
        return "a huge number"
    text = repr(value[:_QUOTED] if isinstance(value, str) else value)
    return text if len(text) <= 2 * _QUOTED else f"{text[: 2 * _QUOTED]}…"
