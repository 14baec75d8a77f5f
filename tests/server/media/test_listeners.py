"""Pictures reach all who want them, whatever one of them does."""

import av
import pytest

from server.media.capture import Capture, Listeners


@pytest.fixture
def captures():
    return [Capture(av.VideoFrame(16, 16, "yuv420p"), float(number)) for number in range(3)]


def test_all_get_each_in_the_order_they_came(captures):
    listeners = Listeners()
    got = []
    listeners.append(lambda capture: got.append(("first", capture)))
    listeners.append(lambda capture: got.append(("second", capture)))
    for capture in captures:
        listeners.give(capture)
    assert got == [(who, capture) for capture in captures for who in ("first", "second")]


def test_who_has_left_gets_no_more(captures):
    listeners = Listeners()
    stays, leaves = [], []
    listeners += [stays.append, leaves.append]
    listeners.give(captures[0])
    listeners.remove(leaves.append)
    listeners.give(captures[1])
    assert (stays, leaves) == (captures[:2], captures[:1])


def test_what_one_raises_harms_no_other(captures, caplog):
    listeners = Listeners()
    got = []

    def broken(capture):
        raise RuntimeError("a listener's bug")

    listeners.append(broken)
    listeners.append(got.append)
    listeners.give(captures[0])
    assert got == captures[:1]
    (record,) = caplog.records
    assert str(record.exc_info[1]) == "a listener's bug"


def test_one_may_leave_while_it_is_given_a_picture(captures):
    """No other is passed over for that."""
    listeners = Listeners()
    got = []

    def once(capture):
        listeners.remove(once)
        got.append("once")

    listeners.append(once)
    listeners.append(lambda capture: got.append("always"))
    listeners.give(captures[0])
    listeners.give(captures[1])
    assert got == ["once", "always", "always"]
