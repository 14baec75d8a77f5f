"""Whatever is read as a state is one of ours, or is refused; nothing in it is run."""

import hashlib
import pickle
import zlib
from collections import Counter, deque
from dataclasses import dataclass, field

import cbor2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzers.kept_state import BadState, Constant, StateFormat


@dataclass(frozen=True)
class Point:
    x: float
    y: float


class Box:
    def __init__(self):
        self.points: list[Point] = []
        self.again = self.points
        self.name = ""
        self.size = 0.0
        self.last: Point | None = None
        self.kind = None
        self.row = np.zeros(3)
        self.tell = print


@dataclass
class All:
    values: object = None
    box: Box = field(default_factory=Box)


KINDS = {"a": object(), "b": object()}


def kind_of(one):
    return next(name for name, each in KINDS.items() if each is one)


FORMAT = StateFormat(
    "test 1",
    {Point: None, Box: Box, All: None},
    {
        object: Constant(
            lambda one: next(n for n, o in KINDS.items() if o is one), KINDS.__getitem__
        )
    },
)

numbers = st.integers(-(2**40), 2**40) | st.floats(allow_nan=False) | st.booleans()
plain = st.none() | numbers | st.text(max_size=8)
values = st.recursive(
    plain | st.builds(Point, numbers, numbers) | st.lists(st.floats(allow_nan=False)),
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.lists(inner, max_size=4).map(tuple)
        | st.dictionaries(plain, inner, max_size=4)
        | st.lists(inner, max_size=4).map(lambda v: deque(v, maxlen=4))
        | st.dictionaries(st.text(max_size=3), st.integers(), max_size=3).map(Counter)
        | st.sets(st.integers(), max_size=4)
    ),
    max_leaves=12,
)


def through(thing, there=None):
    there = there or All()
    FORMAT.fill(there, FORMAT.dump(thing))
    return there


@given(values)
def test_values_come_back_as_they_were(value):
    told = through(All(value)).values
    assert told == value
    assert type(told) is type(value)


def test_arrays_come_back_as_they_were():
    told = [np.arange(6.0).reshape(2, 3), np.zeros(3, np.float32), np.array([True, False])]
    rows = [[1.5, float("inf")], [2.5, -0.0]] * 3
    back = through(All({"arrays": told, "rows": rows, "same": [np.ones(2)] * 1})).values
    for one, other in zip(back["arrays"], told, strict=True):
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one, other)
    assert back["rows"] == rows


def test_what_is_shared_stays_shared_and_what_is_there_is_filled():
    thing = All()
    thing.box.points += [Point(1.0, 2.0), Point(3.0, 4.0)]
    thing.box.last = thing.box.points[1]
    thing.box.kind, thing.box.name = KINDS["b"], "b"
    there = All()
    box, points = there.box, there.box.points
    through(thing, there)
    assert there.box is box
    assert box.points is box.again is points
    assert box.last is points[1]
    assert box.kind is KINDS["b"]
    assert box.tell is print


def test_what_nobody_named_is_not_written():
    with pytest.raises(TypeError, match="a Exception can not be kept"):
        FORMAT.dump(All(Exception()))
    with pytest.raises(TypeError, match="array of object"):
        FORMAT.dump(All(np.array([None])))


def of(node, label="test 1"):
    """A state that is written by somebody who knows how."""
    return sealed(cbor2.dumps([label, node]))


def sealed(told):
    body = zlib.compress(told)
    return FORMAT.dump(All())[:4] + hashlib.sha256(body).digest()[:16] + body


HERE = f"{__name__}."


@pytest.mark.parametrize(
    "node",
    [
        ["o", "builtins.eval", {}],
        ["o", "os.system", {"values": "true"}],
        ["o", HERE + "All", {"values": None}],
        ["o", HERE + "All", {"values": None, "box": 3}],
        ["o", HERE + "All", {"values": None, "box": ["o", HERE + "Point", {"x": 1.0, "y": 2.0}]}],
        ["o", HERE + "Point", {"x": 1.0}],
        ["o", HERE + "Point", {"x": 1.0, "y": 2.0, "z": 3.0}],
        ["n", "builtins.object", "c"],
        ["r", 99],
        ["a", "|O8", [1], b"12345678"],
        ["a", "<f8", [1 << 40], b"12345678"],
        ["x", []],
        [],
        {"o": 1},
        "text",
        None,
    ],
)
def test_what_somebody_made_up_is_refused(node):
    with pytest.raises(BadState):
        FORMAT.fill(All(), of(node))


def test_what_is_nested_beyond_reason_is_refused():
    # ["test 1", ["l", [["l", [… null …]]]]]
    deep = b"\x82" + cbor2.dumps("test 1") + b"\x82\x61l\x81" * 100_000 + b"\xf6"
    with pytest.raises(BadState):
        FORMAT.fill(All(), sealed(deep))


def test_what_would_unpack_to_more_than_is_kept_is_refused():
    with pytest.raises(BadState):
        FORMAT.fill(All(), of(b"\0" * (1 << 25)))


def test_another_label_is_refused_by_its_name():
    with pytest.raises(BadState, match="of 'test 2', and not of 'test 1'"):
        FORMAT.fill(All(), of(None, "test 2"))


def test_a_pickle_is_refused():
    with pytest.raises(BadState, match="damaged"):
        FORMAT.fill(All(), pickle.dumps(All()))


@given(st.data())
def test_damage_is_noticed(data):
    state = FORMAT.dump(All([1.0, 2.0, 3.0, 4.0, "text"]))
    at = data.draw(st.integers(0, len(state) - 1))
    other = bytes([state[at] ^ data.draw(st.integers(1, 255))])
    with pytest.raises(BadState):
        FORMAT.fill(All(), state[:at] + other + state[at + 1 :])
    with pytest.raises(BadState):
        FORMAT.fill(All(), state[:at])
