"""Places: an offer that is refused takes none, whatever it is refused for."""

import asyncio

import pytest

from analyzers.registry import find
from server.sessions.chosen_analyzers import MAX_OPTIONS_BYTES
from server.sessions.manager import Limits, SessionManager
from server.sessions.metrics import Metrics
from server.sessions.state import SessionState
from server.workers.pool import WorkerPool
from signaling.errors import BadMessage, Busy, TooLarge
from tests.support.server import COUNTER

REFUSED = [
    (["nobody"], {}, BadMessage),
    (None, {"nobody": {}}, BadMessage),
    (None, {COUNTER: {"note": "x" * MAX_OPTIONS_BYTES}}, TooLarge),
]


@pytest.fixture
async def full():
    """A manager with one place, and the session that has it, whose peer is away."""
    pool = WorkerPool(1, find([COUNTER]))
    pool.start()
    await asyncio.wait_for(pool.became_ready.wait(), 60)
    manager = SessionManager(pool, [COUNTER], Limits(1, 60.0), (), Metrics())
    waiting = manager.open_direct(None, owner="ann")
    waiting.disconnect()
    yield manager, waiting
    await manager.drain("the test is over")
    await pool.stop()


async def test_who_is_refused_or_another_pushes_nobody_out_and_its_own_subject_does(full):
    manager, waiting = full
    for analyzers, options, refused in REFUSED:
        with pytest.raises(refused):
            manager.open_direct(analyzers, options, "ann")
    with pytest.raises(Busy):
        manager.open_direct(None, owner="bob")
    # What would end it are tasks, and its worker, which answers at once.
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(waiting.ended.wait(), 1)
    assert waiting.history[-1] is SessionState.DISCONNECTED
    manager.open_direct(None, owner="ann")
    await asyncio.wait_for(waiting.ended.wait(), 60)
    assert waiting.end_reason == "its place was needed"
