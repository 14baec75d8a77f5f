"""Landmarks are smoothed as the formulas of the paper say."""

import math

import numpy as np
import pytest

from analyzers.pose.on_openvino.filters import OneEuroFilter, PersonSmoother

# So many frames a second that 2 pi * 1 Hz / frequency is 1: a low pass of 1 Hz takes half of what
# is new, one of c Hz a share of c / (c + 1).
PERIOD_S = 1 / (2 * math.pi)


def smoothed(values, times_s, *, min_cutoff_hz=1.0, beta=0.0, scale=1.0):
    smooth = OneEuroFilter(min_cutoff_hz, beta)
    return [
        smooth(np.array([value], float), time_s, scale).item()
        for value, time_s in zip(values, times_s, strict=True)
    ]


def steady(count, start_s=0.0):
    return [start_s + PERIOD_S * number for number in range(count)]


@pytest.mark.parametrize("start_s", [0.0, 1e6])
def test_the_first_value_passes_and_a_constant_stays(start_s):
    assert smoothed([7] * 4, steady(4, start_s), beta=80) == pytest.approx([7] * 4)


@pytest.mark.parametrize(
    ("cutoff_hz", "expected"),
    [
        # Half, and half of the rest.
        (1.0, [0, 4, 6, 3]),
        # Shares of 3/4 and 1/4.
        (3.0, [0, 6, 7.5, 1.875]),
        (1 / 3, [0, 2, 3.5, 2.625]),
    ],
)
def test_without_beta_it_is_a_low_pass(cutoff_hz, expected):
    assert smoothed([0, 8, 8, 0], steady(4), min_cutoff_hz=cutoff_hz) == pytest.approx(expected)


def test_the_cutoff_rises_with_the_speed():
    # By hand, with beta = 2 / pi, so that a speed of pi adds 2 Hz:
    # 0 -> 1: the difference is 2 pi a second, the speed half of it, pi; 3 Hz, a share of 3/4.
    # 1 -> 1: the speed is pi / 2; 2 Hz, a share of 2/3: 2/3 + 3/4 / 3 = 11/12.
    # 1 -> 0: (pi / 2 - 2 pi) / 2 = -3/4 pi; 2.5 Hz, 5/7: 11/12 * 2/7 = 11/42.
    expected = [0, 3 / 4, 11 / 12, 11 / 42]
    assert smoothed([0, 1, 1, 0], steady(4), beta=2 / math.pi) == pytest.approx(expected)


def test_times_may_be_irregular():
    # As above, but the third frame comes after twice the time, where c Hz is a share of
    # c / (c + 1/2): the speed is pi / 3; 5/3 Hz, 10/13: 10/13 + 3/4 * 3/13 = 49/52.
    times_s = [5.0, 5 + PERIOD_S, 5 + 3 * PERIOD_S]
    expected = [0, 3 / 4, 49 / 52]
    assert smoothed([0, 1, 1], times_s, beta=2 / math.pi) == pytest.approx(expected)


def test_what_is_larger_and_scaled_down_is_smoothed_alike():
    values = np.random.default_rng(3).uniform(0, 100, 20)
    near = smoothed(2 * values, steady(20), beta=0.02, scale=0.5)
    assert near == pytest.approx(2 * np.array(smoothed(values, steady(20), beta=0.02)))
    assert smoothed([0, 2], steady(2), beta=2 / math.pi, scale=0.5) == pytest.approx([0, 1.5])
    # Without the scale the speed is 2 pi; 5 Hz, a share of 5/6.
    assert smoothed([0, 2], steady(2), beta=2 / math.pi) == pytest.approx([0, 2 * 5 / 6])


def test_values_of_any_shape_are_smoothed_each_by_itself():
    smooth = OneEuroFilter(1.0, 2 / math.pi)
    smooth(np.zeros((2, 3)), 0.0)
    values = np.array([[0.0, 1.0, 0.0], [0.0, 0.0, -1.0]])
    assert smooth(values, PERIOD_S) == pytest.approx(values * 3 / 4)


def landmarks(xyz=0.0, visibility=0.0):
    return np.column_stack([np.full((33, 3), float(xyz)), np.full(33, float(visibility))])


def world(xyz=0.0):
    return np.full((33, 3), float(xyz))


def test_a_person_who_is_new_is_not_smoothed():
    positions, metres = PersonSmoother()(landmarks(5, 0.7), world(0.3), 12.5, 100.0)
    assert np.array_equal(positions, landmarks(5, 0.7))
    assert np.array_equal(metres, world(0.3))


def test_visibility_follows_by_a_tenth():
    smooth = PersonSmoother()
    seen = [
        smooth(landmarks(visibility=value), world(), number / 30, 100.0)[0]
        for number, value in enumerate((0, 1, 1, 0))
    ]
    # 0.1, then 0.1 + 0.9 * 0.1, then 0.9 * 0.19.
    assert [one[:, 3].tolist() for one in seen] == [
        pytest.approx([value] * 33) for value in (0, 0.1, 0.19, 0.171)
    ]
    assert all((one[:, :3] == 0).all() for one in seen)


def test_a_step_is_followed_as_mediapipe_does():
    # At 30 frames a second a step of a hundredth of the person's size is 0.3 a second. The low
    # pass of 1 Hz takes 1 / (1 + 30 / 2 pi) = 0.17317 of it: 0.05195.
    # Pixels: 0.05 + 80 * 0.05195 = 4.2061 Hz, a share of 0.46835.
    # Metres, a step of 0.01: 0.1 + 40 * 0.05195 = 2.1780 Hz, a share of 0.31327.
    smooth = PersonSmoother()
    smooth(landmarks(), world(), 2.0, 300.0)
    positions, metres = smooth(landmarks(3), world(0.01), 2 + 1 / 30, 300.0)
    assert positions[:, :3] == pytest.approx(3 * 0.46835, abs=1e-4)
    assert metres == pytest.approx(0.01 * 0.31327, abs=1e-6)


def wandering(seed):
    """Return a person's landmarks and world landmarks in ten frames."""
    values = np.random.default_rng(seed).uniform(0, 1, (10, 33, 7))
    return [(frame[:, :4] * (100, 100, 100, 1), frame[:, 4:]) for frame in values]


def test_the_size_of_a_person_does_not_matter():
    far, near = PersonSmoother(), PersonSmoother()
    for number, (points, metres) in enumerate(wandering(1)):
        expected, expected_metres = far(points, metres, number / 30, 120.0)
        got, got_metres = near(points * (2, 2, 2, 1), metres, number / 30, 240.0)
        assert got == pytest.approx(expected * (2, 2, 2, 1))
        assert got_metres == pytest.approx(expected_metres)
        assert (got.shape, got_metres.shape) == ((33, 4), (33, 3))


def test_people_and_landmarks_are_smoothed_each_by_themselves():
    alone, beside, other = PersonSmoother(), PersonSmoother(), PersonSmoother()
    for number, (one, two) in enumerate(zip(wandering(1), wandering(2), strict=True)):
        expected, expected_metres = alone(*one, number / 30, 120.0)
        # Another person, and other values in all landmarks but the first twenty.
        other(*two, number / 30, 80.0)
        points = np.concatenate([one[0][:20], two[0][20:]])
        metres = np.concatenate([one[1][:20], two[1][20:]])
        got, got_metres = beside(points, metres, number / 30, 120.0)
        assert np.array_equal(got[:20], expected[:20])
        assert np.array_equal(got_metres[:20], expected_metres[:20])
        assert number == 0 or not np.array_equal(got[20:], expected[20:])
