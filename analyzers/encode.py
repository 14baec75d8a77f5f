"""Turns what an analyzer returned into JSON, key by key.

A key's JSON is made once, in the worker; the session merges fragments of bytes
and never looks inside. Analyzers are written by people who think in numpy, so
what JSON can say faithfully is converted, and told as a problem that names the
key and the remedy. What it cannot say costs the analyzer's result.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, time
from enum import Enum
from typing import Any, NoReturn
from uuid import UUID

import numpy as np
import orjson

# Keys of the message that carries the results (the data channel's envelope).
RESERVED_KEYS = frozenset({"final", "timestamp", "frame", "timing", "dropped", "type"})

# What orjson nests, and refuses beyond (its documentation, "Recursion limit").
_MAX_DEPTH = 254

# Kinds of numpy dtypes (`dtype.kind`) that have a form in JSON: bool, int, unsigned, float, text.
_JSON_KINDS = "biufU"

# How a scalar of such a kind is sent, and the Python type to return instead.
_SCALAR_FORMS = {
    "b": ("true or false", "bool"),
    "i": ("a number", "int"),
    "u": ("a number", "int"),
    "f": ("a number", "float"),
}

_REMEDIES: tuple[tuple[tuple[type, ...], str], ...] = (
    ((bytes, bytearray, memoryview), "text, such as base64.b64encode(x).decode()"),
    ((set, frozenset), "sorted(x)"),
    ((complex, np.complexfloating), "[x.real, x.imag]"),
)


class UnencodableResult(ValueError):
    """An analyzer's result holds something that JSON has no form for; names the key path."""


@dataclass(frozen=True, slots=True)
class Encoded:
    """An analyzer's result as JSON.

    Attributes
    ----------
    fragments : dict of str to bytes
        The JSON of each key's value.
    problems : list of str
        What had to be changed on the way, each once, naming key path and remedy.
    """

    fragments: dict[str, bytes] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


def encode(values: Any) -> Encoded:
    """Encode what an analyzer returned.

    Parameters
    ----------
    values : dict of str to anything JSON can hold
        numpy scalars become numbers, arrays lists, NaN and infinities null;
        each is reported.

    Raises
    ------
    UnencodableResult
        When `values` is no dict with text as keys, or a value has no form in
        JSON (bytes, sets, objects, dictionaries with other keys).
    """
    if not isinstance(values, dict):
        raise UnencodableResult(f"the result is {_type_name(values)}: return a dict, or None")
    encoded = Encoded()
    for key, value in values.items():
        _check_key("the result", key)
        if key in RESERVED_KEYS:
            encoded.problems.append(
                f"{key} is a key of the message itself: left out; return it under another name"
            )
            continue
        encoded.fragments[key] = _encode_value(key, value, encoded.problems)
    return encoded


def _encode_value(key: str, value: Any, problems: list[str]) -> bytes:
    try:
        fragment = orjson.dumps(value)
    except orjson.JSONEncodeError:
        return _convert(key, value, problems)
    # orjson writes NaN and infinities as null, too; only then is a look inside worth its time.
    if b"null" in fragment:
        _add_new(problems, _inspect(key, value, 0))
    return fragment


def _convert(key: str, value: Any, problems: list[str]) -> bytes:
    _add_new(problems, _inspect(key, value, 0))
    try:
        return orjson.dumps(value, default=_as_plain, option=orjson.OPT_SERIALIZE_NUMPY)
    except orjson.JSONEncodeError as error:
        raise UnencodableResult(f"{key} cannot be written as JSON: {error}") from error


def _check_key(path: str, key: Any) -> None:
    # Not isinstance: orjson takes no subclass of str as a key (numpy.str_, an Enum of text).
    if type(key) is not str:
        raise UnencodableResult(f"{path} has the key {key!r}, {_type_name(key)}: use str(key)")
    if not key.isascii() and any("\ud800" <= letter <= "\udfff" for letter in key):
        raise UnencodableResult(f"{path} has the key {key!r}, which is no valid Unicode")


def _add_new(problems: list[str], found: Iterator[str]) -> None:
    problems.extend(text for text in dict.fromkeys(found) if text not in problems)


def _as_plain(value: Any) -> Any:
    """Convert the numpy values that orjson leaves to us: odd layouts, object arrays, text."""
    if isinstance(value, np.ndarray | np.generic):
        # A long double's own tolist() keeps its type.
        return (value.astype(float) if value.dtype.kind == "f" else value).tolist()
    raise TypeError(f"{_type_name(value)} has no form in JSON")


def _inspect(path: str, value: Any, depth: int) -> Iterator[str]:
    """Walk through a value; yield what is changed, raise at what has no form."""
    if value is None or isinstance(value, bool | int | str):
        return
    if depth > _MAX_DEPTH:
        raise UnencodableResult(f"{path[:80]} nests deeper than {_MAX_DEPTH}, or holds itself")
    if isinstance(value, np.generic | np.ndarray):
        yield from _inspect_numpy(path, value, depth)
    elif isinstance(value, float):
        if not math.isfinite(value):
            yield f"{path} is {_non_finite_name(value)}: sent as null; return None instead"
    elif isinstance(value, dict):
        for key, item in value.items():
            _check_key(path, key)
            yield from _inspect(f"{path}.{key}", item, depth + 1)
    elif isinstance(value, list | tuple):
        # One path for all entries, so that a list of a thousand has its problem told once.
        for item in value:
            yield from _inspect(f"{path}[]", item, depth + 1)
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        for entry in dataclasses.fields(value):
            yield from _inspect(f"{path}.{entry.name}", getattr(value, entry.name), depth + 1)
    elif not isinstance(value, Enum | date | time | UUID | orjson.Fragment):
        _refuse(path, value)


def _inspect_numpy(path: str, value: Any, depth: int) -> Iterator[str]:
    if value.dtype.kind == "O":
        yield from _inspect(path, value.tolist(), depth + 1)
    elif value.dtype.kind not in _JSON_KINDS:
        _refuse(path, value, detail=f" of {value.dtype}")
    if isinstance(value, np.ndarray):
        yield f"{path} is {_type_name(value)}: sent as a list; return x.tolist()"
    elif value.dtype.kind != "U":
        form, builtin = _SCALAR_FORMS[value.dtype.kind]
        yield f"{path} is {_type_name(value)}: sent as {form}; return {builtin}(x)"
    if value.dtype.kind == "f" and not np.isfinite(value).all():
        yield f"{path} holds NaN or infinity: sent as null; return None instead"


def _refuse(path: str, value: Any, detail: str = "") -> NoReturn:
    remedies = (remedy for types, remedy in _REMEDIES if isinstance(value, types))
    remedy = next(remedies, "numbers, text, lists and dicts made from it")
    raise UnencodableResult(
        f"{path} is {_type_name(value)}{detail}, which JSON cannot hold: return {remedy}"
    )


def _non_finite_name(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    return "infinity" if value > 0 else "-infinity"


def _type_name(value: Any) -> str:
    cls = type(value)
    if cls.__module__ == "builtins":
        return cls.__name__
    return f"{cls.__module__}.{cls.__name__}"
