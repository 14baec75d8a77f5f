"""Eight people, each with an exercise of their own."""

import json

import numpy as np
import pytest

from analyzers.exercise import Exercise
from client_test.athlete import floor, standing

from .recordings import both_lists, of_exercise
from .test_analyzer import FRAME

DOING = {
    1: ("squat", of_exercise(standing.SQUAT, 25.0, 4)),
    2: ("bicep_curl", of_exercise(standing.BICEP_CURL, -35.0, 4)),
    3: ("push_up", of_exercise(floor.PUSH_UP, 75.0, 4, on_floor=True)),
    4: ("jumping_jack", of_exercise(standing.JUMPING_JACK, 10.0, 4)),
}
# Four more do the same, mirrored and further away.
DOING |= {
    n + 4: (name, doing.mirrored().scaled(0.6, 0.1, 0.0)) for n, (name, doing) in DOING.items()
}
UNTIL_S = 9.0


def pose_of(recordings, time_s, box=None):
    """What pose says of several people at a time; who is done stands as they ended."""
    people = []
    for number, recording in recordings.items():
        at = int(np.searchsorted(recording.times_s, time_s).clip(0, len(recording.times_s) - 1))
        size = box[number] if box else 0.1 + 0.01 * number
        entry = {"id": number, "track_id": number, "box": [0.0, 0.0, size, size]}
        people.append({**entry, **both_lists(recording, at)})
    largest = max(people, key=lambda each: each["box"][2])
    return {
        "has_pose": True,
        "track_id": largest["id"],
        "landmarks": largest["landmarks"],
        "world_landmarks": largest["world_landmarks"],
        "people": people,
    }


@pytest.fixture(scope="module")
def session():
    """Results of all frames of a session with eight people, and the final one."""
    exercise = Exercise()
    exercise.start("a", 0.0, options={"person": 1})
    recordings = {number: doing for number, (_, doing) in DOING.items()}
    results = [
        exercise.frame("a", FRAME, 1000.0 * t, results={"pose": pose_of(recordings, t)})
        for t in np.arange(0.0, UNTIL_S, 1 / 15)
    ]
    return results, exercise.end("a")


def test_everybody_has_an_exercise_of_their_own(session):
    results, _ = session
    last = results[-1]["people"]
    assert [each["id"] for each in last] == list(DOING)
    for each in last:
        assert set(each["exercise"]) == {"name", "reps", "phase", "score", "warnings"}
        assert set(each) > {"box", "landmarks", "world_landmarks"}
    most = {
        number: max(result["people"][number - 1]["exercise"]["reps"] for result in results)
        for number in DOING
    }
    assert most == dict.fromkeys(DOING, 4)
    told = {
        number: {result["people"][number - 1]["exercise"]["name"] for result in results} - {"none"}
        for number in DOING
    }
    assert told == {number: {name} for number, (name, _) in DOING.items()}


def test_the_top_is_the_chosen_ones_and_the_summary_is_everybodys(session):
    results, final = session
    assert {result["exercise"] for result in results} == {"none", "squat"}
    assert set(final["exercise_summary"]["exercises"]) == {"squat"}
    told = {each["id"]: each for each in final["exercise_summary"]["people"]}
    for number, (name, _) in DOING.items():
        assert told[number]["main_exercise"] == name
        assert told[number]["exercises"][name]["reps"] == 4
    json.dumps(final)


def test_of_more_than_eight_the_first_eight_are_scored_and_nothing_piles_up():
    exercise = Exercise()
    exercise.start("a", 0.0, options={})
    squats = DOING[1][1]
    for number in range(200):
        recordings = {number * 10 + place: squats for place in range(10)}
        box = dict.fromkeys(recordings, 0.2)
        seen = pose_of(recordings, 0.0, box)
        result = exercise.frame("a", FRAME, 100.0 * number, results={"pose": seen})
        assert len(result["people"]) == 8
        kept = exercise._sessions["a"].everyone._people
        assert len(kept) <= 16
    assert "people" not in exercise.end("a")["exercise_summary"]


def test_a_session_of_one_person_has_no_people():
    exercise = Exercise()
    exercise.start("a", 0.0, options={})
    result = exercise.frame(
        "a", FRAME, 0.0, results={"pose": {"has_pose": True, **both_lists(DOING[1][1], 0)}}
    )
    assert "people" not in result


def test_options_are_everybodys():
    exercise = Exercise()
    exercise.start("a", 0.0, options={"name": "squat"})
    recordings = {1: DOING[1][1], 2: DOING[2][1]}
    names = set()
    for time_s in np.arange(0.0, UNTIL_S, 1 / 15):
        seen = pose_of(recordings, time_s)
        result = exercise.frame("a", FRAME, 1000.0 * time_s, results={"pose": seen})
        names.add(result["people"][1]["exercise"]["name"])
    assert names == {"none"}
    exercise.configure("a", {"name": None})
    for time_s in np.arange(0.0, UNTIL_S, 1 / 15):
        seen = pose_of(recordings, time_s)
        again_ms = 1000.0 * (UNTIL_S + time_s)
        result = exercise.frame("a", FRAME, again_ms, results={"pose": seen})
        names.add(result["people"][1]["exercise"]["name"])
    assert names == {"none", "bicep_curl"}
