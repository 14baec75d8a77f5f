"""The analyzer: what the server gives it and what the client gets."""

import json
from itertools import pairwise

import numpy as np
import pytest

from analyzers.exercise import Exercise
from analyzers.exercise.definitions import definitions
from analyzers.exercise.scorer import ExerciseScorer
from analyzers.exercise.summary import FrameResults

from .recordings import Recording, both_lists, of_catalogue, play

FRAME = np.zeros((480, 640, 3), np.uint8)
NOBODY = {"has_pose": False, "landmarks": [], "world_landmarks": []}
KEYS = {
    "exercise", "reps", "phase", "held_s", "score", "score_parts", "repetition", "feedback",
    "warnings", "framing", "ready",
}  # fmt: skip


def run(exercise, recording, sid="a"):
    """Feed a recording as pose's results; return all of ours."""
    return [
        exercise.frame(
            sid, FRAME, time_s * 1000.0,
            results={"pose": {"has_pose": True, **both_lists(recording, number)}},
        )
        for number, time_s in enumerate(recording.times_s)
    ]  # fmt: skip


@pytest.fixture
def exercise():
    analyzer = Exercise()
    analyzer.start("a", 0.0, options={})
    return analyzer


def test_counts_scores_and_sums_up(exercise):
    results = run(exercise, of_catalogue("squat-knees-in"))
    assert all(set(result) == KEYS for result in results)
    assert sorted({result["reps"] for result in results}) == [0, 1, 2, 3]
    last = results[-1]
    assert last["exercise"] == "squat"
    assert last["warnings"] == [
        {
            "code": "squat_knees_in",
            "text": "Knees are caving in: push them out over your toes",
        }
    ]
    assert [each["code"] for each in last["feedback"]] == ["squat_depth_good"]
    assert set(last["score_parts"]) == {"depth", "alignment", "symmetry", "tempo", "steadiness"}
    assert 0 <= last["score"] <= 100
    assert set(last["repetition"]["tempo_s"]) == {"down", "hold", "up"}
    json.dumps(results)
    key = "repetition"
    assert key in Exercise.events
    told = [after[key] for before, after in pairwise(results) if after[key] != before[key]]
    assert len(told) == 3, "each repetition is an event, and nothing else is"

    squat = exercise.end("a", 5000.0)["exercise_summary"]["exercises"]["squat"]
    assert squat["reps"] == 3
    assert squat["mean_score"] <= squat["best_score"] <= 100
    assert 2.0 < squat["time_under_tension_s"] < 6.0
    assert squat["most_frequent_fault"] == "squat_knees_in"
    assert squat["advice"] == "Knees are caving in: push them out over your toes."


def agreed(final, name):
    """Return a final result's summary of an exercise, after comparing the two."""
    summary = final["exercise_summary"]["exercises"][name]
    assert final["exercise"] == final["exercise_summary"]["main_exercise"] == name
    assert final["reps"] == summary["reps"]
    assert final["score"] == summary["mean_score"]
    assert final["held_s"] == summary.get("held_s", 0.0)
    assert final["phase"] == "rest"
    assert set(final) == KEYS - {"framing", "ready"} | {"exercise_summary"}
    return summary


def test_a_repetition_that_ends_with_the_video_is_in_the_final_result(exercise):
    squats = of_catalogue("squat-oblique")
    # Cut where the third squat is over by the landmarks, and not yet certain.
    cut_s = play(squats).scorer.repetitions[-1].end_s + 0.1
    results = run(exercise, squats.at(np.arange(0.0, cut_s, 1 / 30)))
    assert results[-1]["reps"] == 2
    final = exercise.end("a")
    assert agreed(final, "squat")["reps"] == 3
    listed = final["exercise_summary"]["repetitions"]
    assert [each["exercise"] for each in listed] == ["squat"] * 3
    assert final["repetition"] == listed[-1]
    assert results[-1]["repetition"] == listed[-2]


def test_the_final_result_is_of_what_was_mostly_done(exercise):
    """And not of the last frame, when nobody is there any more."""
    run(exercise, of_catalogue("sample-video"))
    exercise.frame("a", FRAME, 60_000.0, results={"pose": NOBODY})
    assert agreed(exercise.end("a"), "jumping_jack")["reps"] == 3


def test_the_final_result_of_a_hold_has_its_seconds(exercise):
    top = of_catalogue("push-up").at(np.zeros(150))
    held = Recording(np.arange(150) / 30.0, top.landmarks, top.world, top.aspect)
    result = run(exercise, held)[-1]
    assert (result["exercise"], result["phase"]) == ("plank", "hold")
    final = exercise.end("a")
    agreed(final, "plank")
    assert final["held_s"] == pytest.approx(5.0, abs=0.4)
    assert set(final["score_parts"]) == {"alignment", "steadiness"}


