"""Frames a second of one session, however unevenly they come."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.security.token_bucket import TokenBucket


def taken(rate, times_s):
    return sum(rate.allow(t) for t in times_s)


def steady(per_s, seconds, start_s=100.0):
    return [start_s + n / per_s for n in range(int(per_s * seconds))]


@pytest.mark.parametrize("per_s", [10, 25, 29.97, 30])
def test_a_camera_within_the_limit_loses_nothing(per_s):
    rate = TokenBucket(30.0)
    times_s = steady(per_s, 60)
    assert taken(rate, times_s) == len(times_s)
    assert rate.refused == 0


def test_frames_that_come_in_bunches_are_not_lost():
    """A network that holds up five frames and lets them go together."""
    rate = TokenBucket(30.0)
    bunches = [100.0 + second / 6 + n / 10_000 for second in range(300) for n in range(5)]
    assert taken(rate, bunches) == len(bunches)


@pytest.mark.parametrize("per_s", [45, 60, 120, 1000])
def test_a_faster_one_is_brought_down_to_the_limit(per_s):
    rate = TokenBucket(30.0)
    times_s = steady(per_s, 20)
    count = taken(rate, times_s)
    assert count == pytest.approx(600, abs=8)
    assert rate.refused == len(times_s) - count


def test_what_is_taken_of_a_faster_one_is_spread_evenly():
    rate = TokenBucket(30.0)
    kept = [t for t in steady(60, 10) if rate.allow(t)][20:]
    gaps = [b - a for a, b in itertools.pairwise(kept)]
    assert max(gaps) < 2.1 / 30


@given(st.lists(st.floats(0, 0.2), min_size=1, max_size=300), st.floats(1, 60))
def test_never_more_than_the_limit_and_one_bunch(gaps, per_s):
    rate, now_s = TokenBucket(per_s), 0.0
    count = 0
    for gap in gaps:
        now_s += gap
        count += rate.allow(now_s)
    assert count <= now_s * per_s + max(0.2 * per_s, 1.0) + 1e-6
    assert count >= 1


def test_zero_takes_all():
    rate = TokenBucket(0)
    assert taken(rate, [1.0] * 1000) == 1000


def test_less_than_one_a_second():
    assert taken(TokenBucket(0.5), steady(10, 20)) == 10


def test_a_patient_one_takes_what_was_held_up_for_longer():
    held_up = [100.0 + n / 30 for n in range(30)] + [104.0 + n / 1000 for n in range(90)]
    assert taken(TokenBucket(30.0, 4.0), held_up) == len(held_up)
    assert taken(TokenBucket(30.0), held_up) < len(held_up) - 50
