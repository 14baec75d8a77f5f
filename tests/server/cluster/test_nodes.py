"""Several media processes that are one server, seen from outside: any of them may answer."""

import asyncio
import contextlib
import itertools
import json
import os
import re
import signal

import aiohttp
import numpy as np
import psutil
import pytest

from client_test import connection
from client_test.client import Arrays, Client
from client_test.errors import Rejected
from client_test.peer import ClientPeer
from server.security import tokens
from server.security.identity import Scope
from tests.support import nodes
from tests.support.nodes import START_WITHIN_S, all_ready, media_processes
from tests.support.server import free_port
from tests.support.tracks import ColourTrack

NODES = 3
WITHIN_S = 60.0
# Each on a connection of its own, which any node may accept.
ASKED = 8
SECRET = "a secret of thirty-two characters or more"


pytestmark = pytest.mark.timeout(400)


def running_nodes(directory, *flags, count=NODES):
    return nodes.running_nodes(directory, count, "--no-camera-enabled", *flags)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with running_nodes(tmp_path_factory.mktemp("server"), "--max-sessions", "12") as running:
        yield running


def node_of(session_id):
    return int(session_id[:2], 16)


async def ask(method, url, **more):
    """As JSON if it is some; over a connection of its own."""
    async with aiohttp.ClientSession() as http, http.request(method, url, **more) as response:
        text = await response.text()
        return response.status, json.loads(text) if text.startswith(("{", "[")) else text


@contextlib.asynccontextmanager
async def streaming(server, count, **more):
    """Peers that stream and get results."""
    async with contextlib.AsyncExitStack() as stack:
        peers = []
        for number in range(count):
            # By turns over a WebSocket and by one request.
            use = ("auto", "http")[number % 2]
            peer = await stack.enter_async_context(ClientPeer(server.url, use=use, **more))
            await peer.connect(ColourTrack())
            peers.append(peer)
        for peer in peers:
            await peer.wait_for(lambda m: "count" in m)
        yield peers


async def test_sessions_are_spread_and_every_node_knows_of_all(server):
    async with streaming(server, 6) as peers:
        ids = {peer.session.id for peer in peers}
        assert len({node_of(each) for each in ids}) > 1
        for _ in range(ASKED):
            status, told = await ask("GET", f"{server.url}/sessions")
            assert status == 200
            assert {session["id"] for session in told["sessions"]} == ids
            created = [session["created_at"] for session in told["sessions"]]
            assert created == sorted(created)
            for sid in ids:
                status, one = await ask("GET", f"{server.url}/sessions/{sid}")
                assert (status, one["id"]) == (200, sid)
            _, health = await ask("GET", f"{server.url}/health")
            assert health["sessions"] == 6
            assert [node["node"] for node in health["nodes"]] == list(range(NODES))
            assert sum(node["sessions"] for node in health["nodes"]) == 6
            assert [worker["index"] for worker in health["workers"]] == list(range(NODES))
            _, metrics = await ask("GET", f"{server.url}/metrics")
            counts = re.findall(
                r'^kinecast_sessions\{node="(\d)",state="streaming"\} (\d+)', metrics, re.M
            )
            assert sorted(number for number, _ in counts) == ["0", "1", "2"]
            assert sum(int(count) for _, count in counts) == 6
            assert metrics.count("# HELP kinecast_sessions ") == 1
        # Its results, and its end, wherever it is asked for.
        for peer in peers:
            async with (
                aiohttp.ClientSession() as http,
                http.get(f"{server.url}/sessions/{peer.session.id}/results") as events,
            ):
                async with asyncio.timeout(WITHIN_S):
                    assert (await events.content.readline()).startswith(b"event: ")
                status, _ = await ask("DELETE", f"{server.url}/sessions/{peer.session.id}")
                assert status == 200
                assert b"event: final" in await asyncio.wait_for(events.read(), WITHIN_S)
    for nobody in ("00aaaaaaaaaaaaaa", "02aaaaaaaaaaaaaa", "ffaaaaaaaaaaaaaa", "nonsense"):
        assert (await ask("GET", f"{server.url}/sessions/{nobody}"))[0] == 404


