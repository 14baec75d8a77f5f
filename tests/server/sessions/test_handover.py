"""The book of sessions: what stands in it, when it changes, and what is made of it."""

import asyncio
import json

import pytest

from analyzers.registry import find
from server.security.identity import Identity
from server.sessions import handover
from server.sessions.handover import MAX_BOOK_BYTES, SessionBook
from server.sessions.manager import Limits, SessionManager
from server.sessions.metrics import Metrics
from server.sessions.state import SessionState
from server.workers.pool import WorkerPool
from tests.support.server import COUNTER

RESUME_WINDOW_S = 60.0
OPTIONS = {COUNTER: {"reference": "sealed once, opened now", "size": float("inf"), "n": 2**70}}

ANN = Identity("ann", frozenset(), client="ann")


@pytest.fixture
async def make_manager():
    """Managers as they are at a server's start, without a worker."""
    made = []

    def make(places=4, window_s=RESUME_WINDOW_S, analyzer=COUNTER):
        pool = WorkerPool(1, find([analyzer]))
        manager = SessionManager(pool, [analyzer], Limits(places, window_s), (), Metrics())
        made.append(manager)
        return manager

    yield make
    for manager in made:
        await manager.drain("the test is over")


def lose(manager, number, options=None, name=None):
    """A session that waits for its peer."""
    session = manager.expect(f"{number:016x}", [COUNTER], ANN, name)
    session.options.update(options or {})
    return session


async def test_a_session_goes_on_as_it_was(make_manager):
    before = make_manager()
    lost = lose(before, 1, OPTIONS, "yard")
    book = SessionBook(before).changed()
    assert b"\n" not in book, "a line on the supervisor's pipe"
    after = make_manager()
    handover.go_on(after, book)
    (session,) = after.resumable
    for attribute in ("sid", "resume_token", "owner", "client", "name", "analyzers", "options"):
        assert getattr(session, attribute) == getattr(lost, attribute), attribute
    assert session.created_at_ms == lost.created_at_ms
    assert session.restarts == lost.restarts + 1
    assert session.history == [SessionState.NEW, SessionState.DISCONNECTED]
    assert after.known.published("yard") is session


async def test_what_has_no_peer_of_its_own_is_not_in_it(make_manager):
    manager = make_manager()
    manager.open_direct(None)
    assert SessionBook(manager).changed() == b"[]"


async def test_it_is_told_when_it_changes(make_manager):
    manager = make_manager()
    book = SessionBook(manager)
    assert book.changed() == b"[]", "the one of the process before holds no longer"
    assert book.changed() is None
    session = lose(manager, 1)
    assert json.loads(book.changed())[0]["id"] == session.sid
    assert book.changed() is None
    session.configure({COUNTER: {"speed": 3}})
    assert json.loads(book.changed())[0]["options"] == {COUNTER: {"speed": 3}}
    session.name = "yard"
    assert json.loads(book.changed())[0]["name"] == "yard"
    await manager.end(session.sid, "the test ends it")
    assert book.changed() == b"[]"


async def test_it_has_a_bound_beyond_which_options_are_left_out(make_manager):
    before = make_manager(64)
    large = {COUNTER: {"note": "x" * 60_000}}
    for number in range(20):
        lose(before, number, large)
    book = SessionBook(before).changed()
    assert len(book) < MAX_BOOK_BYTES + 20 * 400
    after = make_manager(64)
    handover.go_on(after, book)
    options = [session.options for session in after.resumable]
    assert len(options) == 20
    assert options[:17] == [large] * 17
    assert options[17:] == [{}] * 3


async def test_who_finds_no_room_or_no_analyzer_does_not_go_on(make_manager):
    before = make_manager()
    for number in range(3):
        lose(before, number)
    book = SessionBook(before).changed()
    small = make_manager(places=2)
    handover.go_on(small, book)
    assert [session.sid for session in small.resumable] == [f"{n:016x}" for n in range(2)]
    other = make_manager(analyzer="tests.support.models:Faulty")
    handover.go_on(other, book)
    assert other.resumable == []


async def test_who_does_not_come_back_is_ended(make_manager):
    before = make_manager()
    lose(before, 1)
    after = make_manager(window_s=0.1)
    handover.go_on(after, SessionBook(before).changed())
    (session,) = after.resumable
    await asyncio.wait_for(session.ended.wait(), 60)
    assert session.end_reason == "the peer went away"


@pytest.mark.parametrize("book", [b"", b"[]", b'[{"id": "0"', b'[{"unheard": "of"}]', b"[1]"])
async def test_a_server_starts_with_a_book_that_has_nothing_to_read(make_manager, book):
    manager = make_manager()
    handover.go_on(manager, book)
    assert manager.resumable == []
