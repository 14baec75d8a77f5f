"""What is shown is learned and counted, whatever the camera."""

import json

import numpy as np
import pytest

from analyzers.exercise.demonstration import FreeCounter, Learner
from client_test.athlete import floor, standing
from tests.analyzers.exercise.movements import FAULTY, GOOD
from tests.analyzers.exercise.recordings import Recording, of_exercise

from .showing import counted, learned, moments

SHOWN = {
    "squat": of_exercise(standing.SQUAT, 25.0, 4),
    "curl": of_exercise(standing.BICEP_CURL, -35.0, 4),
    "push_up": of_exercise(floor.PUSH_UP, 75.0, 4, on_floor=True),
}
ALTERED = {
    "mirrored": lambda shown: shown.mirrored(),
    "small and aside": lambda shown: shown.scaled(0.4, 0.2, 0.1),
    "slower": lambda shown: shown.slower(2.2),
    "10 frames a second": lambda shown: shown.sampled(10.0),
    "60 frames a second": lambda shown: shown.sampled(60.0),
    "trembling": lambda shown: shown.trembling(0.01, 3),
    "a third of the frames lost": lambda shown: shown.without(
        np.flatnonzero(np.random.default_rng(5).random(len(shown.times_s)) < 0.33)
    ),
}


@pytest.mark.parametrize("name", sorted(SHOWN))
def test_the_same_landmarks_give_the_same_bytes(name):
    first, second = (json.dumps(learned(SHOWN[name]).as_json()) for _ in range(2))
    assert first == second
    assert len(first) < 4000


@pytest.mark.parametrize("way", sorted(ALTERED))
@pytest.mark.parametrize("name", sorted(SHOWN))
def test_it_is_learned_and_counted_whatever_the_camera(name, way):
    shown = ALTERED[way](SHOWN[name])
    said = counted(shown, learned(shown))
    assert len(said.repetitions) == 4
    assert max(said.told_late_s) <= 0.5
    assert min(each.score for each in said.repetitions) >= 85.0


@pytest.mark.parametrize("way", ["mirrored", "small and aside", "10 frames a second", "slower"])
def test_what_was_learned_here_is_counted_there(way):
    exercise = learned(SHOWN["squat"])
    assert len(counted(ALTERED[way](SHOWN["squat"]), exercise).repetitions) == 4


def test_exercises_are_told_apart_and_from_others():
    squat, curl = learned(SHOWN["squat"], name="my_squat"), learned(SHOWN["curl"], name="my_curl")
    assert counted(SHOWN["squat"], squat, curl).names == ["my_squat"] * 4
    assert counted(SHOWN["curl"], squat, curl).names == ["my_curl"] * 4
    assert counted(SHOWN["push_up"], squat, curl).names == []


@pytest.mark.parametrize(
    "exercise", [standing.OVERHEAD_PRESS, standing.SHALLOW_SQUAT, standing.KNEES_IN_SQUAT]
)
def test_other_exercises_are_not_what_was_shown(exercise):
    # Arms go up in all of them, or hips come down, as shown; the rest of the body does not.
    shown = learned(of_exercise(exercise, 25.0, 4))
    for other in (standing.JUMPING_JACK, standing.LUNGE, standing.BICEP_CURL):
        assert counted(of_exercise(other, 25.0, 4), shown).names == []


def test_who_turns_around_goes_on_with_their_set():
    # From another side alone it is not sure enough to be the same.
    shown, turned = (of_exercise(floor.PUSH_UP, yaw, 4, on_floor=True) for yaw in (75.0, 120.0))
    both = Recording(
        np.concatenate((shown.times_s, shown.times_s[-1] + 0.05 + turned.times_s)),
        np.concatenate((shown.landmarks, turned.landmarks)),
        np.concatenate((shown.world, turned.world)),
        shown.aspect,
    )
    exercise = learned(shown)
    assert len(counted(turned, exercise).repetitions) == 0
    assert len(counted(both, exercise).repetitions) == 8


def test_what_differs_from_what_was_shown_is_named():
    good = of_exercise(GOOD["bicep_curl"], 60.0, 3)
    weak = of_exercise(FAULTY["curl_weak_peak"], 60.0, 3)
    exercise = learned(good)
    assert counted(good, exercise).differences == set()
    said = counted(weak, exercise)
    assert len(said.repetitions) == 3
    for repetition in said.repetitions:
        told = {each.code: each for each in repetition.differences}
        assert told["shown_bends_less"].joint.endswith("elbow")
        assert told["shown_bends_less"].degrees >= 15
        assert "elbow bends" in told["shown_bends_less"].text
        assert repetition.score < 85.0


def test_who_is_quicker_than_shown_hears_of_it():
    exercise = learned(SHOWN["squat"])
    said = counted(SHOWN["squat"].slower(0.5), exercise)
    assert len(said.repetitions) == 4
    assert said.differences == {"shown_faster"}


def test_two_repetitions_are_not_three():
    two = of_exercise(standing.SQUAT, 25.0, 2)
    learner = Learner(3)
    assert all(learner.feed(time_s, moment) is None for time_s, moment in moments(two))
    assert learner.finish() is None
    assert learner.seen == 2
    learner.begin_anew()
    assert learner.seen == 0


@pytest.mark.parametrize("name", sorted(SHOWN))
def test_what_is_repeated_is_counted_without_knowing_it(name):
    free = FreeCounter()
    new = [free.take(time_s, moment) for time_s, moment in moments(SHOWN[name])]
    assert free.phase in ("rest", "up", "down")
    assert sum(new) + free.finish() == free.repetitions == 4


def test_who_stands_still_repeats_nothing():
    still = SHOWN["squat"].at(np.zeros(300))
    still = type(still)(np.arange(300) / 30.0, still.landmarks, still.world, still.aspect)
    free = FreeCounter()
    for time_s, moment in moments(still.trembling(0.01, 1)):
        free.take(time_s, moment)
    assert free.finish() == free.repetitions == 0
