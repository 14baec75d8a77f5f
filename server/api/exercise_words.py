"""How the exercise APIs call things; older clients know fewer words, and numbers only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from analyzers.landmark_names import LANDMARK_NAMES
from server.config import Settings
from server.sessions.results import Result

KEYS = ("has_pose", "exercise", "score", "reps", "phase", "feedback", "warnings")
STEP_BACK = "Step back until your feet are in the picture"
NOBODY = "Nobody is seen"

_NONE = "none"
_OLDER = {"push_up": "pushup", _NONE: "standing"}
_OLDER_NOBODY = "unknown"


@dataclass(frozen=True, slots=True)
class Seen:
    """What is told of one picture, in the client's words."""

    success: bool
    exercise: str
    score: int | None
    feedback: list[str]
    warnings: list[str]
    landmarks_count: int
    reps: int
    phase: str
    is_still: bool


class ExerciseWords:
    """Words for those who read them.

    Parameters
    ----------
    settings
        Which words, and whether a score is always a number.
    """

    def __init__(self, settings: Settings) -> None:
        self._are_older = settings.exercise_names == "older"
        self._always_scores = settings.always_score

    def seen(self, result: Result) -> Seen | None:
        """What a picture's result says; None if the analyzers failed on it."""
        if any(key not in result.fragments for key in KEYS):
            return None
        said: dict[str, Any] = {key: orjson.loads(result.fragments[key]) for key in KEYS}
        is_anyone_there = said["has_pose"]
        return Seen(
            success=is_anyone_there,
            exercise=self.exercise(said["exercise"]) if is_anyone_there else self.nobody,
            score=self.score(said["score"] if is_anyone_there else None),
            feedback=_texts(said["feedback"]) if is_anyone_there else [STEP_BACK],
            warnings=_texts(said["warnings"]) if is_anyone_there else [NOBODY],
            landmarks_count=len(LANDMARK_NAMES) if is_anyone_there else 0,
            reps=said["reps"],
            phase=said["phase"],
            is_still=result.fragments.get("still") == b"true",
        )

    @property
    def nobody(self) -> str:
        """What is done where nobody is seen."""
        return _OLDER_NOBODY if self._are_older else _NONE

    def exercise(self, name: str) -> str:
        """What somebody does."""
        return _OLDER.get(name, name) if self._are_older else name

    def by_exercise(self, done: Mapping[str, Any]) -> dict[str, Any]:
        """What was done, by the name of what it is."""
        return {self.exercise(name): each for name, each in done.items()}

    def score(self, score: float | None) -> int | None:
        """0 to 100; without one, null or, for those who want a number, 0."""
        if score is None:
            return 0 if self._always_scores else None
        return round(score)


def _texts(told: list[dict[str, str]]) -> list[str]:
    return [each["text"] for each in told]
