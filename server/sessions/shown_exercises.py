"""Exercises by demonstration in a session's options: refused before a worker hears of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from analyzers.exercise.demonstration import BadExercise
from analyzers.exercise.options import read_shown
from signaling.errors import BadMessage

EXERCISE = "exercise"


def check_shown(options: Mapping[str, Any]) -> None:
    """Check what the exercise analyzer's options say of exercises that are shown.

    Raises
    ------
    BadMessage
        Which exercise can not be used, and why.
    """
    try:
        read_shown(options)
    except BadExercise as error:
        raise BadMessage(str(error)) from None
