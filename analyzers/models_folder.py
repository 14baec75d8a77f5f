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
        match statement:
            case ast.ImportFrom(module=module, names=names, level=level):
                module = f"{package}.{module or ''}".strip(".") if level else module or ""
                for alias in names:
                    yield alias.asname or alias.name, (module, alias.name)
            case ast.Import(names=names):
                for alias in names:
                    parent, _, last = alias.name.rpartition(".")
                    first = alias.name.partition(".")[0]
                    yield (alias.asname, (parent, last)) if alias.asname else (first, ("", first))


def _origin(path: Path, entry: ast.expr, origins: dict[str, tuple[str, str]]) -> tuple[str, str]:
    # Some lists have the models themselves: `Pulse()`.
    name = ast.unparse(entry.func if isinstance(entry, ast.Call) else entry)
    first, *rest = name.split(".")
    parts = [*origins.get(first, ("", "")), *rest]
    module, original = ".".join(filter(None, parts[:-1])), parts[-1]
    if module.partition(".")[0] != PACKAGE:
        raise UnknownAnalyzer(
            f"{path}: {name} in {_LIST} is not imported by `from {PACKAGE}.… import {name}`"
        )
    return module, original


def _classes(folder: Path) -> Iterator[_Class]:
    for path in sorted(folder.iterdir()):
        if not path.stem.isidentifier() or path.stem in ("__init__", "base_model", "__pycache__"):
            continue
        module = f"{PACKAGE}.{path.stem}"
        if path.is_dir():
            # Of a package any file may have the model; its first one need not.
            for file in sorted(path.glob("*.py")):
                inner = "" if file.stem == "__init__" else f".{file.stem}"
                if file.stem.isidentifier():
                    yield from _defined(file, module + inner)
        elif path.suffix == ".py":
            yield from _defined(path, module)


def _defined(file: Path, module: str) -> Iterator[_Class]:
    for statement in _parse(file).body:
        if isinstance(statement, ast.ClassDef):
            bases = tuple(ast.unparse(base).rpartition(".")[2] for base in statement.bases)
            yield _Class(module, statement.name, bases)


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
