"""The compact form of results: CBOR (RFC 8949), with landmarks as arrays of integers (RFC 8746).

It is made out of the JSON of a key, so that both forms say the same; docs/protocol.md has the
layout. A result of one person takes some 900 bytes of it, one packet, and 6500 of JSON, six.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping
from enum import StrEnum
from itertools import chain
from operator import itemgetter
from typing import Any

import cbor2
import orjson

from analyzers.landmark_names import LANDMARK_NAMES


class Form(StrEnum):
    """How results are written."""

    JSON = "json"
    CBOR = "cbor"


# Keys that are written as their place in here; the first 24 take one byte, the others two: what
# stands in each result, and in some twice, comes first. Readers are told, so the table may change.
KEYS: tuple[str, ...] = (
    *("score", "exercise", "score_parts", "depth", "alignment", "symmetry", "tempo", "steadiness"),
    *("code", "text", "landmarks", "world_landmarks", "has_pose", "track_id", "reps", "phase"),
    *("held_s", "repetition", "feedback", "warnings", "final", "timestamp", "frame", "timing"),
    *("dropped", "number", "pts", "width", "height", "received_at", "queue_ms", "analyzers"),
    *("held", "pose", "reid", "start_ms", "turn_ms", "end_ms", "range_of_motion", "tempo_s"),
    *("down", "up", "hold", "faults", "people", "id", "box", "bbox", "matches", "distance"),
    *("confidence", "person_id", "model", "fallback", "detector", "threshold", "has_reference"),
    *("looked_at_ms", "reid_people", "embedding", "index", "name", "x", "y", "z", "visibility"),
    *("exercise_summary", "exercises", "main_exercise", "repetitions", "mean_score", "best_score"),
    *("time_under_tension_s", "most_frequent_fault", "advice", "pose_summary", "frames"),
    *("frames_with_pose", "exercise_learning", "exercise_learned", "seen", "wanted", "hint"),
    *("joint", "degrees", "version", "out", "out_s", "back_s", "signals", "joints", "rest", "turn"),
    *("weight", "spread_deg", "path_deg", "framing", "ready", "range_deg"),
)
COLUMNS = ("x", "y", "z", "visibility")
# Steps of 0.0001: a hundredth of what BlazePose can tell, and world landmarks have no finer ones.
SCALE = 10_000

LAYOUT: dict[str, Any] = {
    "keys": list(KEYS),
    "landmarks": {"names": list(LANDMARK_NAMES), "columns": list(COLUMNS), "scale": SCALE},
}
"""What a reader has to know."""

# RFC 8746: a multi-dimensional array, row-major (section 3.1.1), and 16 bit integers with a sign,
# little endian (section 2.1).
_TABLE, _SINT16_LE = 40, 77
# What orjson writes, at most (its documentation, "Recursion limit").
_MAX_DEPTH = 254
_NULL = cbor2.dumps(None)
_COUNT = len(LANDMARK_NAMES)
_SHAPE = [_COUNT, len(COLUMNS)]
_NUMBERS = struct.Struct(f"<{_COUNT * len(COLUMNS)}h")
_ENTRY = itemgetter("index", "name", *COLUMNS)
_ENTRY_KEYS = len(COLUMNS) + 2
_PLACES = list(range(_COUNT))
_NAMES = list(LANDMARK_NAMES)
_KEY_AT = dict(enumerate(KEYS))
_PLACE_OF_KEY = {key: place for place, key in _KEY_AT.items()}
_ENCODED_KEYS = {key: cbor2.dumps(place) for key, place in _PLACE_OF_KEY.items()}
# Beyond, integers of JavaScript and floats are no longer the same numbers.
_MAX_WHOLE = 2.0**53


def compact(fragment: bytes) -> bytes:
    """Return the compact form of some JSON.

    Parameters
    ----------
    fragment
        As `analyzers.encode` makes it, of one key. What an analyzer passed on as JSON, an
        `orjson.Fragment`, may be none, or too deep: it becomes null.
    """
    try:
        value = orjson.loads(fragment)
        if fragment.count(b"[") + fragment.count(b"{") > _MAX_DEPTH:
            orjson.dumps(value)  # Refuses what is nested deeper, which could not be JSON again.
    except (orjson.JSONDecodeError, orjson.JSONEncodeError):
        return _NULL
    return cbor2.dumps(_packed(value))


def plain(data: bytes) -> Any:
    """Return what a compact form says, as reading its JSON would.

    Raises
    ------
    ValueError
        It is none.
    """
    try:
        return cbor2.loads(data, tag_hook=_unpack_tag, object_hook=_name_keys)
    except (cbor2.CBORError, LookupError, TypeError) as error:
        raise ValueError(f"no compact form: {error}") from error


def as_json(data: bytes) -> bytes:
    """Return the JSON of a compact form.

    Raises
    ------
    ValueError
        It is none.
    """
    return orjson.dumps(plain(data))


def joined(fragments: Mapping[str, bytes]) -> bytes:
    """Return the map of values that are compact already, by their keys."""
    parts = [_map_head(len(fragments))]
    for key, value in fragments.items():
        parts.append(_ENCODED_KEYS.get(key) or cbor2.dumps(key))
        parts.append(value)
    return b"".join(parts)


def _map_head(pairs: int) -> bytes:
    """A map's first bytes (RFC 8949, section 3)."""
    if pairs < 24:
        return bytes([0xA0 | pairs])
    return struct.pack(">BB", 0xB8, pairs) if pairs < 256 else struct.pack(">BI", 0xBA, pairs)