async def test_a_session_goes_on_through_any_door(server):
    async with streaming(server, 1) as (peer,):
        session = peer.session
    for number in range(ASKED):
        use = ("auto", "http")[number % 2]
        async with ClientPeer(server.url, use=use, resume=session.resume) as again:
            await again.connect(ColourTrack())
            assert again.session == session
            await again.wait_for(lambda m: "count" in m)
    assert (await ask("DELETE", f"{server.url}/sessions/{session.id}"))[0] == 200


@contextlib.asynccontextmanager
async def admitted(server, **wish):
    """A peer that streams; one that came too fast comes again when it is told to."""
    while True:
        peer = ClientPeer(server.url, **wish)
        try:
            await peer.connect(ColourTrack())
            break
        except Rejected as refusal:
            await peer.close()
            if refusal.code != 429:
                raise
            await asyncio.sleep(1)
    async with peer:
        yield peer


async def test_a_name_is_taken_at_all_doors_and_watched_through_any(server):
    async with streaming(server, 1, publish="yard") as (publisher,):
        at = set()
        for number in range(ASKED):
            use = ("auto", "http")[number % 2]
            with pytest.raises(Rejected) as refusal:
                async with admitted(server, use=use, publish="yard"):
                    pass
            assert refusal.value.code == 409
        for number in range(ASKED):
            track = asyncio.get_running_loop().create_future()
            use = ("auto", "http")[number % 2]
            watching = admitted(server, use=use, play="yard", on_track=track.set_result)
            async with watching as viewer:
                at.add(node_of(viewer.session.id))
                await asyncio.wait_for((await track).recv(), WITHIN_S)
        assert len(at) > 1
        assert (await publisher.end())["total"] > 0
    assert (await ask("OPTIONS", f"{server.url}/whep/yard"))[0] == 404


async def test_a_recording_is_written_where_its_video_is_and_asked_for_anywhere(server):
    async with streaming(server, 1, publish="filmed"):
        names = []
        for number in range(4):
            wish = {"source": "filmed", "name": f"film{number}", "seconds": 60}
            status, told = await ask("POST", f"{server.url}/recordings", json=wish)
            assert status == 201, told
            names.append(told["name"])
        for _ in range(ASKED):
            _, listed = await ask("GET", f"{server.url}/recordings")
            assert [each["name"] for each in listed["recordings"]] == names
            assert {each["state"] for each in listed["recordings"]} == {"recording"}
        # What has no picture in it has failed.
        await asyncio.to_thread(
            server.wait_until,
            "/recordings",
            lambda told: all(each["frames"] for each in told["recordings"]),
            WITHIN_S,
        )
        for name in names:
            status, told = await ask("DELETE", f"{server.url}/recordings/{name}")
            assert (status, told["state"]) == (200, "finished")
        for name in names:
            assert (await ask("DELETE", f"{server.url}/recordings/{name}?file=1"))[0] == 200
        assert (await ask("GET", f"{server.url}/recordings"))[1] == {"recordings": []}


async def test_whip_and_its_trickle_go_to_the_node_that_has_the_name(server):
    async with ClientPeer(server.url) as peer:
        connection = peer._new_connection()
        connection.addTrack(ColourTrack())
        connection.createDataChannel("data")
        await connection.setLocalDescription(await connection.createOffer())
        sdp = {
            "data": connection.localDescription.sdp,
            "headers": {"Content-Type": "application/sdp"},
        }
        async with (
            aiohttp.ClientSession() as http,
            http.post(f"{server.url}/whip/door", **sdp) as answer,
        ):
            assert answer.status == 201
            resource, etag = answer.headers["Location"], answer.headers["ETag"]
        for number in range(ASKED):
            headers = {"Content-Type": "application/trickle-ice-sdpfrag", "If-Match": etag}
            line = f"a=mid:0\r\na=candidate:{number} 1 udp {number + 1} 127.0.0.1 9 typ host\r\n"
            status, text = await ask("PATCH", server.url + resource, data=line, headers=headers)
            assert status == 204, text
        assert (await ask("POST", f"{server.url}/whip/door", **sdp))[0] in (201, 409)
        assert (await ask("DELETE", server.url + resource))[0] in (200, 404)


