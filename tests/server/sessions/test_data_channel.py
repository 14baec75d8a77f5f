"""What comes back on a data channel: obeyed, up to a rate, and the end always."""

from types import SimpleNamespace

import pytest

from server.sessions import data_channel
from server.sessions.data_channel import DataChannelSink
from server.sessions.metrics import Metrics
from tests.support.data_channel import Channel


@pytest.fixture
def clock(monkeypatch):
    made = SimpleNamespace(now_s=50.0)
    monkeypatch.setattr(data_channel.time, "monotonic", lambda: made.now_s)
    return made


async def test_messages_without_end_are_passed_over_and_that_is_said_once(clock):
    channel, ended = Channel(), []
    session = SimpleNamespace(sid="s")
    assert DataChannelSink(session, Metrics(), lambda: ended.append(True)).take(channel)
    for _ in range(500):
        channel.say('{"type": "ping"}')
    pongs = [message for message in channel.sent if message["type"] == "pong"]
    refusals = [message for message in channel.sent if message["type"] == "error"]
    assert len(pongs) == data_channel.MESSAGES_PER_S * 0.2
    assert [refusal["code"] for refusal in refusals] == [429]
    channel.say("end session")
    assert ended == [True]
    clock.now_s += 1.0
    channel.say('{"type": "ping"}')
    assert channel.sent[-1]["type"] == "pong"
