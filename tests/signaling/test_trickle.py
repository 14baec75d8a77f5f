"""SDP fragments with candidates."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signaling.errors import BadMessage
from signaling.trickle import MAX_FRAGMENT_CHARS, Fragment, parse_fragment

LINE = "1 1 udp 2130706431 192.0.2.1 50000 typ host"


def test_candidates_belong_to_the_section_above_them():
    text = (
        "a=ice-ufrag:EsAw\r\na=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\r\n"
        f"m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:0\r\na=candidate:{LINE}\r\n"
        "a=end-of-candidates\r\n"
    )
    assert parse_fragment(text) == Fragment("EsAw", ((LINE, "0"),))


def test_none_at_all():
    assert parse_fragment("") == Fragment(None, ())


@pytest.mark.parametrize("line", ["", "1 1 udp", LINE.replace("50000", "99999")])
def test_malformed_candidates(line):
    with pytest.raises(BadMessage, match="malformed"):
        parse_fragment(f"a=candidate:{line}")


def test_too_long():
    with pytest.raises(BadMessage, match="longer"):
        parse_fragment("a" * (MAX_FRAGMENT_CHARS + 1))


@given(st.text(max_size=300))
def test_anything_else_is_passed_over_or_refused(text):
    with contextlib.suppress(BadMessage):
        parse_fragment("a=candidate:" + text)
