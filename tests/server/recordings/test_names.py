"""Names are files of one directory, and can be nothing else."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.recordings.names import MAX_CHARS, SUFFIX, default_name, numbered, parse_name


@pytest.mark.parametrize("text", ["a", "yard-2025.1_x", "-", "A" * MAX_CHARS, "a.mp4.x"])
def test_a_name(text):
    assert parse_name(text) == text


def test_with_or_without_the_suffix_it_is_the_same():
    assert parse_name("yard.mp4") == parse_name("yard") == "yard"


@pytest.mark.parametrize(
    "text",
    ["", ".", "..", ".a", ".mp4", "a/b", "../a", "a\\b", "a\0", "a b", "ä", "a\n", "A" * 129],
)
def test_no_name(text):
    assert parse_name(text) is None


def test_a_name_with_the_suffix_is_none_as_it_would_be_taken_for_another():
    assert parse_name("yard.mp4.mp4") is None


@given(st.text(max_size=150))
def test_whatever_it_is_it_stays_in_the_directory(tmp_path_factory, text):
    folder = tmp_path_factory.getbasetemp()
    name = parse_name(text)
    if name is not None:
        path = folder / f"{name}{SUFFIX}"
        assert path.resolve().parent == folder
        assert not path.name.startswith(".")


@given(
    st.from_regex(r"[A-Za-z0-9_.-]{1,128}(/annotated)?", fullmatch=True), st.integers(1, 100_000)
)
def test_what_nobody_has_named_has_a_name(source, number):
    name = numbered(default_name(source, datetime(2025, 1, 31, 23, 59, 59, tzinfo=UTC)), number)
    assert parse_name(name) == name
    assert parse_name(name + SUFFIX) == name


def test_it_says_what_and_when():
    now = datetime(2025, 1, 31, 23, 59, 59, tzinfo=UTC)
    assert default_name("yard/annotated", now) == "yard-annotated-20250131T235959Z"
    assert numbered("yard", 1) == "yard"
    assert numbered("yard", 2) == "yard-2"
