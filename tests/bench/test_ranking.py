"""Ranks and thresholds that are known by hand."""

import numpy as np
import pytest

from bench.parts.people import accepting_threshold, equal_error_threshold, rank


def test_ranking_by_hand():
    # Two queries of 1 and 2; the second one's nearest is somebody else.
    gallery = np.array([(1.0, 0), (0.6, 0.8), (0, 1.0)])
    queries = np.array([(1.0, 0), (0.8, 0.6)])
    rank1, average = rank(queries, gallery, np.array([1, 2]), np.array([1, 1, 2]))
    # The first: right at places 1 and 2. The second: at place 3.
    assert rank1 == 0.5
    assert average == pytest.approx((1.0 + 1 / 3) / 2)


def test_the_threshold_is_where_both_errors_are_alike():
    same, different = np.array([0.1, 0.2, 0.3, 0.6]), np.array([0.4, 0.7, 0.8, 0.9])
    # At 0.4 one of four is refused, and one of four accepted.
    assert equal_error_threshold(same, different) == pytest.approx(0.4)


def test_the_threshold_that_lets_in_a_share_of_strangers():
    strangers = np.linspace(0.5, 1.5, 101)
    threshold = accepting_threshold(strangers, 0.02)
    assert np.mean(strangers <= threshold + 1e-9) == pytest.approx(0.02, abs=0.011)
    assert threshold == pytest.approx(0.52)
