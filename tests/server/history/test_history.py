"""Trainings get to the database: also when it was away, full, or somebody else's meanwhile."""

import asyncio
import contextlib
import threading

import cbor2
import pytest
from sqlalchemy import event

from server.history import drafts as drafts_module
from server.history import history as history_module
from server.history import store as store_module
from server.history.drafts import Told
from server.history.errors import DatabaseAway
from server.history.history import History, Overloaded
from server.history.keys import Keys
from server.history.opening import open_database
from server.history.training import MOST_REPETITIONS
from tests.support.trainer import told

ANN, BOB = "name:ann", "name:bob"
SUMMARY = {"created_at": 1_700_000_000_000, "final": None}


@pytest.fixture(autouse=True)
def quickly(monkeypatch):
    monkeypatch.setattr(history_module, "WRITES_EVERY_S", 0.01)


class Server:
    """A history and the sessions that it asks about."""

    def __init__(self, address, unused, by_subject=False):
        self.store, self.reader = open_database(address, unused)
        self.sessions = {}
        self.told = []
        self.history = History(
            *(self.store, self.reader, Keys(by_subject), self.sessions.get, self.tell),
            first_pause_s=0.02,
        )

    def tell(self, session, code, message):
        self.told.append((session, code))

    def repetition(self, session, name, number=0, subject=None):
        self.sessions[session] = Told(session, subject, name)
        self.history.tell("repetition", {"session": session, "repetition": told(number)})

    def end(self, session, **final):
        self.history.tell("session.ended", {"session": session, "summary": {**SUMMARY, **final}})

    async def reps(self, key):
        """How many repetitions the database has of each of somebody's trainings."""
        found, _ = await self.history.ask(self.reader.trainings, key, None, 100)
        return [sum(each["reps"] for each in training["sets"]) for training in found]

    async def until(self, key, reps):
        async with asyncio.timeout(60):
            while True:
                with contextlib.suppress(DatabaseAway):
                    if await self.reps(key) == reps:
                        return
                await asyncio.sleep(0.02)

    async def until_status(self, condition):
        async with asyncio.timeout(60):
            while not condition(self.history.status):
                await asyncio.sleep(0.02)


@contextlib.asynccontextmanager
async def serving(address, tmp_path, **how):
    server = Server(address, tmp_path / "unused", **how)
    server.history.open()
    try:
        yield server
    finally:
        await server.history.close()


async def test_a_training_is_there_while_it_goes_on_and_when_it_is_over(address, tmp_path):
    async with serving(address, tmp_path) as server:
        server.repetition("s1", "ann")
        await server.until(ANN, [1])
        server.repetition("s1", "ann", 1)
        await server.until(ANN, [2])
        server.end("s1", final={"exercise_summary": {"repetitions": [told(2)]}})
        await server.until(ANN, [3])
        await server.until_status(lambda now: now.waiting == 0)


async def test_it_is_there_after_a_restart_and_what_was_not_written_is_at_the_end(
    address, tmp_path
):
    async with serving(address, tmp_path) as server:
        server.repetition("s1", "ann")
        await server.until(ANN, [1])
        server.repetition("s1", "ann", 1)
        server.end("s1")
    async with serving(address, tmp_path) as server:
        await server.until(ANN, [2])


async def test_whose_it_is(address, tmp_path):
    async with serving(address, tmp_path) as server:
        server.repetition("s1", None)
        server.repetition("s2", "camera")
        server.repetition("s3", "ann")
        await server.until(ANN, [1])
        server.repetition("s3", "bob", 1)
        await server.until(ANN, [2])
        found = await server.history.ask(server.reader.athletes, "name:", None, "name:", 9)
        assert [each["key"] for each in found] == [ANN]
    async with serving(address, tmp_path, by_subject=True) as server:
        server.repetition("s4", "ann", subject="ann")
        await server.until("subject:ann", [1])
        assert await server.reps(ANN) == [2], "a name is no subject"


async def test_a_session_without_anything_is_no_training(address, tmp_path):
    async with serving(address, tmp_path) as server:
        server.sessions["s1"] = Told("s1", None, "ann")
        server.end("s1", final={"exercise_summary": {"repetitions": [], "exercises": {}}})
        server.repetition("s2", "bob")
        await server.until(BOB, [1])
        assert await server.reps(ANN) == []


async def test_a_full_disk(tmp_path):
    address = f"sqlite:///{tmp_path}/history.sqlite"
    is_full = threading.Event()

    def limit(connection):
        # What SQLite says then is what it says on a full disk: SQLITE_FULL.
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar() if is_full.is_set() else 0
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages or 2**30}")

    async with serving(address, tmp_path) as server:
        event.listen(server.store._engine, "begin", limit)
        server.repetition("s1", "ann")
        await server.until(ANN, [1])
        is_full.set()
        for number in range(1, 200):
            server.repetition("s1", "ann", number)
        await server.until_status(lambda now: not now.is_written)
        assert server.history.status.waiting == 1
        assert server.told == [("s1", "history")]
        server.repetition("s2", "bob")
        assert [session for session, _ in server.told] == ["s1", "s2"], "told once each"
        assert await server.reps(ANN) == [1], "reading goes on"
        server.end("s1")
        is_full.clear()
        await server.until(ANN, [200])
        await server.until(BOB, [1])
        await server.until_status(lambda now: now.is_written and not now.waiting and not now.lost)


