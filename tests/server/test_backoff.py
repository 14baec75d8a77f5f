"""Pauses between tries."""

import random

from server.backoff import LONGEST_S, Backoff


def test_pauses_double_up_to_a_limit_and_begin_anew():
    backoff = Backoff(0.5)
    assert [backoff.pause_s() for _ in range(9)] == [0.5, 1, 2, 4, 8, 16, 30, 30, 30]
    backoff.reset()
    assert [backoff.pause_s() for _ in range(2)] == [0.5, 1]


def test_each_has_its_own_limit():
    backoff = Backoff(0.02, 0.05)
    assert [backoff.pause_s() for _ in range(4)] == [0.02, 0.04, 0.05, 0.05]


def test_with_jitter_each_is_anything_up_to_that():
    asked = []

    def between(least, most):
        asked.append((least, most))
        return most / 4

    backoff = Backoff(0.5, between=between)
    assert [backoff.pause_s() for _ in range(4)] == [0.125, 0.25, 0.5, 1]
    assert asked == [(0.0, 0.5), (0.0, 1.0), (0.0, 2.0), (0.0, 4.0)], "they grow by the limit"


def test_real_pauses_differ_and_keep_within_bounds():
    backoffs = [Backoff(0.5, between=random.uniform) for _ in range(50)]
    for _ in range(10):
        pauses = [backoff.pause_s() for backoff in backoffs]
    assert len(set(pauses)) == 50
    assert 0 <= min(pauses) < LONGEST_S / 2 < max(pauses) <= LONGEST_S
