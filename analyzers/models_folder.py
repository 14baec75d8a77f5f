"""Finds the model classes in a folder of an older server's, without importing any of them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from analyzers.older_models import PACKAGE
from analyzers.registry import AnalyzerSpec, UnknownAnalyzer

_BASE = "BaseModel"
_LIST = "MODELS"


@dataclass(frozen=True, slots=True)
class _Class:
    """A class in one of the folder's modules."""

    module: str
    name: str
    bases: tuple[str, ...]


def find_models(folder: Path) -> tuple[AnalyzerSpec, ...]:
    """Find the models of a folder.

    A list ``MODELS`` in its ``__init__.py``, or in ``main.py`` beside it, says which and in which
    order; without one they are all classes that extend ``BaseModel``, by their modules' names.

    Parameters
    ----------
    folder : Path
        With a file or a package for each model.

    Returns
    -------
    tuple of AnalyzerSpec
        Called as the classes are.

    Raises
    ------
    UnknownAnalyzer
        There is no such folder, nothing in it, or a file that can not be read.
    """
    folder = folder.resolve()
    if not folder.is_dir():
        raise UnknownAnalyzer(f"there is no folder {folder}")
    found = _listed(folder)
    if found is None:
        found = _extending(_classes(folder))
    if not found:
        raise UnknownAnalyzer(f"in {folder} no class extends {_BASE}")
    names = [name for _, name in found]
    for name in names:
        if names.count(name) > 1:
            raise UnknownAnalyzer(f"in {folder} there are {names.count(name)} models called {name}")
    return tuple(AnalyzerSpec(name, f"{module}:{name}", str(folder)) for module, name in found)


def _listed(folder: Path) -> list[tuple[str, str]] | None:
    """Module and class of each entry of the list, if there is one."""
    for path, package in ((folder / "__init__.py", PACKAGE), (folder.parent / "main.py", "")):
        if not path.is_file():
            continue
        tree = _parse(path)
        entries = _entries(tree)
        if entries is not None:
            origins = dict(_imported(tree, package))
            return [_origin(path, entry, origins) for entry in entries]
    return None


def _entries(tree: ast.Module) -> list[ast.expr] | None:
    entries = None
    for statement in tree.body:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.List() | ast.Tuple() as value):
                entries = value.elts if name == _LIST else entries
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.List() | ast.Tuple() as value):
                entries = value.elts if name == _LIST else entries
    return entries


def _imported(tree: ast.Module, package: str) -> Iterator[tuple[str, tuple[str, str]]]:
    """What each name was imported from: a module, and what it is called there."""
    for statement in tree.body:
        if isinstance(statement, ast.ImportFrom):
            module = statement.module or ""
            if statement.level:
                module = f"{package}.{module}".strip(".")
            for alias in statement.names:
                yield alias.asname or alias.name, (module, alias.name)


def _origin(path: Path, entry: ast.expr, origins: dict[str, tuple[str, str]]) -> tuple[str, str]:
    name = entry.id if isinstance(entry, ast.Name) else ast.unparse(entry)
    module, original = origins.get(name, ("", ""))
    if module.partition(".")[0] != PACKAGE:
        raise UnknownAnalyzer(
            f"{path}: {name} in {_LIST} is not imported by `from {PACKAGE}.… import {name}`"
        )
    return module, original


def _classes(folder: Path) -> Iterator[_Class]:
    for path in sorted(folder.iterdir()):
        if path.is_dir():
            file = path / "__init__.py"
        elif path.suffix == ".py" and path.stem not in ("__init__", "base_model"):
            file = path
        else:
            continue
        if file.is_file() and path.stem.isidentifier():
            for statement in _parse(file).body:
                if isinstance(statement, ast.ClassDef):
                    bases = tuple(ast.unparse(b).rpartition(".")[2] for b in statement.bases)
                    yield _Class(f"{PACKAGE}.{path.stem}", statement.name, bases)


def _extending(classes: Iterator[_Class]) -> list[tuple[str, str]]:
    """Those that extend a model, and that no other one extends."""
    known = list(classes)
    models: set[str] = set()
    while more := {
        c.name for c in known if c.name not in models and ({_BASE} | models) & {*c.bases}
    }:
        models |= more
    extended = {base for c in known if c.name in models for base in c.bases}
    return [(c.module, c.name) for c in known if c.name in models - extended]


def _parse(path: Path) -> ast.Module:
    try:
        return ast.parse(path.read_bytes())
    except (OSError, SyntaxError, ValueError) as error:
        raise UnknownAnalyzer(f"{path} can not be read: {error}") from error
