"""What is no exercise is counted as none: the athlete's skeleton, seen with pose's mistakes."""

from collections import Counter

import pytest

from analyzers.exercise.scorer import ExerciseScorer
from bench.parts.exercise_clips import played
from bench.parts.negatives import negatives
from tools.exercise_network import others


def counted(landmarks):
    *_, (_, scorer) = played(landmarks)
    assert isinstance(scorer, ExerciseScorer)
    return Counter(each.exercise for each in scorer.repetitions)


@pytest.mark.parametrize("kind", others.NAMES)
def test_other_movements_are_none(kind):
    clips = [each for each in negatives() if each.name.rpartition(" ")[0] == kind]
    assert len(clips) == 2
    assert [counted(each.landmarks) for each in clips] == [Counter(), Counter()]


def test_the_clips_are_the_same_each_time_and_none_is_like_another():
    first, second = (
        [each.landmarks.flat.tobytes() for each in list(negatives())[:4]] for _ in range(2)
    )
    assert first == second
    assert len(set(first)) == 4
