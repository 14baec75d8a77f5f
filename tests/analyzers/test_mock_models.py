"""The example analyzers answer what they promise, in the time they promise."""

import time

import numpy as np
import pytest

from analyzers.encode import encode
from analyzers.mock_model_1 import MockModel1
from analyzers.mock_model_2 import MockModel2
from analyzers.registry import find, load

FRAME = np.random.default_rng(4).integers(0, 256, (48, 64, 3), np.uint8)


def test_mock_model_1_answers_and_averages_by_session():
    model = MockModel1(duration_s=0)
    for sid in ("a", "b"):
        model.start(sid, 0)
    for number in range(3):
        assert model.frame("a", FRAME, number * 33) == {"hr": 65, "hrv": 105}
    assert model.end("a", 99) == {"hr": 65.0, "hrv": 105.0, "mock_model_1_frames": 3}
    assert model.end("b", 99) == {"mock_model_1_frames": 0}


def test_mock_model_2_is_deterministic_and_nested():
    answers = []
    for sid in ("a", "b"):
        model = MockModel2(duration_s=0)
        model.start(sid, 0)
        answers.append([model.frame(sid, FRAME, number) for number in range(3)])
    assert answers[0] == answers[1]
    first, last = answers[0][0], answers[0][-1]
    assert set(first) == {"fatigue", "pimpleCount", "skinRegions"}
    assert 0 <= first["fatigue"] < last["fatigue"] <= 1
    assert [len(row) for row in first["skinRegions"]] == [3, 3]
    assert encode(first).problems == []
    assert model.end("b") == {
        "fatigue": last["fatigue"],
        "pimpleCount": first["pimpleCount"],
        "mock_model_2_frames": 3,
    }


def test_mock_model_2_sees_the_frame():
    model = MockModel2(duration_s=0)
    model.start("s", 0)
    half_dark = np.full((40, 60, 3), 255, np.uint8)
    half_dark[:20] = 0
    answer = model.frame("s", half_dark, 0)
    assert answer["skinRegions"] == [[0.0, 0.0, 0.0], [1.0, 1.0, 1.0]]
    assert answer["pimpleCount"] == 3
    assert model.frame("s", np.zeros((1, 1, 3), np.uint8), 1)["pimpleCount"] == 0


@pytest.mark.parametrize(("name", "duration_s"), [("mock_model_1", 0.2), ("mock_model_2", 1.0)])
def test_they_are_slow_on_purpose(name, duration_s):
    model = load(find([name])[0])
    model.start("s", 0)
    began = time.perf_counter()
    model.frame("s", FRAME, 0)
    assert time.perf_counter() - began >= duration_s
