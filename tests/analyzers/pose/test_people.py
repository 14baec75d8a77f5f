"""The same person keeps the same number: where they go and what they wear is made up here."""

import numpy as np
import pytest

from analyzers.pose.engine import Person
from analyzers.pose.people import Identities, moves

WIDTH, HEIGHT = 640, 480
FRAME_MS = 33
BODY = np.random.default_rng(2).uniform((0, 0), (0.1, 0.4), (33, 2))

# Torso and thighs of a body lie within its box, wherever its joints are.
RED, GREEN, BLUE = (200, 30, 30), (30, 160, 40), (40, 60, 200)


class Someone:
    """Someone in clothes of one colour at x, y of the frame."""

    def __init__(self, x, clothes=GREEN, y=0.3):
        self.clothes, self.low = clothes, np.array((x, y))
        self.landmarks = np.ones((33, 4))
        self.landmarks[:, :2] = BODY + self.low

    def draw(self, rgb):
        (x0, y0), (x1, y1) = (
            (self.low + corner) * (WIDTH, HEIGHT) for corner in ((0, 0), (0.1, 0.4))
        )
        rgb[max(int(y0), 0) : int(y1) + 1, max(int(x0), 0) : int(x1) + 1] = self.clothes


def show(identities, time_ms, *people, hidden=()):
    """The numbers of people in a frame; who comes later stands before the others."""
    rgb = np.full((HEIGHT, WIDTH, 3), 128, np.uint8)
    for person in people:
        person.draw(rgb)
    return identities.assign(
        rgb, [Person(p.landmarks, p.landmarks) for p in people if p not in hidden], time_ms
    )


def test_numbers_follow_people_not_positions_in_the_list():
    identities = Identities()
    assert show(identities, 0, Someone(0.2), Someone(0.6)) == [1, 2]
    assert show(identities, 33, Someone(0.62), Someone(0.22)) == [2, 1]


def test_people_who_walk_through_the_picture_keep_their_numbers():
    identities = Identities()
    for step in range(40):
        left, right = Someone(0.1 + 0.008 * step), Someone(0.8 - 0.002 * step)
        assert show(identities, step * FRAME_MS, left, right) == [1, 2]


def test_the_likeliest_pair_is_matched_first():
    identities = Identities()
    show(identities, 0, Someone(0.2), Someone(0.3))
    # Both are nearest to number 2; the one that is nearer gets it.
    assert show(identities, 33, Someone(0.26), Someone(0.3)) == [1, 2]


@pytest.mark.parametrize("clothes", [(RED, BLUE), (GREEN, GREEN)])
@pytest.mark.parametrize("step_ms", [20, 33, 66, 125])
def test_two_who_cross_keep_their_numbers(clothes, step_ms):
    """By their clothes or, alike, by their way; the one behind is not seen meanwhile."""
    identities = Identities()
    for time_ms in range(0, 2000, step_ms):
        behind = Someone(0.1 + 0.35 * time_ms / 1000, clothes[0])
        before = Someone(0.8 - 0.35 * time_ms / 1000, clothes[1])
        is_covered = abs(behind.low[0] - before.low[0]) < 0.05
        hidden = [behind] if is_covered else []
        expected = [2] if is_covered else [1, 2]
        assert show(identities, time_ms, behind, before, hidden=hidden) == expected


def test_when_the_one_in_front_is_seen_where_the_other_was_clothes_decide():
    identities = Identities()
    for step in range(10):
        show(identities, step * FRAME_MS, Someone(0.40, RED), Someone(0.46, BLUE))
    # One is lost; the other has moved half-way between both.
    assert show(identities, 10 * FRAME_MS, Someone(0.43, BLUE)) == [2]
    again = Identities()
    for step in range(10):
        show(again, step * FRAME_MS, Someone(0.40, RED), Someone(0.46, BLUE))
    assert show(again, 10 * FRAME_MS, Someone(0.43, RED)) == [1]


def test_who_comes_out_from_behind_somebody_is_known_though_landmarks_went_over_bit_by_bit():
    identities = Identities()
    numbers = []
    for step in range(90):
        # One walks slowly past the other, in front; while they meet, one set of landmarks is left.
        behind, before = Someone(0.4, GREEN), Someone(0.3 + 0.0025 * step, RED)
        meeting = 0.37 < before.low[0] < 0.46
        hidden = [before] if meeting else []
        numbers.append(show(identities, step * FRAME_MS, behind, before, hidden=hidden))
    assert numbers[0] == numbers[-1] == [1, 2]


def test_someone_new_gets_a_new_number():
    identities = Identities()
    assert show(identities, 0, Someone(0.1)) == [1]
    assert show(identities, 33, Someone(0.8), Someone(0.1)) == [2, 1]
    assert show(identities, 66) == []


def away(identities, until_ms, begin_ms=400):
    for time_ms in range(0, begin_ms, FRAME_MS):
        assert show(identities, time_ms, Someone(0.8, RED)) == [1]
    for time_ms in range(begin_ms, until_ms, FRAME_MS):
        assert show(identities, time_ms) == []


@pytest.mark.parametrize(
    ("away_ms", "x", "number"), [(300, 0.7, 1), (2900, 0.6, 1), (3200, 0.8, 2)]
)
def test_someone_who_comes_back_within_three_seconds_keeps_their_number(away_ms, x, number):
    identities = Identities()
    away(identities, 400 + away_ms)
    assert show(identities, 400 + away_ms, Someone(x, RED)) == [number]


@pytest.mark.parametrize("somebody_else", [Someone(0.05, BLUE), Someone(0.75, BLUE)])
def test_somebody_else_who_comes_meanwhile_is_new(somebody_else):
    identities = Identities()
    away(identities, 1400)
    assert show(identities, 1400, somebody_else) == [2]
    # And the one who was there first is still known.
    assert show(identities, 1433, somebody_else, Someone(0.8, RED)) == [2, 1]


def test_nobody_jumps_across_the_picture_at_once():
    identities = Identities()
    away(identities, 433)
    assert show(identities, 466, Someone(0.1, RED)) == [2]


def test_who_changes_their_clothes_in_sight_is_the_same():
    identities = Identities()
    for step in range(10):
        assert show(identities, step * FRAME_MS, Someone(0.4, RED)) == [1]
    assert show(identities, 10 * FRAME_MS, Someone(0.41, BLUE)) == [1]


@pytest.mark.parametrize("times_ms", [(0, 5000, 90_000), (60_000, 60_033, 0, 33), (0, 1001, 2002)])
def test_time_without_frames_makes_nobody_forgotten(times_ms):
    identities = Identities()
    assert [show(identities, time_ms, Someone(0.4)) for time_ms in times_ms] == [[1]] * len(
        times_ms
    )


def test_how_far_people_are_from_where_they_were():
    body = np.stack([np.linspace(0, 0.3, 33), np.linspace(0, 0.4, 33)], axis=1)
    # Half a diagonal of 0.5 aside; and twice as large, which counts for the move.
    got = moves([body], [np.add(body, (0.15, 0.2)), body, 2 * body])
    assert got == pytest.approx(np.array([[0.5, 0, 0.25]]))