async def test_a_database_that_is_away_at_the_start_and_in_between(cluster, tmp_path):
    address = cluster.make("away")
    await asyncio.to_thread(cluster.stop)
    try:
        async with serving(address, tmp_path) as server:
            server.repetition("s1", "ann")
            await server.until_status(lambda now: not now.is_written)
            with pytest.raises(DatabaseAway):
                await server.reps(ANN)
            await asyncio.to_thread(cluster.start)
            await server.until(ANN, [1])
            await asyncio.to_thread(cluster.stop)
            server.repetition("s1", "ann", 1)
            server.end("s1")
            await server.until_status(lambda now: not now.is_written)
            with pytest.raises(DatabaseAway):
                await server.reps(ANN)
            with pytest.raises(DatabaseAway):
                await server.history.forget("name:carl")
            await asyncio.to_thread(cluster.start)
            await server.until(ANN, [2])
    finally:
        with contextlib.suppress(AssertionError):
            await asyncio.to_thread(cluster.start)


async def test_two_servers_on_one_database(cluster, tmp_path):
    address = cluster.make("shared")
    async with serving(address, tmp_path) as one, serving(address, tmp_path) as other:
        for number in range(5):
            one.repetition("s1", "ann", number)
            other.repetition("s2", "ann", number)
            other.repetition("s3", "bob", number)
        for server in (one, other):
            await server.until(ANN, [5, 5])
            await server.until(BOB, [5])
        # Deleted at one, while it goes on at the other.
        assert (await one.history.forget(ANN)).trainings == 2
        other.repetition("s2", "ann", 5)
        other.repetition("s3", "bob", 5)
        await other.until(BOB, [6])
        await other.until_status(lambda now: now.waiting == 0)
        other.repetition("s2", "ann", 6)
        other.end("s2", final={"exercise_summary": {"repetitions": [told(n) for n in range(7)]}})
        other.repetition("s3", "bob", 6)
        await other.until(BOB, [7])
        assert await one.reps(ANN) == []


async def test_what_is_deleted_while_it_goes_on_does_not_come_back(address, tmp_path):
    async with serving(address, tmp_path) as server:
        server.repetition("s1", "ann")
        await server.until(ANN, [1])
        await server.history.forget(ANN)
        server.repetition("s1", "ann", 1)
        server.end("s1", final={"exercise_summary": {"repetitions": [told(0), told(1)]}})
        server.repetition("s2", "bob")
        await server.until(BOB, [1])
        assert await server.reps(ANN) == []
        server.repetition("s3", "ann")
        await server.until(ANN, [1])


async def test_what_waits_has_an_end(tmp_path, monkeypatch):
    monkeypatch.setattr(drafts_module, "MOST_WAITING", 3)
    # Nothing is opened, so nothing is written.
    server = Server(f"sqlite:///{tmp_path}/history.sqlite", tmp_path)
    for number in range(5):
        server.repetition(f"s{number}", "ann")
        server.end(f"s{number}")
    for number in range(MOST_REPETITIONS + 5):
        server.repetition("going", "ann", number)
    now = server.history.status
    assert (now.waiting, now.lost) == (3, 3)
    server.history.open()
    await server.until(ANN, [MOST_REPETITIONS, 1, 1])
    await server.history.close()


async def test_what_waits_is_bounded_in_bytes(tmp_path, monkeypatch):
    monkeypatch.setattr(drafts_module, "MOST_BYTES_WAITING", 10_000)
    server = Server(f"sqlite:///{tmp_path}/history.sqlite", tmp_path)
    for session in ("s1", "s2", "s3"):
        for number in range(3):
            server.repetition(session, "ann", number)
        server.end(session)
    # The oldest went; what goes on is not given up for it.
    for number in range(20):
        server.repetition("going", "ann", number)
    now = server.history.status
    assert now.lost > 0
    assert now.waiting == 4 - now.lost
    server.history.open()
    await server.until(ANN, [20, *[3] * (3 - now.lost)])
    await server.history.close()


