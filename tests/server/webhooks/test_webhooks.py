"""Events arrive signed, once, in order, and also those that nobody took for a while."""

import asyncio
import contextlib
import socket
import sqlite3
import time

import aiohttp
import psutil
import pytest

from client_test.peer import ClientPeer
from server.config import BadSettings, parse_settings
from server.webhooks.outbox import MOST, Outbox
from server.webhooks.webhooks import Webhooks
from tests.server.webhooks.conftest import SECRET
from tests.support.forked import Command
from tests.support.server import COUNTER, running_server
from tests.support.squatter import SQUATTER
from tests.support.tracks import ColourTrack


def kinds(receiver):
    return [event["type"] for event in receiver.events]


@pytest.fixture
def make(tmp_path, receiver):
    return lambda: Webhooks(receiver.url, SECRET, tmp_path / "kept" / "hooks", first_pause_s=0.05)


async def test_in_order_and_once(receiver, make):
    async with receiver.running():
        hooks = make()
        hooks.open()
        for number in range(50):
            hooks.tell("count", {"number": number})
        await receiver.until(lambda r: len(r.events) == 50)
        await hooks.close()
    assert [event["data"]["number"] for event in receiver.events] == list(range(50))
    assert len(set(receiver.ids)) == 50
    assert all(event["timestamp"] > 1_600_000_000_000 for event in receiver.events)


async def test_one_that_is_not_taken_is_sent_again_and_holds_up_those_behind_it(receiver, make):
    receiver.status = 500
    async with receiver.running():
        hooks = make()
        hooks.open()
        hooks.tell("first", {})
        hooks.tell("second", {})
        await receiver.until(lambda r: len(r.ids) >= 3)
        assert len(set(receiver.ids)) == 1, "the first, again and again"
        receiver.status = 204
        await receiver.until(lambda r: len(r.events) == 2)
        await hooks.close()
    assert kinds(receiver) == ["first", "second"]


async def test_a_file_that_can_not_be_written_for_a_while_ends_nothing(receiver, make, tmp_path):
    receiver.status = 500
    async with receiver.running():
        hooks = make()
        hooks.open()
        hooks.tell("first", {})
        await receiver.until(lambda r: r.ids)
        with contextlib.closing(
            sqlite3.connect(tmp_path / "kept" / "hooks", isolation_level=None)
        ) as other:
            other.execute("BEGIN IMMEDIATE")
            receiver.status = 204
            # It is taken, and can not be crossed out, for which SQLite waits five seconds.
            await receiver.until(lambda r: len(r.events) >= 2)
            other.execute("ROLLBACK")
        hooks.tell("second", {})
        await receiver.until(lambda r: "second" in kinds(r))
        await hooks.close()
    assert set(kinds(receiver)) == {"first", "second"}


async def test_what_nobody_took_is_there_after_a_restart(receiver, make, tmp_path):
    async with receiver.running():
        pass
    hooks = make()
    hooks.open()
    for number in range(3):
        hooks.tell("count", {"number": number})
    await hooks.close()
    assert (tmp_path / "kept" / "hooks").stat().st_mode & 0o077 == 0, "nobody else reads it"
    async with receiver.running():
        hooks = make()
        hooks.open()
        hooks.tell("count", {"number": 3})
        await receiver.until(lambda r: len(r.events) == 4)
        await hooks.close()
    assert [event["data"]["number"] for event in receiver.events] == [0, 1, 2, 3]


def test_the_oldest_give_way(tmp_path):
    outbox = Outbox(tmp_path / "hooks")
    lost = [outbox.put(str(number), b"{}") for number in range(MOST + 5)]
    assert lost == [0] * MOST + [1] * 5
    assert outbox.first().event_id == "5"
    outbox.close()


