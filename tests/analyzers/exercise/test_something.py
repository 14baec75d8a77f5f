"""What is done as an exercise, and is none of those that are known, is counted as unknown."""

import numpy as np
import pytest

from analyzers.exercise import Exercise, something
from analyzers.exercise.demonstration import UNKNOWN
from analyzers.exercise.something import ExerciseCounter, Something
from analyzers.pose.landmarks import NAMES
from bench.parts.exercise_clips import Landmarks
from bench.parts.negatives import negatives
from client_test.athlete import floor, standing
from tests.analyzers.exercise.recordings import of_exercise, play

from .demonstration.showing import learned

FRAME = np.zeros((480, 640, 3), np.uint8)
DIPS = next(each for each in negatives() if each.name == "dip 1").landmarks


def pose_of(clip: Landmarks, number):
    """What pose says of a frame."""
    return {
        "has_pose": True,
        **{
            key: [
                {"index": i, "name": NAMES[i], "x": x, "y": y, "z": z, "visibility": seen}
                for i, (x, y, z, seen) in enumerate(points[number].tolist())
            ]
            for key, points in (("landmarks", clip.flat), ("world_landmarks", clip.solid))
        },
    }


def run(clip, **options):
    """Return results of all frames of a session, and the final one."""
    exercise = Exercise()
    exercise.start("a", 0.0, options=options)
    results = [
        exercise.frame("a", FRAME, 1000.0 * time_s, results={"pose": pose_of(clip, number)})
        for number, time_s in enumerate(clip.times_s.tolist())
    ]
    return results, exercise.end("a")


def feed(found, time_s, number, *, moves):
    found.feed(DIPS.flat[number], DIPS.solid[number], time_s, DIPS.aspect, moves=moves)


def test_dips_are_counted_while_they_are_done_and_not_corrected():
    results, final = run(DIPS)
    told = [each for each in results if each["exercise"] != "none"]
    assert {each["exercise"] for each in told} == {UNKNOWN}
    reps = [each["reps"] for each in told if each["reps"]]
    # Told from the third on, each once.
    assert reps[0] >= 3
    assert reps == sorted(reps)
    assert reps[-1] == 4
    assert {each["phase"] for each in told} >= {"up", "down"}
    for each in told:
        assert each["score"] is None
        assert each["repetition"] is None
        assert each["warnings"] == each["feedback"] == []
    assert (final["exercise"], final["reps"]) == (UNKNOWN, 4)
    assert final["exercise_summary"]["main_exercise"] == UNKNOWN
    assert final["exercise_summary"]["exercises"] == {UNKNOWN: {"reps": 4, "range_deg": {}}}


@pytest.mark.parametrize(
    ("exercise", "yaw_deg", "on_floor"),
    [
        (standing.SQUAT, 25.0, False),
        (standing.JUMPING_JACK, 10.0, False),
        (standing.BICEP_CURL, -35.0, False),
        (floor.PUSH_UP, 75.0, True),
        (floor.SIT_UP, 75.0, True),
    ],
)
def test_what_is_known_is_nothing_else_too(exercise, yaw_deg, on_floor):
    scorer = play(of_exercise(exercise, yaw_deg, 4, on_floor=on_floor)).scorer
    assert len(scorer.repetitions) == 4
    assert scorer.something.spans == []


def test_who_asks_for_one_exercise_or_has_their_own_is_told_of_nothing_else():
    _, final = run(DIPS, name="squat")
    assert UNKNOWN not in final["exercise_summary"]["exercises"]
    custom = learned(of_exercise(standing.BICEP_CURL, -35.0, 4), name="my_curl")
    _, final = run(DIPS, custom=[custom.as_json()])
    assert UNKNOWN not in final["exercise_summary"]["exercises"]


# The session's end, or the clip's, comes before all is gone through, and after.
@pytest.mark.parametrize("ends_s", [10.1, 12.0])
def test_what_was_kept_is_gone_through_bit_by_bit_and_counts_as_if_at_once(monkeypatch, ends_s):
    taken = []

    class Noted(ExerciseCounter):
        def feed(self, landmarks, world, time_s, aspect):
            taken[-1].append(time_s)
            return super().feed(landmarks, world, time_s, aspect)

    monkeypatch.setattr(something, "ExerciseCounter", Noted)
    whole, late = Something(), Something()
    for found, begins_s in ((whole, 0.0), (late, 10.0)):
        for number, time_s in enumerate(DIPS.times_s.tolist()):
            if found is late and time_s > ends_s:
                break
            taken.append([])
            feed(found, time_s, number, moves=time_s >= begins_s)
            assert len(taken[-1]) <= 16
        taken.append([])
        found.finish()
    assert len(whole.spans) == 4
    assert late.spans == whole.spans
    all_taken = [time_s for now in taken for time_s in now]
    assert all_taken.count(0.0) == 2, "each begins with the first that is kept"


def test_what_is_told_is_not_told_again_by_those_who_look_into_it_later():
    found = Something()
    # Six, a quarter quicker than they were shown, and then nothing for a while.
    numbers = [*range(4, 192)] * 2
    numbers += [numbers[-1]] * 330
    for place, number in enumerate(numbers):
        time_s = 0.03 * place
        feed(found, time_s, number, moves=time_s < 9.8 or time_s > 17.1)
        if time_s > 12.0:
            assert len(found.spans) == 6, time_s