# ---- out


def _packed(value: Any) -> Any:
    """The value with keys from the table, whole numbers as integers, landmarks as arrays."""
    kind = type(value)
    if kind is dict:
        return {_PLACE_OF_KEY.get(key, key): _packed(item) for key, item in value.items()}
    if kind is list:
        landmarks = _pack_landmarks(value) if len(value) == _COUNT else None
        return landmarks or [_packed(item) for item in value]
    if kind is float:
        return _whole(value)
    return value


def _whole(value: float) -> float:
    is_whole = value.is_integer() and abs(value) < _MAX_WHOLE
    # JSON and JavaScript have a zero with a minus, integers have none.
    return int(value) if is_whole and (value or math.copysign(1.0, value) > 0) else value


def _pack_landmarks(entries: list[Any]) -> cbor2.CBORTag | None:
    """The array of a list of landmarks; None if it is something else, or does not fit."""
    try:
        numbers = list(chain.from_iterable(map(_ENTRY, entries)))
    except (KeyError, TypeError):
        return None
    if any(len(entry) != _ENTRY_KEYS for entry in entries):
        return None
    places, names = numbers[::_ENTRY_KEYS], numbers[1::_ENTRY_KEYS]
    del numbers[::_ENTRY_KEYS]
    del numbers[:: _ENTRY_KEYS - 1]
    # True equals 1, and is something else.
    if places != _PLACES or names != _NAMES or bool in map(type, places):
        return None
    if not {float, int}.issuperset(map(type, numbers)):
        return None
    try:
        data = _NUMBERS.pack(*[round(number * SCALE) for number in numbers])
    except (struct.error, OverflowError):
        return None
    return cbor2.CBORTag(_TABLE, [_SHAPE, cbor2.CBORTag(_SINT16_LE, data)])


# ---- and back


def _unpack_tag(tag: cbor2.CBORTag, _immutable: bool) -> Any:
    if tag.tag == _SINT16_LE:
        try:
            return _NUMBERS.unpack(tag.value)
        except struct.error as error:
            raise TypeError(str(error)) from error
    if tag.tag == _TABLE and list(tag.value[0]) == _SHAPE:
        numbers = iter(tag.value[1])
        rows = zip(numbers, numbers, numbers, numbers, strict=True)
        return [
            {
                "index": place,
                "name": name,
                **{column: n / SCALE for column, n in zip(COLUMNS, row, strict=True)},
            }
            for place, (name, row) in enumerate(zip(LANDMARK_NAMES, rows, strict=True))
        ]
    raise TypeError(f"the tag {tag.tag} is not one of ours")


def _name_keys(pairs: Mapping[Any, Any], _immutable: bool) -> dict[str, Any]:
    return {k if type(k) is str else _KEY_AT[k]: value for k, value in pairs.items()}