async def test_a_session_from_its_start_to_its_end(receiver, tmp_path):
    flags = ("--analyzers", COUNTER, "--workers", "1", "--record-to", str(tmp_path / "kept"))
    async with receiver.running():
        hook = ("--webhook", receiver.url, "--webhook-secret", SECRET)
        with running_server(tmp_path, *flags, *hook) as server:
            async with ClientPeer(server.url, publish="yard") as peer:
                await peer.connect(ColourTrack())
                await peer.wait_for(lambda m: m.get("count", 0) > 3)
                await peer.end()
                await receiver.until(lambda r: "session.ended" in kinds(r))
                peer.send({"ParticipantID": "A-17"})
                await receiver.until(lambda r: "session.note" in kinds(r))
        await receiver.until(lambda r: "unpublished" in kinds(r))
    assert kinds(receiver)[0] in ("session.started", "published")
    assert {*kinds(receiver)} == {
        *("session.started", "published", "recording.closed", "session.ended"),
        *("session.note", "unpublished"),
    }
    by_kind = {event["type"]: event["data"] for event in receiver.events}
    assert {data["session"] for data in by_kind.values()} == {peer.session.id}
    summary = by_kind["session.ended"]["summary"]
    assert summary["end_reason"] == "the client ended it"
    assert summary["final"]["total"] > 3
    assert by_kind["session.note"]["note"]["ParticipantID"] == "A-17"
    assert by_kind["published"]["name"] == "yard"


async def test_each_repetition_is_told_once(receiver, tmp_path):
    async with receiver.running():
        hook = ("--webhook", receiver.url, "--webhook-secret", SECRET)
        with running_server(tmp_path, "--analyzers", SQUATTER, "--workers", "1", *hook) as server:
            async with ClientPeer(server.url) as peer:
                await peer.connect(ColourTrack())
                await peer.wait_for(lambda m: m.get("reps", 0) >= 3)
                await peer.end()
            await receiver.until(lambda r: "session.ended" in kinds(r))
    told = [e["data"]["repetition"] for e in receiver.events if e["type"] == "repetition"]
    assert [each["number"] for each in told[:3]] == [1, 2, 3]
    assert len({each["number"] for each in told}) == len(told)


async def test_a_recording_that_somebody_asked_for(receiver, tmp_path):
    flags = ("--analyzers", COUNTER, "--workers", "1", "--camera", "pattern")
    flags += ("--camera-size", "320x180", "--recordings", str(tmp_path / "kept"))
    async with receiver.running(), aiohttp.ClientSession() as http:
        hook = ("--webhook", receiver.url, "--webhook-secret", SECRET)
        with running_server(tmp_path, *flags, *hook) as server:
            wish = {"source": "camera", "name": "yard"}
            async with http.post(f"{server.url}/recordings", json=wish) as response:
                assert response.status == 201
            await asyncio.to_thread(
                server.wait_until, "/recordings", lambda r: r["recordings"][0]["frames"] > 5
            )
            async with http.delete(f"{server.url}/recordings/yard") as response:
                assert response.status < 300
            await receiver.until(lambda r: r.events)
    (event,) = receiver.events
    assert (event["type"], event["data"]["recording"]) == ("recording.closed", "yard")
    assert event["data"]["frames"] > 5
    assert "session" not in event["data"]


async def test_a_worker_that_is_replaced(receiver, tmp_path):
    flags = ("--analyzers", COUNTER, "--workers", "1")
    async with receiver.running():
        hook = ("--webhook", receiver.url, "--webhook-secret", SECRET)
        with running_server(tmp_path, *flags, *hook) as server:
            async with ClientPeer(server.url) as peer:
                await peer.connect(ColourTrack())
                await peer.wait_for(lambda m: m.get("count", 0) > 3)
                (worker,) = server.get("/health")["workers"]
                psutil.Process(worker["pid"]).kill()
                await receiver.until(lambda r: "worker.replaced" in kinds(r))
                await peer.end()
            await receiver.until(lambda r: "session.ended" in kinds(r))
    assert kinds(receiver) == ["session.started", "worker.replaced", "session.ended"]
    told = receiver.events[1]["data"]
    assert told["session"] == peer.session.id
    assert "signal 9" in told["reason"]
    assert receiver.events[2]["data"]["summary"]["restarts"] == 1


