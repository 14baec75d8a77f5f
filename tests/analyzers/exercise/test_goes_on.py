"""A session that another process goes on with counts as if it had never moved."""

import numpy as np
import pytest

from analyzers.base_model import MAX_STATE_BYTES
from analyzers.exercise import Exercise
from analyzers.kept_state import BadState
from client_test.athlete import floor

from .demonstration.test_session import CURLS, learn
from .recordings import Recording, both_lists, of_catalogue, of_exercise
from .test_analyzer import FRAME, NOBODY
from .test_everyone import DOING, pose_of
from .test_something import DIPS
from .test_something import pose_of as pose_of_clip

PUSH_UPS = of_exercise(floor.PUSH_UP, 75.0, 2, on_floor=True)


def poses(recording, begin_s=0.0):
    """What pose says of each frame, with its time in milliseconds."""
    return [
        (1000.0 * (begin_s + time_s), {"has_pose": True, **both_lists(recording, number)})
        for number, time_s in enumerate(recording.times_s.tolist())
    ]


def begun(options):
    exercise = Exercise()
    exercise.start("a", 0.0, options=options)
    return exercise


def whole(frames, options):
    """All results of one process, and the last."""
    exercise = begun(options)
    told = [exercise.frame("a", FRAME, ms, results={"pose": pose}) for ms, pose in frames]
    return told, exercise.end("a")


def cut(frames, options, every=1):
    """The same where another process has the session from every so many frames on."""
    exercise, told = begun(options), []
    for number, (ms, pose) in enumerate(frames):
        if number % every == 0:
            state = exercise.save("a")
            assert len(state) <= MAX_STATE_BYTES
            exercise.end("a")
            exercise = begun(options)
            exercise.restore("a", state)
        told.append(exercise.frame("a", FRAME, ms, results={"pose": pose}))
    return told, exercise.end("a")


@pytest.mark.parametrize(("clip", "every"), [("sample-video", 4), ("squat-knees-in", 1)])
def test_a_stream_that_is_cut_again_and_again_counts_as_if_it_were_not(clip, every):
    frames = poses(of_catalogue(clip))
    results, final = whole(frames, {})
    assert final["exercise_summary"]["repetitions"]
    assert cut(frames, {}, every) == (results, final)


def test_holds_and_gaps_go_on():
    top = PUSH_UPS.at(np.zeros(150))
    plank = poses(Recording(np.arange(150) / 15, top.landmarks, top.world, top.aspect))
    frames = [
        *plank,
        *((1000.0 * (10.0 + n / 15), NOBODY) for n in range(30)),
        *poses(PUSH_UPS, 14),
    ]
    results, final = whole(frames, {"still": "when_still"})
    assert final["exercise_summary"]["exercises"]["plank"]["held_s"] > 5.0
    assert cut(frames, {"still": "when_still"}, every=3) == (results, final)
    assert results[0]["framing"] is not None


def test_what_is_shown_is_learned_across_a_move_and_counted_after_it():
    lesson = {"learn": {"name": "my_curl"}}
    frames = poses(CURLS)
    results, final = whole(frames, lesson)
    assert final["exercise_summary"]["exercises"]["my_curl"]["reps"] == 2
    assert cut(frames, lesson, every=4) == (results, final)


@pytest.mark.parametrize("name", ["my_curl", "unknown"])
def test_exercises_of_ones_own_go_on(name):
    _, definition = learn(Exercise(), CURLS)
    options = {"custom": [definition], "name": name}
    frames = poses(CURLS)
    results, final = whole(frames, options)
    assert final["reps"] == 5
    assert cut(frames, options, every=4) == (results, final)


def test_what_is_unknown_goes_on():
    frames = [(1000.0 * t, pose_of_clip(DIPS, n)) for n, t in enumerate(DIPS.times_s.tolist())]
    results, final = whole(frames, {})
    assert (final["exercise"], final["reps"]) == ("unknown", 4)
    assert cut(frames, {}, every=7) == (results, final)


def test_everybody_goes_on():
    two = {number: DOING[number][1] for number in (1, 4)}
    frames = [(1000.0 * t, pose_of(two, t)) for t in np.arange(0.0, 8.0, 1 / 15).tolist()]
    results, final = whole(frames, {"person": 1})
    assert len(final["exercise_summary"]["people"]) == 2
    assert cut(frames, {"person": 1}, every=6) == (results, final)


def test_what_is_too_much_goes_without_movements_and_with_all_counts(monkeypatch):
    frames = poses(of_catalogue("squat-knees-in"))
    exercise = begun({})
    told = [exercise.frame("a", FRAME, ms, results={"pose": pose}) for ms, pose in frames]
    monkeypatch.setattr("analyzers.exercise.analyzer.MAX_STATE_BYTES", 20_000)
    state = exercise.save("a")
    assert len(state) <= 20_000
    other = begun({})
    other.restore("a", state)
    ms = frames[-1][0] + 33.0
    assert other.frame("a", FRAME, ms, results={"pose": NOBODY})["reps"] == told[-1]["reps"] == 3


def test_a_state_of_something_else_is_refused():
    exercise = begun({})
    state = exercise.save("a")
    for wrong in (b"", b"nonsense", state[:-1], state[:40] + b"?" + state[41:]):
        with pytest.raises(BadState, match="damaged"):
            exercise.restore("a", wrong)
