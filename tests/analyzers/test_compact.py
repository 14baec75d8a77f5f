"""The compact form of results says what JSON says, within a step of a landmark's."""

import json
import math
import struct

import cbor2
import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analyzers.compact import COLUMNS, KEYS, LAYOUT, SCALE, as_json, compact, joined, plain
from analyzers.encode import RESERVED_KEYS, encode
from analyzers.landmark_names import LANDMARK_NAMES

STEP = 1 / SCALE

# A list of landmarks takes a while to be thought out, on a busy machine.
few = settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
keys = texts | st.sampled_from(KEYS)
leaves = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts
)
values = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=5) | st.dictionaries(keys, inner, max_size=5)
)
# What fits, and now and then what does not.
numbers = st.floats(-3.2, 3.2) | st.floats(-1e9, 1e9) | st.integers(-5, 5)


def landmarks(numbers=numbers):
    """Lists of landmarks with such numbers."""
    count = len(LANDMARK_NAMES) * len(COLUMNS)
    return st.lists(numbers, min_size=count, max_size=count).map(_as_landmarks)


def _as_landmarks(numbers):
    rows = zip(*[iter(numbers)] * len(COLUMNS), strict=True)
    return [
        {"index": i, "name": name, **dict(zip(COLUMNS, row, strict=True))}
        for i, (name, row) in enumerate(zip(LANDMARK_NAMES, rows, strict=True))
    ]


def is_packed(cbor):
    return isinstance(decoded := cbor2.loads(cbor), cbor2.CBORTag) and decoded.tag == 40


@given(values)
def test_any_json_comes_back(value):
    fragment = orjson.dumps(value)
    said = plain(compact(fragment))
    assert said == orjson.loads(fragment)
    # Not only equal, as True and 1 are.
    assert repr(_floats(said)) == repr(_floats(orjson.loads(fragment)))
    assert orjson.loads(as_json(compact(fragment))) == orjson.loads(fragment)


def _floats(value):
    """A value with whole floats as the integers that they are sent as."""
    match value:
        case dict():
            return {key: _floats(item) for key, item in value.items()}
        case list():
            return [_floats(item) for item in value]
        case float() if value.is_integer() and abs(value) < 2**53:
            return value if value == 0 and math.copysign(1, value) < 0 else int(value)
    return value


@few
@given(landmarks(st.floats(-3.2, 3.2)))
def test_landmarks_come_back_within_half_a_step(entries):
    cbor = compact(orjson.dumps(entries))
    assert is_packed(cbor)
    assert len(cbor) < 280
    for said, entry in zip(plain(cbor), entries, strict=True):
        assert (said["index"], said["name"]) == (entry["index"], entry["name"])
        assert list(said) == list(entry)
        for column in COLUMNS:
            assert said[column] == pytest.approx(entry[column], abs=0.5001 * STEP)


@few
@given(landmarks(st.integers(-32768, 32767).map(lambda steps: steps / SCALE)))
def test_four_decimals_come_back_as_they_were(entries):
    cbor = compact(orjson.dumps(entries))
    assert is_packed(cbor)
    assert plain(cbor) == entries


@few
@given(landmarks())
def test_landmarks_that_do_not_fit_come_back_as_they_were(entries):
    cbor = compact(orjson.dumps(entries))
    steps = [round(entry[column] * SCALE) for entry in entries for column in COLUMNS]
    fits = all(-32768 <= step <= 32767 for step in steps)
    assert is_packed(cbor) is fits
    if not fits:
        assert plain(cbor) == entries


@pytest.mark.parametrize(
    "change",
    [
        lambda entries: entries.pop(),
        lambda entries: entries.append(entries[0]),
        lambda entries: entries.reverse(),
        lambda entries: entries[3].update(name="knee"),
        lambda entries: entries[1].update(index=True),
        lambda entries: entries[3].update(presence=0.5),
        lambda entries: entries[3].pop("visibility"),
        lambda entries: entries[3].update(x=None),
        lambda entries: entries[3].update(x=True),
        lambda entries: entries[3].update(x="0.5"),
        lambda entries: entries[3].update(x=3.27675),
        lambda entries: entries[3].update(x=1e308),
        lambda entries: entries.__setitem__(3, None),
        lambda entries: entries.__setitem__(3, [3, "left_eye_outer", 0, 0, 0, 0]),
    ],
)
def test_what_is_nearly_a_list_of_landmarks_comes_back_as_it_was(change):
    entries = [
        {"index": i, "name": name, **dict.fromkeys(COLUMNS, 0.5)}
        for i, name in enumerate(LANDMARK_NAMES)
    ]
    change(entries)
    cbor = compact(orjson.dumps(entries))
    assert not is_packed(cbor)
    assert repr(plain(cbor)) == repr(entries)