async def test_a_worker_that_is_replaced_without_a_session(receiver, tmp_path):
    flags = ("--analyzers", COUNTER, "--workers", "2")
    async with receiver.running():
        hook = ("--webhook", receiver.url, "--webhook-secret", SECRET)
        with running_server(tmp_path, *flags, *hook) as server:
            health = server.wait_until("/health", lambda h: all(w["ready"] for w in h["workers"]))
            psutil.Process(health["workers"][1]["pid"]).kill()
            await receiver.until(lambda r: r.events)
    (event,) = receiver.events
    assert (event["type"], event["data"]["worker"]) == ("worker.replaced", 1)
    assert "signal 9" in event["data"]["reason"]


async def test_a_killed_servers_events_are_sent_by_the_next_one(receiver, tmp_path):
    async with receiver.running():
        pass
    flags = ("--analyzers", COUNTER, "--workers", "1", "--webhook", receiver.url)
    flags += ("--webhook-secret", SECRET)
    with running_server(tmp_path, *flags) as server:
        async with ClientPeer(server.url) as peer:
            await peer.connect(ColourTrack())
            await peer.wait_for(lambda m: m.get("count", 0) > 3)
            await peer.end()
        await asyncio.to_thread(wait_until_two_wait, tmp_path / "data" / "kinecast")
        server.process.kill()
        server.process.wait()
    assert receiver.events == []
    async with receiver.running():
        with running_server(tmp_path, *flags, port=server.port):
            await receiver.until(lambda r: len(r.events) == 2)
    assert kinds(receiver) == ["session.started", "session.ended"]
    assert {event["data"]["session"] for event in receiver.events} == {peer.session.id}


def wait_until_two_wait(folder):
    deadline = time.monotonic() + 30
    count = 0
    while count < 2:
        assert time.monotonic() < deadline, f"{count} events wait"
        (path,) = folder.glob("webhooks-*.sqlite")
        with contextlib.closing(sqlite3.connect(path)) as outbox:
            (count,) = outbox.execute("SELECT count(*) FROM events").fetchone()
        time.sleep(0.05)


async def test_also_where_there_is_only_the_websocket(receiver, tmp_path):
    async with receiver.running():
        hook = ("--webhook", receiver.url, "--webhook-secret", SECRET, "--websocket-only")
        with running_server(tmp_path, "--analyzers", COUNTER, "--workers", "1", *hook) as server:
            await asyncio.to_thread(wait_until_it_listens, server.port + 1)
            async with ClientPeer(server.url, use="legacy") as peer:
                await peer.connect(ColourTrack())
                await peer.wait_for(lambda m: m.get("count", 0) > 2)
                await peer.end()
            await receiver.until(lambda r: "session.ended" in kinds(r))
    assert kinds(receiver) == ["session.started", "session.ended"]


def wait_until_it_listens(port):
    for _ in range(600):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.1)


async def run(*arguments):
    command = Command("server", "webhook", *arguments)
    out, err = await asyncio.to_thread(command.communicate, 60)
    return command.returncode, out, err


async def test_the_command_sends_one(receiver):
    async with receiver.running():
        status, out, _ = await run("test", receiver.url, "--webhook-secret", SECRET)
        assert (status, kinds(receiver)) == (0, ["test"])
        assert "took it" in out
        receiver.status = 403
        status, _, err = await run("test", receiver.url, "--webhook-secret", SECRET)
        assert (status, "it answers 403" in err) == (1, True)
    status, _, err = await run("test", "hook")
    assert (status, err.count("\n"), "https://host/path" in err) == (2, 1, True)


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        (("--webhook", "host"), "give an address as https://host/path"),
        (("--webhook", "http://host/x"), "needs --webhook-secret"),
        (("--webhook", "http://host/x", "--webhook-secret", "short"), "shorter than 16"),
        (("--webhook", "http://host/x", "--webhook-secret", "whsec_@@@@@@@@@@@@"), "base64 is due"),
    ],
)
def test_settings_that_can_not_be_used(flags, says):
    with pytest.raises(BadSettings, match=says) as raised:
        parse_settings(flags)
    assert "short" not in str(raised.value).replace("shorter", "")


def test_the_secret_is_not_printed():
    settings = parse_settings(["--webhook", "http://host/x", "--webhook-secret", SECRET])
    assert SECRET not in repr(settings)
