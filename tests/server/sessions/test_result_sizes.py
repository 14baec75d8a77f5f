"""A result of one person, with pose and exercise, fits into one packet."""

import numpy as np
import orjson
import pytest

from analyzers.compact import Form
from analyzers.exercise import Exercise
from server.sessions.results import Result, Timing
from server.sessions.values import Values
from server.workers.mailbox import FrameInfo
from tests.analyzers.exercise.recordings import both_lists, of_catalogue

# What server/rtc/sctp.py puts into one.
PACKET_BYTES = 1100
FRAME = np.zeros((480, 640, 3), np.uint8)
TIMING = Timing(1.23, {"pose": 12.93, "exercise": 0.35}, {})


def sizes(name):
    """Bytes of each frame's result."""
    exercise, recording = Exercise(), of_catalogue(name)
    exercise.start("a", 0.0, options={})
    for number, time_s in enumerate(recording.times_s.tolist()):
        pose = {"has_pose": True, "track_id": 1, **both_lists(recording, number)}
        said = exercise.frame("a", FRAME, time_s * 1000.0, results={"pose": pose})
        values = Values({key: orjson.dumps(value) for key, value in {**pose, **said}.items()})
        info = FrameInfo(100_000 + number, time_s * 1000.0, 1795239531243.9, 0.0, 1920, 1080)
        yield len(Result(info, values, TIMING, 12_345).encode(form=Form.CBOR))


@pytest.mark.parametrize("name", ["sample-video", "squat-knees-in", "push-up"])
def test_of_one_person(name):
    found = list(sizes(name))
    assert max(found) <= PACKET_BYTES
    assert sum(found) / len(found) <= 1000
