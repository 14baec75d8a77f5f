"""Finds analyzers by name and loads them.

Finding reads packaging metadata and looks for files; it imports no analyzer,
so the server can check its command line without paying for MediaPipe. Loading
happens in a worker process.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import inspect
import logging
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import MappingProxyType
from typing import Any

from analyzers import older_models
from analyzers.base_model import AnalyzerUnavailable, BaseModel, snake_case
from analyzers.faults import describe
from analyzers.signatures import adapted_calls

logger = logging.getLogger(__name__)

ENTRY_POINT_GROUP = "kinecast.analyzers"

_NO_SETTINGS: Mapping[str, Any] = MappingProxyType({})


class UnknownAnalyzer(ValueError):
    """The names given do not make a list of analyzers; the text is one line and says why."""


class AnalyzerLoadError(RuntimeError):
    """An analyzer was found but cannot be used; the text is one line and says why."""


@dataclass(frozen=True, slots=True)
class AnalyzerSpec:
    """Where an analyzer is.

    Attributes
    ----------
    name : str
        The entry point's name; for a dotted one the class name in snake case,
        which the class may replace once it is loaded.
    target : str
        ``package.module:Class``.
    folder : str
        The folder of an older server's models that it is in, as the package
        ``models``; empty for one that is found as any module is.
    """

    name: str
    target: str
    folder: str = ""


def find(names: Sequence[str]) -> tuple[AnalyzerSpec, ...]:
    """Resolve analyzer names without importing the analyzers.

    Parameters
    ----------
    names : sequence of str
        Each the name of an entry point in the group ``kinecast.analyzers``,
        or ``package.module:Class`` with the module on ``sys.path``.

    Returns
    -------
    tuple of AnalyzerSpec
        In the order of `names`.

    Raises
    ------
    UnknownAnalyzer
        When a name is unknown or given twice, or there is none.
    """
    known = _entry_points()
    if not names:
        raise UnknownAnalyzer(f"no analyzer is named; there are {_listing(known)}")
    specs = tuple(_find_one(name.strip(), known) for name in names)
    # By target, since `pose` and `analyzers.pose:Pose` are one analyzer. Two classes of one name
    # may set different names; whether they do is seen when they are loaded.
    for target, count in Counter(spec.target for spec in specs).items():
        if count > 1:
            raise UnknownAnalyzer(f"analyzer {target} is named {count} times")
    return specs


def load(spec: AnalyzerSpec, settings: Mapping[str, Any] = _NO_SETTINGS) -> BaseModel:
    """Import an analyzer and construct it.

    Parameters
    ----------
    spec : AnalyzerSpec
        What `find` returned.
    settings : mapping
        Arguments for the constructor. Those that a user's own analyzer does not
        take are left out, and the log says so.

    Raises
    ------
    AnalyzerLoadError
        When it cannot be imported, is no analyzer, or its constructor raises;
        when one of ours does not take a setting.
    AnalyzerUnavailable
        When the constructor says that something is missing on this machine.
    """
    cls = _import_class(spec)
    settings = _accepted(spec, cls, settings)
    try:
        model = cls(**settings)
    except AnalyzerUnavailable:
        raise
    except Exception as error:
        raise _load_error(spec, f"its constructor raised {describe(error)}") from error
    if not isinstance(model.name, str) or not model.name:
        raise _load_error(spec, f"its name is {model.name!r}, not text")
    try:
        adapted_calls(model)
    except TypeError as error:
        raise _load_error(spec, str(error)) from error
    return model


def _entry_points() -> dict[str, str]:
    """Return the target of each name; the first distribution on ``sys.path`` wins a name."""
    known: dict[str, str] = {}
    for entry_point in importlib.metadata.entry_points(group=ENTRY_POINT_GROUP):
        known.setdefault(entry_point.name, entry_point.value)
    return known


def _find_one(name: str, known: Mapping[str, str]) -> AnalyzerSpec:
    if name in known:
        target = known[name]
        if not _module_exists(target.partition(":")[0]):
            raise UnknownAnalyzer(f"analyzer {name!r} is registered as {target}, which is missing")
        return AnalyzerSpec(name, target)
    module, colon, class_path = name.partition(":")
    if not colon:
        raise UnknownAnalyzer(
            f"unknown analyzer {name!r}; there are {_listing(known)}, or package.module:Class"
        )
    if not all(part.isidentifier() for part in (*module.split("."), *class_path.split("."))):
        raise UnknownAnalyzer(f"analyzer {name!r} does not read package.module:Class")
    if not _module_exists(module):
        raise UnknownAnalyzer(
            f"unknown analyzer {name!r}: there is no module {module} on the Python path;"
            f" known by name are {_listing(known)}"
        )
    return AnalyzerSpec(snake_case(class_path.rpartition(".")[2]), name)


def _listing(known: Mapping[str, str]) -> str:
    return ", ".join(sorted(known)) or "none installed"


def _module_exists(module: str) -> bool:
    """Look for a module as an import would, without importing it or its packages.

    `importlib.util.find_spec` would do, but it imports the packages around the
    module, and a package may import all that is in it.
    """
    path: Sequence[str] | None = None
    parts = module.split(".")
    for depth in range(1, len(parts) + 1):
        spec = _find_spec(".".join(parts[:depth]), path)
        if spec is None:
            return False
        path = spec.submodule_search_locations
        if path is None and depth < len(parts):
            return False
    return True


def _find_spec(name: str, path: Sequence[str] | None) -> ModuleSpec | None:
    for finder in sys.meta_path:
        spec = finder.find_spec(name, path)
        if spec is not None:
            return spec
    return None


def _import_class(spec: AnalyzerSpec) -> type[BaseModel]:
    module_name, _, class_path = spec.target.partition(":")
    try:
        if spec.folder:
            older_models.prepare(Path(spec.folder))
        module = importlib.import_module(module_name)
    except AnalyzerUnavailable:
        raise
    except Exception as error:
        raise _load_error(spec, f"importing it raised {describe(error)}") from error
    try:
        cls = reduce(getattr, class_path.split("."), module)
    except AttributeError:
        raise _load_error(spec, f"module {module_name} has no {class_path}") from None
    if not (inspect.isclass(cls) and issubclass(cls, BaseModel)):
        raise _load_error(spec, f"{class_path} is not a subclass of analyzers.base_model.BaseModel")
    return cls


def _accepted(
    spec: AnalyzerSpec, cls: type[BaseModel], settings: Mapping[str, Any]
) -> Mapping[str, Any]:
    parameters = inspect.signature(cls).parameters.values()
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
        return settings
    by_name = {p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)}
    unknown = sorted(settings.keys() - by_name)
    if not unknown:
        return settings
    text = f"its constructor does not take {', '.join(unknown)}"
    # A flag of the server's would be off in silence, after a change of ours.
    if cls.__module__.partition(".")[0] == __package__:
        raise _load_error(spec, text)
    logger.info("Analyzer %r (%s) goes without settings: %s", spec.name, spec.target, text)
    return {key: value for key, value in settings.items() if key in by_name}


def _load_error(spec: AnalyzerSpec, why: str) -> AnalyzerLoadError:
    return AnalyzerLoadError(f"analyzer {spec.name!r} ({spec.target}) cannot be used: {why}")