def test_a_video_that_begins_at_the_lowest_point_changes_no_squat_that_follows():
    squats = of_catalogue("squat-oblique")
    whole = play(squats).scorer.repetitions
    since_s = whole[0].turn_s
    cut = squats.at(np.arange(since_s, squats.times_s[-1], 1 / 30))
    moved = Recording(cut.times_s - cut.times_s[0], cut.landmarks, cut.world, cut.aspect)
    seen = play(moved).scorer.repetitions
    for one, other in zip(whole[1:], seen, strict=True):
        assert other.start_s == pytest.approx(one.start_s - since_s, abs=0.1)
        assert other.range_of_motion == pytest.approx(one.range_of_motion, rel=0.1)


def test_hands_that_go_on_moving_after_the_curls_are_no_exercise(exercise):
    curls = of_catalogue("bicep-curl")
    results = run(exercise, curls)
    last = play(curls).scorer.repetitions[-1]
    # Up by a part of a curl and down again, for half a minute.
    times_s = np.arange(0.0, 30.0, 1 / 30)
    part = 0.25 * np.sin(times_s * np.pi / 1.5) ** 2
    talk = curls.at(last.start_s + part * (last.turn_s - last.start_s))
    begin_s = float(curls.times_s[-1]) + 0.1
    talked = Recording(begin_s + times_s, talk.landmarks, talk.world, talk.aspect)
    results += run(exercise, talked)
    assert {"up", "down"} <= {result["phase"] for result in results[len(curls.times_s) + 15 :]}
    assert [result["exercise"] for result in results[-300:]] == ["none"] * 300
    assert results[-1]["warnings"] == []
    assert exercise.end("a")["exercise_summary"]["exercises"]["bicep_curl"]["reps"] == 3


def test_who_rests_at_the_top_of_push_ups_did_push_ups_and_held_no_plank(exercise):
    push_ups = of_catalogue("push-up")
    at_s = np.concatenate([np.zeros(90), np.arange(0.0, push_ups.times_s[-1], 1 / 30)])
    seen = push_ups.at(at_s)
    run(exercise, Recording(np.arange(len(at_s)) / 30.0, seen.landmarks, seen.world, seen.aspect))
    final = exercise.end("a")
    assert agreed(final, "push_up")["reps"] == 3
    assert set(final["exercise_summary"]["exercises"]) == {"push_up"}


def test_getting_into_position_is_no_plank(exercise):
    """Two seconds of it are none, and there is no praise or fault for them."""
    top = of_catalogue("push-up").at(np.zeros(84))
    held = Recording(np.arange(84) / 30.0, top.landmarks, top.world, top.aspect)
    results = run(exercise, held)
    assert {result["phase"] for result in results} == {"rest"}
    assert all(result["feedback"] == result["warnings"] == [] for result in results)
    assert exercise.end("a")["exercise_summary"]["exercises"] == {}


def test_half_a_repetition_in_a_short_clip_names_the_exercise_and_counts_nothing(exercise):
    squats = of_catalogue("squat-side")
    results = run(exercise, squats.at(np.arange(0.0, 1.3, 1 / 30)))
    assert {result["exercise"] for result in results} == {"none"}
    final = exercise.end("a")
    assert (final["exercise"], final["reps"], final["score"]) == ("squat", 0, None)
    assert final["exercise_summary"]["exercises"] == {}
    # The way back alone, and in a long session neither.
    for sid, until_s, name in (("b", 2.1, "squat"), ("c", 14.0, "none")):
        exercise.start(sid, 0.0)
        at_s = np.minimum(np.arange(1.2, until_s, 1 / 30), 2.1)
        seen = squats.at(at_s)
        times_s = np.arange(len(at_s)) / 30.0
        run(exercise, Recording(times_s, seen.landmarks, seen.world, seen.aspect), sid)
        assert exercise.end(sid)["exercise"] == name


def test_a_repetition_is_told_in_time_when_the_person_is_gone_at_its_end(exercise):
    squats = of_catalogue("squat-oblique")
    end_s = play(squats).scorer.repetitions[-1].end_s
    run(exercise, squats.at(np.arange(0.0, end_s + 0.05, 1 / 30)))
    told = [
        exercise.frame("a", FRAME, 1000.0 * time_s, results={"pose": NOBODY})["reps"]
        for time_s in np.arange(end_s + 0.1, end_s + 0.5, 0.2)
    ]
    assert told[-1] == 3


