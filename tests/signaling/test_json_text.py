"""What is read of strangers' JSON, and what is refused without being read."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from signaling.errors import BadMessage, TooLarge
from signaling.json_text import MAX_VALUES, check_json, parse_json

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(JSON)
def test_json_is_read_as_it_is(value):
    assert parse_json(orjson.dumps(value)) == parse_json(orjson.dumps(value).decode()) == value


@pytest.mark.parametrize("text", ["", "{", "[1,]", "NaN", b"\xff", "[" * 1000])
def test_what_is_no_json(text):
    with pytest.raises(BadMessage, match="not JSON"):
        parse_json(text)


def test_as_many_values_as_are_read_and_one_more():
    numbers = list(range(10**6, 10**6 + MAX_VALUES))
    assert parse_json(orjson.dumps(numbers)) == numbers
    with pytest.raises(TooLarge, match=f"at most {MAX_VALUES}"):
        parse_json(orjson.dumps([*numbers, 1]))


@pytest.mark.parametrize("unit", ["[", "[],", "{},", "1,", '{"a":', '"",'])
def test_megabytes_of_structure_are_not_read(unit):
    with pytest.raises(TooLarge):
        check_json("[" + unit * (8_000_000 // len(unit)))


def test_a_picture_of_eight_megabytes_is_one_value():
    text = orjson.dumps({"image": "A" * 8_000_000})
    assert len(parse_json(text)["image"]) == 8_000_000
