"""Imports models of an older server as they are: their folder as the package ``models``.

What they extend, ``models.base_model``, is ours, with whatever else theirs has in it.
"""

from __future__ import annotations

import importlib.util
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any, Optional

from analyzers.base_model import BaseModel

PACKAGE = "models"
BASE = f"{PACKAGE}.base_model"


def prepare(folder: Path) -> None:
    """Have ``import models`` find this folder, and what lies beside it.

    Raises
    ------
    Exception
        Whatever the folder's own ``__init__.py`` or ``base_model.py`` raises.
    """
    package = sys.modules.get(PACKAGE)
    if package is not None and list(package.__path__) == [str(folder)]:
        return
    if str(folder.parent) not in sys.path:
        # Last: what lies there may be called as ours is.
        sys.path.append(str(folder.parent))
    package = sys.modules[PACKAGE] = _package(folder)
    base = sys.modules[BASE] = package.__dict__["base_model"] = _base(folder)
    try:
        _run(folder / "base_model.py", base)
        base.__dict__["BaseModel"] = BaseModel
        _run(folder / "__init__.py", package)
    except BaseException:
        # Tried again, it is to fail again.
        del sys.modules[PACKAGE], sys.modules[BASE]
        raise


def has(function: Callable[..., Any]) -> bool:
    """Whether a function is of such a model."""
    base = sys.modules.get(BASE)
    is_ours = base is not None and base.__dict__.get("BaseModel") is BaseModel
    return is_ours and function.__module__.partition(".")[0] == PACKAGE


def _package(folder: Path) -> ModuleType:
    spec = ModuleSpec(PACKAGE, None, is_package=True)
    spec.submodule_search_locations = [str(folder)]
    return importlib.util.module_from_spec(spec)


def _base(folder: Path) -> ModuleType:
    import numpy as np

    module = ModuleType(BASE)
    module.__file__ = str(folder / "base_model.py")
    module.__package__ = PACKAGE
    # Models take these from it by `import *`.
    names: dict[str, Any] = {
        "ABC": ABC,
        "BaseModel": BaseModel,
        "Hashable": Hashable,
        "Optional": Optional,
        "abstractmethod": abstractmethod,
        "np": np,
    }
    module.__dict__.update(names)
    return module


def _run(path: Path, module: ModuleType) -> None:
    """Run a file of theirs, if there is one, in a module."""
    if path.is_file():
        exec(compile(path.read_bytes(), str(path), "exec"), module.__dict__)
