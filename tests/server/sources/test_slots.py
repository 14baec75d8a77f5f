"""A video is thinned evenly, whatever order its frames come in."""

import itertools
import random

import pytest

from server.sources.slots import Slots


def taken(per_s, step_s, times_s):
    slots = Slots(per_s, step_s)
    return [at for at, time_s in enumerate(times_s) if slots.take(time_s)]


@pytest.mark.parametrize(("fps", "per_s", "every"), [(30, 10, 3), (30, 2, 15), (25, 5, 5)])
@pytest.mark.parametrize("first_s", [0.0, 25.3])
def test_every_so_many_th(fps, per_s, every, first_s):
    times_s = [first_s + n / fps for n in range(10 * fps)]
    assert taken(per_s, 1 / fps, times_s) == list(range(0, 10 * fps, every))


@pytest.mark.parametrize(("fps", "per_s"), [(30, 30), (25, 30), (29.97, 30), (10, 30)])
def test_a_video_with_no_more_is_all_taken(fps, per_s):
    # Matroska has milliseconds.
    times_s = [round(n / fps, 3) for n in range(300)]
    assert taken(per_s, 1 / fps, times_s) == list(range(300))


def test_a_rate_that_does_not_divide():
    times_s = [n / 25 for n in range(250)]
    numbers = taken(10, 1 / 25, times_s)
    assert len(numbers) == pytest.approx(100, abs=1)
    assert {b - a for a, b in itertools.pairwise(numbers)} == {2, 3}


def test_the_order_does_not_matter():
    times_s = [n / 30 for n in range(1, 300)]
    random.Random(1).shuffle(times_s)
    slots = Slots(10, 1 / 30)
    assert slots.take(0.0)
    wanted = sorted(time_s for time_s in times_s if slots.take(time_s))
    assert wanted == pytest.approx([n / 10 for n in range(1, 100)])
