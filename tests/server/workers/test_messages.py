"""What crosses between the server and a worker arrives as it was."""

import pickle

import pytest

from server.workers.mailbox import FrameInfo
from server.workers.messages import LENGTH, EncodedInput, FrameResult, Heartbeat, Seen, pack

INFO = FrameInfo(7, 12.5, 1e12, 3.25, 640, 480)
MESSAGES = [
    INFO,
    EncodedInput("s", INFO, "VP8", b"\x00" * 50, is_key_frame=False, layer=2, is_wanted_late=False),
    FrameResult("s", INFO, {"pose": "{}"}, {"pose": 5.5}, {"reid": 3}, 1.0, 2.0, events=("reps",)),
    Seen(3, 2, 0.5),
    Heartbeat((("pose", "s", 1.5),)),
]


@pytest.mark.parametrize("message", MESSAGES, ids=[type(each).__name__ for each in MESSAGES])
def test_a_message_arrives_with_all_its_fields(message):
    packed = pack(message)
    (length,) = LENGTH.unpack_from(packed)
    assert length == len(packed) - LENGTH.size
    assert pickle.loads(packed[LENGTH.size :]) == message
