"""A real worker writes results in the forms that a session's readers want, and no others."""

import asyncio
import os
import signal

import pytest

from analyzers.compact import Form, plain
from analyzers.registry import find
from server.media.clock import TrackClock
from server.sessions.metrics import Metrics
from server.sessions.session import Session
from server.workers.pool import WorkerPool
from tests.support import spot
from tests.support.squatter import SQUATTER

WITHIN_S = 60.0
JSON, CBOR = frozenset({Form.JSON}), frozenset({Form.CBOR})


class Reader:
    """A sink that notes in which forms results came from the worker."""

    def __init__(self, forms=JSON):
        self.forms = forms
        self.came_in = []
        self.notices = []
        self.finals = []

    def result(self, result):
        self.came_in.append(result.values.forms)
        self.last = result

    def notice(self, message):
        self.notices.append(message)

    def final(self, result):
        self.finals.append(result)


class Recorder:
    """Records nothing."""

    def __init__(self, *_, **__):
        self.lines = []

    def video(self, *_):
        pass

    def result(self, line):
        self.lines.append(line)

    async def close(self, summary):
        pass


@pytest.fixture
async def pool():
    made = WorkerPool(1, find([SQUATTER]))
    made.start()
    await asyncio.wait_for(made.became_ready.wait(), WITHIN_S)
    yield made
    await made.stop()


@pytest.fixture
async def make_session(pool):
    made = []

    def make(recorder=None):
        session = Session(pool, ["squatter"], {}, Metrics(), recorder)
        made.append(session)
        session.begin()
        return session

    yield make
    for session in made:
        await session.end("the test is over")


async def until(session, condition):
    """Put frames until something is so."""
    clock = TrackClock(session.clock)
    number = session.frames_in
    async with asyncio.timeout(WITHIN_S):
        while not condition():
            number += 1
            session.intake.put_frame(spot.frame(number, (64, 64)), clock)
            await asyncio.sleep(0.01)


async def comes(session, reader, forms):
    """Wait for results that the worker wrote in these forms."""
    await until(session, lambda: reader.came_in and reader.came_in[-1] == forms)


async def test_what_is_written_follows_who_reads(make_session):
    session = make_session()
    peer, other = Reader(CBOR), Reader()
    session.subscribers.add_channel(peer)
    await comes(session, peer, CBOR)
    session.subscribers.add_sink(other)
    await comes(session, peer, frozenset(Form))
    session.subscribers.remove_sink(peer)
    await comes(session, other, JSON)
    session.subscribers.add_channel(peer)
    session.subscribers.remove_sink(other)
    await comes(session, peer, CBOR)


async def test_whoever_reads_before_the_worker_knows_reads_the_same(make_session):
    session = make_session()
    peer = Reader(CBOR)
    session.subscribers.add_channel(peer)
    await comes(session, peer, CBOR)
    seen = []

    class Joining(Reader):
        def result(self, result):
            super().result(result)
            seen.append((result.fragments, plain(result.encode(form=Form.CBOR))))

    joining = Joining()
    session.subscribers.add_sink(joining)
    await until(session, lambda: len(seen) > 5)
    assert joining.came_in[0] == CBOR, "that one is converted"
    for fragments, said in seen:
        assert int(fragments["seen"]) == said["seen"]


async def test_a_recorder_reads_json(make_session):
    recorders = []

    def make_recorder(*args, **kwargs):
        recorders.append(Recorder())
        return recorders[-1]

    session = make_session(make_recorder)
    peer = Reader(CBOR)
    session.subscribers.add_channel(peer)
    await comes(session, peer, frozenset(Form))
    (recorder,) = recorders
    assert recorder.lines[-1].startswith(b'{"seen":')


async def test_when_nobody_reads_it_is_json(make_session):
    session = make_session()
    await until(session, lambda: session.last is not None)
    assert session.last.values.forms == JSON


@pytest.mark.parametrize("forms", [JSON, CBOR])
async def test_the_final_result_says_the_same_in_any_form(make_session, forms):
    session = make_session()
    peer = Reader(forms)
    session.subscribers.add_channel(peer)
    await comes(session, peer, forms)
    await session.end("enough")
    (final,) = peer.finals
    said = plain(final.encode(form=Form.CBOR))
    assert said["total"] == int(final.fragments["total"]) == said["seen"]
    assert said["final"] is True
    assert len(said["landmarks"]) == 33


async def test_a_worker_that_is_replaced_keeps_the_form(make_session, pool):
    session = make_session()
    peer = Reader(CBOR)
    session.subscribers.add_channel(peer)
    await comes(session, peer, CBOR)
    os.kill(pool.workers[0].pid, signal.SIGKILL)
    await until(session, lambda: peer.notices)
    assert peer.notices[0]["type"] == "analyzers_restarted"
    mark = len(peer.came_in)
    await until(session, lambda: len(peer.came_in) > mark + 5)
    assert set(peer.came_in[mark:]) == {CBOR}, "it is told before it gets a frame"