async def test_the_next_port_has_signaling_and_nothing_else(server):
    """At whichever node: what the main port serves is passed on from there alone."""
    url = f"http://127.0.0.1:{server.port + 1}"
    for _ in range(ASKED):
        for path in ("/camera/status", "/frame", "/sessions", "/sessions/00aaaaaaaaaaaaaa"):
            assert (await ask("GET", url + path))[0] == 400
    async with ClientPeer(server.url, use="legacy") as peer:
        await peer.connect(ColourTrack())
        await peer.wait_for(lambda m: "count" in m)
        await peer.end()


async def test_the_camera_is_the_first_nodes_and_all_say_the_same(server):
    for _ in range(ASKED):
        status, told = await ask("GET", f"{server.url}/camera/status")
        assert status == 200
        assert (await ask("GET", f"{server.url}/frame"))[0] == 503
        assert (await ask("OPTIONS", f"{server.url}/whep/camera"))[0] == 503
        assert told == (await ask("GET", f"{server.url}/camera/status"))[1]


async def test_there_is_room_for_as_many_as_the_whole_server_has(server):
    async with streaming(server, 12) as peers:
        assert {node_of(peer.session.id) for peer in peers} == set(range(NODES))
        async with ClientPeer(server.url) as one_more:
            with pytest.raises(Rejected) as refusal:
                await one_more.connect(ColourTrack())
        assert refusal.value.code in (429, 503)


async def test_a_node_that_is_killed_takes_its_own_with_it_and_comes_back(server):
    async with (
        streaming(server, 4) as peers,
        streaming(server, 1, publish="mortal") as (published,),
    ):
        doomed = node_of(published.session.id)
        others = [peer for peer in peers if node_of(peer.session.id) != doomed]
        assert others
        before = media_processes(server)[doomed]
        before.send_signal(signal.SIGKILL)
        # Back at once, at another node, under the same name; the old token opens a new one.
        async with asyncio.timeout(WITHIN_S):
            while True:
                try:
                    again = ClientPeer(
                        server.url, publish="mortal", resume=published.session.resume
                    )
                    await again.connect(ColourTrack())
                    break
                except (Rejected, aiohttp.ClientError, OSError):
                    await again.close()
                    await asyncio.sleep(0.05)
        async with again:
            assert again.session.id != published.session.id
            await again.wait_for(lambda m: "count" in m)
            for peer in others:
                now = await peer.wait_for(lambda m: "count" in m)
                await peer.wait_for(lambda m, n=now: m.get("count", 0) > n["count"] + 10)
            await asyncio.to_thread(server.wait_until, "/health", all_ready, START_WITHIN_S)
            assert media_processes(server)[doomed].pid != before.pid


async def test_a_client_learns_of_its_nodes_death_by_its_socket(server, monkeypatch):
    """And not by silence alone, which may as well be the network's."""
    monkeypatch.setattr(connection, "LOST_AFTER_S", 10 * WITHIN_S)
    pictures = itertools.repeat(np.full((96, 128, 3), 128, np.uint8))
    async with Client(server.url, Arrays(pictures, 10.0), give_up_after_s=WITHIN_S) as client:
        results, first = aiter(client), client.session
        await anext(results)
        media_processes(server)[node_of(first.id)].send_signal(signal.SIGKILL)
        # Before ICE gives up.
        async with asyncio.timeout(25):
            while client.session.id == first.id:
                await anext(results)
    await asyncio.to_thread(server.wait_until, "/health", all_ready, START_WITHIN_S)


