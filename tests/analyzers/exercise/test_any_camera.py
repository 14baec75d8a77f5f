"""The count stays, whatever the camera: its rate, its side, its distance, lost frames."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from client_test.athlete import floor, standing

from .recordings import of_exercise, play

EXERCISES = {
    "squat": of_exercise(standing.SQUAT, 25.0, 4),
    "jumping_jack": of_exercise(standing.JUMPING_JACK, 10.0, 4),
    "bicep_curl": of_exercise(standing.BICEP_CURL, -35.0, 4),
    "shoulder_press": of_exercise(standing.OVERHEAD_PRESS, 20.0, 4),
    "lunge": of_exercise(standing.LUNGE, 60.0, 4),
    "push_up": of_exercise(floor.PUSH_UP, 75.0, 4, on_floor=True),
    "sit_up": of_exercise(floor.SIT_UP, 75.0, 4, on_floor=True),
}

pytestmark = pytest.mark.filterwarnings("error")
names = st.sampled_from(sorted(EXERCISES))
few = settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)


@few
@given(name=names, fps=st.floats(5.0, 60.0))
def test_any_frame_rate(name, fps):
    # A jumping jack of 0.5 s a way has no frame at its turn at 5 per second: slower, it has.
    recording = EXERCISES[name].slower(1.5).sampled(fps)
    played = play(recording)
    assert played.counted == [name] * 4
    assert max(played.told_late_s) <= 0.5


@few
@given(name=names, scale=st.floats(0.3, 1.1), x=st.floats(-0.2, 0.2), y=st.floats(-0.1, 0.1))
def test_any_place_and_size(name, scale, x, y):
    assert play(EXERCISES[name].scaled(scale, x, y)).counted == [name] * 4


@pytest.mark.parametrize("name", sorted(EXERCISES))
def test_either_side(name):
    plain, mirrored = play(EXERCISES[name]), play(EXERCISES[name].mirrored())
    assert plain.counted == mirrored.counted == [name] * 4
    assert [each.end_s for each in plain.scorer.repetitions] == pytest.approx(
        [each.end_s for each in mirrored.scorer.repetitions], abs=0.1
    )


@few
@given(name=names, factor=st.floats(0.8, 3.0))
def test_any_tempo(name, factor):
    assert play(EXERCISES[name].slower(factor)).counted == [name] * 4


@few
@given(name=names, seed=st.integers(0, 10_000), lost=st.floats(0.0, 0.6))
def test_lost_frames(name, seed, lost):
    recording = EXERCISES[name]
    gone = np.flatnonzero(np.random.default_rng(seed).random(len(recording.times_s)) < lost)
    assert play(recording.without(gone)).counted == [name] * 4


@few
@given(name=names, seed=st.integers(0, 10_000))
def test_trembling_landmarks(name, seed):
    # A centimetre is what BlazePose trembles by from frame to frame.
    assert play(EXERCISES[name].trembling(0.01, seed)).counted == [name] * 4


@few
@given(name=names, at=st.floats(0.2, 0.8))
def test_a_gap_costs_what_went_on_in_it_and_no_more(name, at):
    recording = EXERCISES[name].slower(1.5)
    begin_s = at * recording.times_s[-1]
    gone = np.flatnonzero(np.abs(recording.times_s - begin_s) < 0.75)
    counted = play(recording.without(gone)).counted
    assert set(counted) == {name}
    assert 2 <= len(counted) <= 4
