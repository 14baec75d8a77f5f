"""Whom exercise follows among several: re-identification's, the one asked for, or the largest."""

import numpy as np
import pytest

from analyzers.exercise import Exercise
from analyzers.exercise.person import ChosenPerson

from .recordings import both_lists, of_catalogue

FRAME = np.zeros((480, 640, 3), np.uint8)
STEP_S = 1 / 30
ATHLETE, TRAINER = 1, 2


def someone(identity, area):
    return {"id": identity, "box": [0.5 - area / 2, 0.0, 0.5 + area / 2, 1.0]}


def followed_over(frames, wanted=None):
    """Return the ids scored, frame by frame; a frame is {id: area} and who is named."""
    chosen = ChosenPerson(wanted)
    scored = []
    for number, (areas, named) in enumerate(frames):
        people = [someone(identity, area) for identity, area in areas.items()]
        person = chosen.choose(people, number * STEP_S, named)
        scored.append(None if person is None else person["id"])
    return scored


def history(scored):
    return [who for number, who in enumerate(scored) if number == 0 or who != scored[number - 1]]


def seconds(count, areas, named=None):
    return [(areas, named)] * round(count / STEP_S)


BOTH, TRAINER_NEAR = {ATHLETE: 0.3, TRAINER: 0.1}, {ATHLETE: 0.3, TRAINER: 0.9}
ONLY_TRAINER, NOBODY = {TRAINER: 0.4}, {}


def test_the_largest_is_followed_and_who_becomes_larger_is_not():
    frames = seconds(1, BOTH) + seconds(5, TRAINER_NEAR) + seconds(1, BOTH)
    assert history(followed_over(frames)) == [ATHLETE]


def test_who_is_hidden_for_up_to_three_seconds_stays_the_one():
    frames = seconds(1, BOTH) + seconds(2.9, ONLY_TRAINER) + seconds(1, BOTH)
    assert history(followed_over(frames)) == [ATHLETE, None, ATHLETE]


def test_after_three_seconds_the_largest_that_is_left_is_taken_for_good():
    frames = seconds(1, BOTH) + seconds(4, ONLY_TRAINER) + seconds(1, BOTH)
    scored = followed_over(frames)
    assert history(scored) == [ATHLETE, None, TRAINER]
    assert 3.0 <= scored.count(None) * STEP_S <= 3.1


def test_somebody_found_a_little_later_may_be_the_largest():
    """A network finds people one after the other, and a passer-by in the background first."""
    frames = [({TRAINER: 0.05}, None)] * 5 + seconds(2, {TRAINER: 0.05, ATHLETE: 0.4})
    assert history(followed_over(frames)) == [TRAINER, ATHLETE]


def test_who_was_asked_for_is_followed_and_nobody_else():
    frames = seconds(1, BOTH) + seconds(5, {ATHLETE: 0.3}) + seconds(1, BOTH)
    assert history(followed_over(frames, wanted=TRAINER)) == [TRAINER, None, TRAINER]


def test_whom_re_identification_names_goes_before_who_was_asked_for_and_the_largest():
    frames = seconds(1, TRAINER_NEAR, [ATHLETE])
    assert history(followed_over(frames, wanted=TRAINER)) == [ATHLETE]


def test_with_a_reference_nobody_is_scored_before_it_was_seen():
    frames = seconds(1, ONLY_TRAINER, []) + seconds(1, TRAINER_NEAR, [ATHLETE])
    assert history(followed_over(frames)) == [None, ATHLETE]


def test_the_reference_is_followed_while_re_identification_does_not_see_it():
    """It knows few people who lie on the floor; pose's number holds on to them."""
    frames = seconds(1, BOTH, [ATHLETE]) + seconds(20, TRAINER_NEAR, [])
    assert history(followed_over(frames)) == [ATHLETE]


def test_the_reference_is_not_given_up_for_who_is_left():
    frames = seconds(1, BOTH, [ATHLETE]) + seconds(10, ONLY_TRAINER, [])
    assert history(followed_over(frames)) == [ATHLETE, None]


def test_the_reference_comes_back_with_another_number_and_is_followed_at_once():
    back = {TRAINER: 0.4, 7: 0.2}
    frames = seconds(1, BOTH, [ATHLETE]) + seconds(4, ONLY_TRAINER, []) + [(back, [7])]
    assert history(followed_over(frames)) == [ATHLETE, None, 7]


def test_one_wrong_look_changes_nothing_and_three_do():
    wrong = seconds(0.4, BOTH, [TRAINER, ATHLETE])
    right = seconds(1, BOTH, [ATHLETE])
    assert history(followed_over(right + wrong + right)) == [ATHLETE]
    lasting = seconds(2, BOTH, [TRAINER])
    assert history(followed_over(right + lasting)) == [ATHLETE, TRAINER]


def test_a_reference_that_pose_does_not_see_is_nobody_of_poses():
    right = seconds(1, BOTH, [ATHLETE])
    assert history(followed_over(right + seconds(2, BOTH, [None]))) == [ATHLETE, None]


# With the analyzer: two people of the rendered athlete, one squatting, one doing jumping jacks.