async def test_a_node_that_stands_still_holds_up_nobody_else(server):
    victim = media_processes(server)[1]
    victim.suspend()
    try:
        status, _ = await asyncio.wait_for(ask("GET", f"{server.url}/sessions"), WITHIN_S)
        assert status == 200
        _, health = await ask("GET", f"{server.url}/health")
        assert [node["ready"] for node in health["nodes"]] == [True, False, True]
        assert health["status"] == "degraded"
        # The first may go to it, before its silence is noticed, and then to another one.
        async with streaming(server, 4, timeout_s=WITHIN_S):
            pass
    finally:
        # After ten seconds its supervisor has ended it.
        with contextlib.suppress(psutil.NoSuchProcess):
            victim.resume()
    await asyncio.to_thread(server.wait_until, "/health", all_ready, START_WITHIN_S)


async def test_the_parent_may_stand_still(server):
    """It holds the registry: what streams goes on, and whoever comes after it is served."""
    before, parent = media_processes(server), psutil.Process(server.process.pid)
    async with streaming(server, 3, timeout_s=WITHIN_S) as peers:
        parent.suspend()
        try:
            # Longer than a node is silent to be taken for one that stands still.
            await asyncio.sleep(6.0)
            for peer in peers:
                newest = peer.received[-1].get("frame", {}).get("number", 0)
                await peer.wait_for(
                    lambda m, since=newest: m.get("frame", {}).get("number", 0) > since
                )
        finally:
            parent.resume()
        async with streaming(server, 3, timeout_s=WITHIN_S):
            pass
    await asyncio.to_thread(server.wait_until, "/health", all_ready, START_WITHIN_S)
    assert media_processes(server) == before


async def test_who_may_do_what_is_asked_at_the_door_and_kept_at_the_node(tmp_path):
    def token(subject, *scopes):
        return tokens.issue(SECRET, scopes or (Scope.PUBLISH, Scope.VIEW), 3600, subject)

    ann, bob, root = token("ann"), token("bob"), token("root", Scope.CONTROL)
    base = free_port()
    flags = ("--auth-secret", SECRET, "--ice-port", str(base))
    with running_nodes(tmp_path, *flags, count=2) as server:
        async with contextlib.AsyncExitStack() as stack:
            peers = []
            for _ in range(4):
                peer = await stack.enter_async_context(ClientPeer(server.url, token=ann))
                await peer.connect(ColourTrack())
                peers.append(peer)
            ports = {
                re.search(r"candidate:.* 127.0.0.1 (\d+) ", p.connection.remoteDescription.sdp)[1]
                for p in peers
            }
            assert ports <= {str(base), str(base + 1)}

            async def status(method, path, who, **more):
                headers = {"Authorization": f"Bearer {who}"} if who else {}
                # Nobody but a node may say for whom it asks.
                headers["X-Kinecast-Identity"] = '["root", ["control"], "root"]'
                return (await ask(method, server.url + path, headers=headers, **more))[0]

            for peer in peers:
                path = f"/sessions/{peer.session.id}"
                for _ in range(3):
                    assert await status("GET", path, ann) == 200
                    assert await status("GET", path, bob) == 403
                    assert await status("GET", path, root) == 200
                    assert await status("GET", path, None) == 401
            headers = {"Authorization": f"Bearer {bob}"}
            for _ in range(4):
                _, told = await ask("GET", f"{server.url}/sessions", headers=headers)
                assert told["sessions"] == []


def gone(process):
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


async def test_when_the_parent_is_killed_nothing_stays(tmp_path):
    with running_nodes(tmp_path) as server:
        family = psutil.Process(server.process.pid).children(recursive=True)
        assert len(family) >= 2 * NODES
        os.kill(server.process.pid, signal.SIGKILL)
        async with asyncio.timeout(WITHIN_S):
            while not all(map(gone, family)):
                await asyncio.sleep(0.05)


async def test_it_stops_in_order(tmp_path):
    with running_nodes(tmp_path) as server:
        async with streaming(server, 3) as peers:
            family = psutil.Process(server.process.pid).children(recursive=True)
            server.process.send_signal(signal.SIGTERM)
            finals = await asyncio.gather(*(p.wait_for(lambda m: m.get("final")) for p in peers))
            assert all(final["total"] > 0 for final in finals)
            assert await asyncio.to_thread(server.process.wait, 60) == 0
        async with asyncio.timeout(WITHIN_S):
            while not all(map(gone, family)):
                await asyncio.sleep(0.05)
