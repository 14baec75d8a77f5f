"""Definitions in a folder: what a server has for all of its sessions."""

from __future__ import annotations

import json
from pathlib import Path

from analyzers.exercise.demonstration.definition import (
    MAX_EXERCISES,
    BadExercise,
    ShownExercise,
    read_exercise,
)

# Ten times what a definition has.
MAX_BYTES = 20_000


def read_folder(folder: str | Path) -> tuple[ShownExercise, ...]:
    """Read all ``*.json`` of a folder, in the order of their names.

    Raises
    ------
    BadExercise
        There is no such folder, or a file of it can not be used: one line with its name.
    """
    paths = sorted(Path(folder).glob("*.json"))
    if not Path(folder).is_dir():
        raise BadExercise(f"there is no folder {folder}")
    if len(paths) > MAX_EXERCISES:
        raise BadExercise(f"{folder} has {len(paths)} exercises; at most {MAX_EXERCISES} are taken")
    exercises: dict[str, ShownExercise] = {}
    for path in paths:
        exercise = read_file(path)
        if exercise.name in exercises:
            raise BadExercise(f"{path}: there is another exercise {exercise.name!r} in the folder")
        exercises[exercise.name] = exercise
    return tuple(exercises.values())


def read_file(path: Path) -> ShownExercise:
    """Read one definition.

    Raises
    ------
    BadExercise
        It can not be used: one line with its name.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise BadExercise(f"it has more than {MAX_BYTES} bytes, which no learned exercise has")
        return read_exercise(json.loads(data))
    except BadExercise as error:
        raise BadExercise(f"{path}: {error}") from None
    except OSError as error:
        raise BadExercise(f"{path}: it can not be read: {error.strerror}") from None
    except (ValueError, RecursionError):
        raise BadExercise(f"{path}: it is no JSON") from None