def box_of(recording, number):
    points = recording.landmarks[number, :, :2]
    return [*points.min(axis=0).tolist(), *points.max(axis=0).tolist()]


def several(first, second, number, identities=(1, 2)):
    people = [
        {"id": identity, "box": box_of(recording, number), **both_lists(recording, number)}
        for identity, recording in zip(identities, (first, second), strict=True)
    ]
    return {"pose": {"has_pose": True, "people": people, **both_lists(first, number)}}


def matching(person_id, bbox=(0, 0, 10, 10)):
    return {
        "reid": {
            "matches": [{"bbox": list(bbox), "distance": 0.1, "person_id": person_id}],
            "reid": {"has_reference": True},
        }
    }


NO_MATCH = {"reid": {"matches": [], "reid": {"has_reference": True}}}
NO_REFERENCE = {"reid": {"matches": [], "reid": {"has_reference": False}}}


@pytest.fixture
def exercise():
    analyzer = Exercise()
    analyzer.start("a", 0.0)
    return analyzer


@pytest.fixture(scope="module")
def squatting():
    return of_catalogue("two-people", 0)


@pytest.fixture(scope="module")
def jumping():
    return of_catalogue("two-people", 1)


def counted(exercise):
    summary = exercise.end("a")["exercise_summary"]["exercises"]
    return {name: each["reps"] for name, each in summary.items()}


@pytest.mark.parametrize(
    ("options", "counts"),
    [({}, {"squat": 3}), ({"person": 1}, {"squat": 3}), ({"person": 2}, {"jumping_jack": 5})],
)
def test_one_of_two_people_is_scored(squatting, jumping, options, counts):
    """The largest at first, or who was asked for, even when the other one comes nearer."""
    exercise = Exercise()
    exercise.start("a", 0.0, options=options)
    small, large = jumping.scaled(0.5, 0.0, 0.0), jumping.scaled(1.3, 0.0, 0.0)
    for number, time_s in enumerate(squatting.times_s):
        other = small if number < 30 else large
        results = several(squatting, other, number) | NO_REFERENCE
        exercise.frame("a", FRAME, time_s * 1000.0, results=results)
    assert counted(exercise) == counts


@pytest.mark.parametrize(("reference", "name"), [(1, "squat"), (2, "jumping_jack")])
def test_the_re_identified_one_is_scored(exercise, squatting, jumping, reference, name):
    for number, time_s in enumerate(squatting.times_s):
        seen = matching(reference) if number % 6 == 0 or number % 7 == 0 else NO_MATCH
        results = several(squatting, jumping, number) | seen
        exercise.frame("a", FRAME, time_s * 1000.0, results=results)
    counts = counted(exercise)
    assert set(counts) == {name}


def test_counts_go_on_when_the_re_identified_one_comes_back_with_another_number(
    exercise, squatting, jumping
):
    """Squats, 3 s hidden behind who jumps, and squats again as number 9."""
    last_s = squatting.times_s[-1]
    for number, time_s in enumerate(squatting.times_s):
        results = several(squatting, jumping, number) | matching(1)
        exercise.frame("a", FRAME, time_s * 1000.0, results=results)
    for number in range(90):
        alone = several(squatting, jumping, number)
        alone["pose"]["people"] = alone["pose"]["people"][1:]
        time_ms = (last_s + number / 30.0) * 1000.0
        exercise.frame("a", FRAME, time_ms, results=alone | NO_MATCH)
    for number, time_s in enumerate(squatting.times_s):
        results = several(squatting, jumping, number, (9, 2)) | matching(9)
        exercise.frame("a", FRAME, (last_s + 3.0 + time_s) * 1000.0, results=results)
    assert counted(exercise) == {"squat": 6}


def test_a_frame_on_which_re_identification_failed_does_not_end_the_following(
    exercise, squatting, jumping
):
    large = jumping.scaled(1.3, 0.0, 0.0)
    for number, time_s in enumerate(squatting.times_s):
        seen = {} if number % 2 else matching(1)
        exercise.frame(
            "a", FRAME, time_s * 1000.0, results=several(squatting, large, number) | seen
        )
    assert counted(exercise) == {"squat": 3}


@pytest.mark.parametrize(("x0", "counts"), [(0, {"squat": 3}), (400, {})])
def test_poses_only_person_is_scored_where_the_reference_is(exercise, squatting, x0, counts):
    """The squatting one is in the left half of the frame."""
    for number, time_s in enumerate(squatting.times_s):
        results = {"pose": {"has_pose": True, **both_lists(squatting, number)}}
        results |= matching(None, (x0, 0, x0 + 300, 480))
        exercise.frame("a", FRAME, time_s * 1000.0, results=results)
    assert counted(exercise) == counts


def test_who_is_followed_may_be_away_for_three_seconds(exercise, squatting, jumping):
    small = jumping.scaled(0.5, 0.0, 0.0)
    exercise.frame("a", FRAME, 0.0, results=several(squatting, small, 0))
    for number in range(1, 80):
        alone = several(squatting, small, number)
        alone["pose"]["people"] = alone["pose"]["people"][1:]
        exercise.frame("a", FRAME, squatting.times_s[number] * 1000.0, results=alone)
    assert counted(exercise) == {}
