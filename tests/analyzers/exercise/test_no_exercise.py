"""What is no exercise is counted as none: the athlete's skeleton, seen with pose's mistakes."""

from collections import Counter

import pytest

from analyzers.exercise.demonstration import UNKNOWN
from analyzers.exercise.scorer import ExerciseScorer
from bench.parts.exercise_clips import played
from bench.parts.negatives import OTHER_TRAINING, negatives
from tools.exercise_network import others


def counted(landmarks):
    *_, (_, scorer) = played(landmarks)
    assert isinstance(scorer, ExerciseScorer)
    done = Counter(each.exercise for each in scorer.repetitions)
    return done + Counter({UNKNOWN: len(scorer.something.spans)})


@pytest.mark.parametrize("kind", others.NAMES)
def test_other_movements_are_none(kind):
    clips = [each for each in negatives() if each.name.rpartition(" ")[0] == kind]
    assert len(clips) == 2
    found = [counted(each.landmarks) for each in clips]
    if kind in OTHER_TRAINING:
        # It is exercise, and may be told so; not as one that it is not.
        assert set().union(*found) <= {UNKNOWN}
    else:
        assert found == [Counter(), Counter()]


def test_the_clips_are_the_same_each_time_and_none_is_like_another():
    first, second = (
        [each.landmarks.flat.tobytes() for each in list(negatives())[:4]] for _ in range(2)
    )
    assert first == second
    assert len(set(first)) == 4