async def test_names_are_so_many_and_those_that_are_kept_go_on(address, tmp_path, monkeypatch):
    monkeypatch.setattr(store_module, "MOST_NAMES", 2)
    async with serving(address, tmp_path) as server:
        for session, name in (("s1", "ann"), ("s2", "bob"), ("s3", "carl")):
            server.repetition(session, name)
            await server.until_status(lambda now: now.waiting == 0)
        assert server.told == [("s3", "history_full")], "only once, and nobody else"
        server.repetition("s3", "carl", 1)
        server.repetition("s4", "ann")
        await server.until(ANN, [1, 1])
        assert server.history.status.is_written
        assert (await server.reps("name:carl"), server.told[1:]) == ([], [])
        await server.history.forget(BOB)
        server.repetition("s5", "carl")
        await server.until("name:carl", [1])
    # Of tokens whoever issues them knows how many there are.
    async with serving(address, tmp_path, by_subject=True) as server:
        server.repetition("s6", None, subject="dora")
        await server.until("subject:dora", [1])


async def test_one_that_is_never_taken_does_not_hold_up_the_others(database, address, tmp_path):
    store, _ = database
    with store._engine.begin() as connection:
        connection.exec_driver_sql("CREATE UNIQUE INDEX only_once ON trainings (session)")
    async with serving(address, tmp_path) as one:
        one.repetition("same", "ann")
        one.end("same")
        await one.until(ANN, [1])
        await one.until_status(lambda now: now.waiting == 0)
        one.repetition("same", "ann", 1)
        one.repetition("s2", "bob")
        await one.until(BOB, [1])
        assert one.history.status.is_written
        assert await one.reps(ANN) == [1]


async def test_readers_that_hang_are_bounded_and_block_nobody(tmp_path, monkeypatch):
    monkeypatch.setattr(history_module, "ANSWERS_WITHIN_S", 0.2)
    go_on, begun = threading.Event(), []

    def hang():
        begun.append(1)
        go_on.wait()

    async with serving(f"sqlite:///{tmp_path}/history.sqlite", tmp_path) as server:
        server.repetition("s1", "ann")
        await server.until(ANN, [1])
        asked = [
            asyncio.ensure_future(server.history.ask(hang))
            for _ in range(history_module.MOST_AT_ONCE)
        ]
        await asyncio.sleep(0)
        with pytest.raises(Overloaded):
            await server.history.ask(go_on.wait)
        failed = await asyncio.gather(*asked, return_exceptions=True)
        assert {type(each) for each in failed} == {DatabaseAway}
        server.repetition("s1", "ann", 1)
        await server.until_status(lambda now: now.waiting == 0)
        go_on.set()
        await server.until(ANN, [2])
        assert len(begun) == 2, "a thread each; those that waited for one were given up"


def along(there, here, session):
    """A session goes from one node to another, and what there is of its training with it."""
    kept = there.history.let_go(session)
    here.sessions[session] = there.sessions[session]
    here.history.take_over(session, cbor2.loads(cbor2.dumps(kept)))


async def test_a_session_that_moves_is_one_training(address, tmp_path):
    async with serving(address, tmp_path) as there, serving(address, tmp_path) as here:
        there.repetition("s1", "ann")
        await there.until(ANN, [1])
        there.repetition("s1", "ann", 1)
        along(there, here, "s1")
        await here.until(ANN, [2])
        here.repetition("s1", "ann", 2)
        await here.until(ANN, [3])
        here.end("s1", final={"exercise_summary": {"repetitions": [told(n) for n in range(4)]}})
        await here.until(ANN, [4])
        await there.until_status(lambda now: now.waiting == 0)
    async with serving(address, tmp_path) as server:
        await server.until(ANN, [4])


async def test_of_a_long_training_no_more_goes_along_than_there_is_room_for(
    address, tmp_path, monkeypatch
):
    """What is written stays, and the end of the session tells of all of it."""
    monkeypatch.setattr(drafts_module, "MOST_BYTES_ALONG", 2000)
    async with serving(address, tmp_path) as there, serving(address, tmp_path) as here:
        for number in range(5):
            there.repetition("s1", "ann", number)
        await there.until(ANN, [5])
        along(there, here, "s1")
        here.repetition("s2", "ann")
        await here.until(ANN, [1, 5])
        here.end("s1", final={"exercise_summary": {"repetitions": [told(n) for n in range(6)]}})
        await here.until(ANN, [1, 6])


async def test_what_was_deleted_does_not_come_back_with_a_session_that_moves(address, tmp_path):
    async with serving(address, tmp_path) as there, serving(address, tmp_path) as here:
        there.repetition("s1", "ann")
        await there.until(ANN, [1])
        await there.history.forget(ANN)
        along(there, here, "s1")
        here.repetition("s1", "ann", 1)
        here.end("s1", final={"exercise_summary": {"repetitions": [told(0)]}})
        here.repetition("s2", "bob")
        await here.until(BOB, [1])
        assert await here.reps(ANN) == []


@pytest.mark.parametrize(
    "kept", [{"uid": 3}, {"repetitions": [{"exercise": "squat"}]}, {"began_at_ms": "soon"}]
)
async def test_what_another_version_keeps_is_refused(address, tmp_path, kept):
    async with serving(address, tmp_path) as server:
        server.sessions["s1"] = Told("s1", None, "ann")
        with pytest.raises(ValueError, match="validation error"):
            server.history.take_over("s1", kept)
