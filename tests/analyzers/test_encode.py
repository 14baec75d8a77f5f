"""Results become JSON, faithfully or with a word about it."""

import dataclasses
import json

import numpy as np
import pytest

from analyzers import encode as encode_module
from analyzers.encode import RESERVED_KEYS, UnencodableResult, encode


def decoded(encoded):
    return {key: json.loads(fragment) for key, fragment in encoded.fragments.items()}


def test_plain_values_pass_without_a_word():
    values = {
        "hr": 65,
        "score": 0.25,
        "name": "null and void",
        "none": None,
        "pair": (1, 2),
        "nested": {"list": [[1, None], {"é": True}]},
    }
    encoded = encode(values)
    assert encoded.problems == []
    assert decoded(encoded) == {**values, "pair": [1, 2]}


def test_plain_values_are_not_walked_through(monkeypatch):
    def walked(*args):
        raise AssertionError("walked through a plain value")

    monkeypatch.setattr(encode_module, "_inspect", walked)
    landmark = {"index": 0, "name": "nose", "x": 0.5, "y": 0.5, "z": -0.1, "visibility": 1.0}
    encoded = encode({"has_pose": True, "landmarks": [landmark] * 33})
    assert decoded(encoded)["landmarks"][32]["name"] == "nose"


@dataclasses.dataclass
class Box:
    width: float


@pytest.mark.parametrize(
    ("value", "sent", "problem"),
    [
        (np.float32(0.1), 0.1, "key is numpy.float32: sent as a number; return float(x)"),
        (np.float64(0.1), 0.1, "key is numpy.float64: sent as a number; return float(x)"),
        (np.float16(0.5), 0.5, "key is numpy.float16: sent as a number; return float(x)"),
        (np.longdouble(0.5), 0.5, "key is numpy.longdouble: sent as a number; return float(x)"),
        (np.int64(-3), -3, "key is numpy.int64: sent as a number; return int(x)"),
        (np.uint8(3), 3, "key is numpy.uint8: sent as a number; return int(x)"),
        (
            np.arange(6).reshape(2, 3),
            [[0, 1, 2], [3, 4, 5]],
            "key is numpy.ndarray: sent as a list; return x.tolist()",
        ),
        (
            np.arange(6, dtype=">f4")[::2],
            [0, 2, 4],
            "key is numpy.ndarray: sent as a list; return x.tolist()",
        ),
        (
            np.array([1, None, "x"], dtype=object),
            [1, None, "x"],
            "key is numpy.ndarray: sent as a list; return x.tolist()",
        ),
        (float("nan"), None, "key is NaN: sent as null; return None instead"),
        (float("inf"), None, "key is infinity: sent as null; return None instead"),
        ([1, -float("inf")], [1, None], "key[] is -infinity: sent as null; return None instead"),
        (
            {"people": [{"score": np.float32(1)}] * 50},
            {"people": [{"score": 1}] * 50},
            "key.people[].score is numpy.float32: sent as a number; return float(x)",
        ),
        (
            [Box(float("nan"))],
            [{"width": None}],
            "key[].width is NaN: sent as null; return None instead",
        ),
    ],
)
def test_what_json_can_say_is_converted_and_told_once(value, sent, problem):
    encoded = encode({"key": value})
    assert decoded(encoded) == {"key": sent}
    assert encoded.problems == [problem]


def test_a_numpy_bool_is_told_by_its_type():
    encoded = encode({"key": np.bool_(True)})
    assert decoded(encoded) == {"key": True}
    (problem,) = encoded.problems
    assert "sent as true or false; return bool(x)" in problem


def test_nan_in_an_array_is_told_beside_the_array():
    encoded = encode({"key": np.array([1.0, np.nan])})
    assert decoded(encoded) == {"key": [1.0, None]}
    assert [text.partition(":")[0] for text in encoded.problems] == [
        "key is numpy.ndarray",
        "key holds NaN or infinity",
    ]


class Skeleton:
    pass


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (b"png", r"^key is bytes, which JSON cannot hold: return text, such as base64"),
        ({"a": [{1, 2}]}, r"^key\.a\[\] is set, .* return sorted\(x\)"),
        (1j, r"^key is complex, .*x\.real"),
        (Skeleton(), r"^key is .*Skeleton, which JSON cannot hold"),
        ([Skeleton], r"^key\[\] is type, which JSON cannot hold"),
        (np.array([1 + 2j]), r"^key is numpy\.ndarray of complex128"),
        (np.array([Skeleton()], dtype=object), r"^key\[\] is .*Skeleton"),
        ({"a": {1: 2}}, r"^key\.a has the key 1, int: use str\(key\)"),
        (2**70, r"^key cannot be written as JSON: Integer exceeds 64-bit range"),
        ("\ud800", r"^key cannot be written as JSON: .*surrogates"),
    ],
)
def test_what_json_cannot_say_is_refused_by_path(value, message):
    with pytest.raises(UnencodableResult, match=message):
        encode({"fine": 1, "key": value})


def test_a_value_that_holds_itself_is_refused():
    value = []
    value.append(value)
    with pytest.raises(UnencodableResult, match="holds itself"):
        encode({"key": value})


@pytest.mark.parametrize("values", [[1], 3, "text", np.zeros(3)])
def test_a_result_is_a_dict(values):
    with pytest.raises(UnencodableResult, match="return a dict, or None"):
        encode(values)


@pytest.mark.parametrize("key", [1, None, np.str_("k"), "\ud800"])
def test_keys_are_text(key):
    with pytest.raises(UnencodableResult, match="the result has the key"):
        encode({key: 1})


def test_keys_of_the_message_are_left_to_it():
    encoded = encode(dict.fromkeys(RESERVED_KEYS, 1) | {"hr": 65})
    assert decoded(encoded) == {"hr": 65}
    assert sorted(text.partition(" ")[0] for text in encoded.problems) == sorted(RESERVED_KEYS)