def test_phases_follow_the_movement(exercise):
    phases = [result["phase"] for result in run(exercise, of_catalogue("squat-oblique"))]
    history = [now for before, now in pairwise(phases) if now != before]
    # The first squat is known for one when it is over.
    assert history == ["down", "up", "rest"] * 2


def test_nobody_is_none(exercise):
    for number in range(20):
        result = exercise.frame("a", FRAME, number * 50.0, results={"pose": NOBODY})
        assert (result["exercise"], result["reps"], result["score"]) == ("none", 0, None)
    final = exercise.end("a")
    assert final.pop("exercise_summary") == {
        "exercises": {}, "main_exercise": "none", "repetitions": []
    }  # fmt: skip
    assert (final["exercise"], final["reps"], final["score"]) == ("none", 0, None)
    assert set(final) == KEYS - {"framing", "ready"}


def test_a_frame_without_poses_result_is_none(exercise):
    assert exercise.frame("a", FRAME, 0.0, results={})["exercise"] == "none"


def test_an_exercise_is_over_when_nothing_follows(exercise):
    recording = of_catalogue("squat-front")
    run(exercise, recording)
    over_ms = recording.times_s[-1] * 1000.0 + 10_000.0
    assert exercise.frame("a", FRAME, over_ms, results={"pose": NOBODY})["exercise"] == "none"


def test_a_source_that_starts_over_is_counted_on(exercise):
    recording = of_catalogue("squat-front")
    run(exercise, recording)
    assert run(exercise, recording)[-1]["reps"] == 6


def test_sessions_do_not_know_each_other(exercise):
    exercise.start("b", 0.0)
    run(exercise, of_catalogue("squat-front"), "a")
    run(exercise, of_catalogue("jumping-jack"), "b")
    assert set(exercise.end("a")["exercise_summary"]["exercises"]) == {"squat"}
    assert set(exercise.end("b")["exercise_summary"]["exercises"]) == {"jumping_jack"}


@pytest.mark.parametrize(
    ("options", "what"),
    [
        ({"name": "yodelling"}, "there is no exercise 'yodelling'"),
        ({"nmae": "squat"}, "no option 'nmae'"),
        ({"person": "tall"}, "person is 'tall'"),
        ({"person": True}, "person is True"),
    ],
)
def test_wrong_options_are_refused(exercise, options, what):
    with pytest.raises(ValueError, match=what):
        exercise.start("c", 0.0, options=options)
    with pytest.raises(ValueError, match=what):
        exercise.configure("a", options)


def test_the_client_fixes_the_exercise_in_mid_session(exercise):
    exercise.configure("a", {"name": "push_up"})
    assert run(exercise, of_catalogue("squat-front"))[-1]["exercise"] == "none"


def after(recording, seconds):
    """The same movement so much later."""
    times_s = recording.times_s + seconds
    return Recording(times_s, recording.landmarks, recording.world, recording.aspect)


def test_what_was_counted_stays_when_the_client_names_the_next_exercise(exercise):
    exercise.configure("a", {"name": "squat"})
    run(exercise, of_catalogue("squat-front"))
    exercise.configure("a", {"name": "squat"})
    assert run(exercise, after(of_catalogue("squat-front"), 10.0))[-1]["reps"] == 6
    exercise.configure("a", {"name": "jumping_jack"})
    jacks = run(exercise, after(of_catalogue("jumping-jack"), 20.0))
    assert (jacks[0]["exercise"], jacks[0]["reps"]) == ("none", 0)
    assert jacks[-1]["exercise"] == "jumping_jack"
    told = exercise.end("a")["exercise_summary"]["exercises"]
    assert {name: each["reps"] for name, each in told.items()} == {"squat": 6, "jumping_jack": 5}


def test_a_plank_too_short_to_count_is_named_and_has_no_seconds():
    """Of three seconds of one the network was sure, and no hold came of it."""
    scorer = ExerciseScorer()
    scorer.partial_repetition = definitions()["plank"]
    final = FrameResults(scorer).final()
    assert (final["exercise"], final["held_s"], final["score"]) == ("plank", 0.0, None)
    assert final["feedback"] == final["warnings"] == []


def test_a_session_shows_the_network_the_head_too(exercise):
    """It was trained on bodies with a head, and the benches show it clips with one."""
    squats = of_catalogue("squat-oblique")
    run(exercise, squats)
    served = exercise._sessions["a"].scored._scorer._observer
    until_s = float(squats.times_s[-1])
    benched = play(squats).scorer._observer
    assert served.likely(0.0, until_s) == pytest.approx(benched.likely(0.0, until_s), abs=0.005)