@few
@given(landmarks(st.floats(-1, 1)), landmarks(st.floats(-1, 1)))
def test_landmarks_are_packed_wherever_they_stand(first, second):
    value = {"people": [{"id": 1, "landmarks": first}, {"id": 2, "world_landmarks": second}]}
    cbor = compact(orjson.dumps(value))
    assert len(cbor) < 600
    people = plain(cbor)["people"]
    assert [len(people[0]["landmarks"]), len(people[1]["world_landmarks"])] == [33, 33]


def test_the_bytes_are_those_of_the_documents():
    # RFC 8746, sections 3.1.1 and 2.1: d8 28 is tag 40, 82 18 21 04 are [33, 4], d8 4d is tag 77.
    entries = [
        {"index": i, "name": name, "x": 0.5, "y": 1.0, "z": -0.0001, "visibility": 0.9999}
        for i, name in enumerate(LANDMARK_NAMES)
    ]
    row = struct.pack("<4h", 5000, 10000, -1, 9999)
    assert compact(orjson.dumps(entries)) == bytes.fromhex("d8288282182104d84d590108") + row * 33
    # Keys by their place, whole numbers as integers, others as float64.
    assert KEYS.index("reps") == 14
    assert compact(b'{"reps":1.0,"my_key":0.5}') == bytes.fromhex(
        "a20e01666d795f6b6579fb3fe0000000000000"
    )


@few
@given(st.dictionaries(keys, leaves | st.lists(leaves, max_size=3), max_size=30))
def test_compact_values_are_joined_to_one_map(by_key):
    fragments = {key: compact(orjson.dumps(value)) for key, value in by_key.items()}
    whole = joined(fragments)
    assert plain(whole) == orjson.loads(orjson.dumps(by_key))
    assert whole == compact(orjson.dumps(by_key))


@pytest.mark.parametrize("pairs", [0, 23, 24, 255, 256, 300])
def test_a_map_of_any_length_can_be_read(pairs):
    assert len(plain(joined({f"key {n}": compact(b"1") for n in range(pairs)}))) == pairs


def test_what_an_analyzer_passed_on_as_json_and_is_none_becomes_null():
    for fragment in (b"{]", b"", *(b"[" * depth + b"]" * depth for depth in (255, 300, 900))):
        encoded = encode({"passed_on": orjson.Fragment(fragment)}).fragments["passed_on"]
        assert as_json(compact(encoded)) == b"null"
    assert plain(compact(orjson.dumps([[]] * 1000))) == [[]] * 1000, "many, but not deep"


@pytest.mark.parametrize("depth", [1, 100, 254])
def test_what_json_can_nest_can_be_nested(depth):
    fragment = b"[" * depth + b"]" * depth
    assert as_json(compact(fragment)) == fragment


@given(st.binary(max_size=60))
def test_damaged_bytes_are_refused_in_one_way(data):
    try:
        plain(data)
    except ValueError:
        return


@few
@given(landmarks(st.floats(-1, 1)), st.data())
def test_what_is_cut_off_is_refused(entries, data):
    cbor = compact(orjson.dumps({"landmarks": entries}))
    with pytest.raises(ValueError, match="no compact form"):
        plain(cbor[: data.draw(st.integers(0, len(cbor) - 1))])


def test_the_layout_tells_all_that_a_reader_needs():
    assert len(set(KEYS)) == len(KEYS)
    assert set(KEYS) >= RESERVED_KEYS - {"type"}
    assert json.loads(json.dumps(LAYOUT)) == LAYOUT
    assert LAYOUT["landmarks"]["columns"] == ["x", "y", "z", "visibility"]
    # What stands in each result takes one byte.
    assert {"landmarks", "world_landmarks", "frame", "timing", "reps"} <= set(KEYS[:24])
