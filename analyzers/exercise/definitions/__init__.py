"""The exercises, one module each: `EXERCISE` in it is a `Definition`."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

from analyzers.exercise.definition import Definition


@cache
def definitions() -> dict[str, Definition]:
    """Return every exercise by name: the `EXERCISE` of each module of this package."""
    found = (
        importlib.import_module(f"{__name__}.{module.name}").EXERCISE
        for module in pkgutil.iter_modules(__path__)
    )
    return {exercise.name: exercise for exercise in found}
