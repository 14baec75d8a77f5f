"""One server on two machines of a real Ray cluster, while parts of it are killed.

`make test-ray` runs it, in an environment of its own that has Ray.
"""

import asyncio
import contextlib
import os
import re
import signal
from importlib.util import find_spec

import aiohttp
import psutil
import pytest

from client_test.errors import Rejected
from client_test.peer import ClientPeer
from server.cluster.secure_port import read_address
from tests.support.ray_cluster import HEAD, WITHIN_S, running_ray
from tests.support.tracks import ColourTrack

pytestmark = [
    pytest.mark.skipif(find_spec("ray") is None, reason="needs Ray: make test-ray runs it"),
    pytest.mark.timeout(900),
]


@pytest.fixture(scope="module")
def machines(tmp_path_factory):
    with running_ray(tmp_path_factory.mktemp("ray")) as ray:
        yield ray


@pytest.fixture(scope="module")
def ray(machines):
    """With a node on each machine."""

    status, _, error = machines.start()
    assert status == 0, error
    # The second machine may not have been there yet.
    assert machines.cluster("scale", "2")[0] == 0
    return machines


@pytest.fixture
def nodes(ray):
    """What status tells, when all is well: a test before may have killed something."""
    return ray.wait_until(
        lambda nodes: (
            len(nodes) == 2 and all(each["serves"] and each["pid"] for each in nodes.values())
        )
    )


@pytest.fixture
async def ready(ray, nodes):
    """The doors of both, by number, whose workers take frames."""
    urls = {number: each["url"] for number, each in nodes.items()}
    async with asyncio.timeout(WITHIN_S):
        for url in urls.values():
            while True:
                with contextlib.suppress(aiohttp.ClientError):
                    told = await get(f"{url}/health")
                    if told["status"] == "ok" and len(told["nodes"]) == 2:
                        break
                await asyncio.sleep(0.1)
    return urls


async def get(url):
    async with aiohttp.ClientSession() as http, http.get(url) as response:
        return await response.json()


def node_of(peer):
    return int(peer.session.id[:2], 16)


@contextlib.asynccontextmanager
async def streaming(url, node=None, **more):
    """A peer that streams and gets results; at a certain node, if one is wished for."""
    async with contextlib.AsyncExitStack() as stack, asyncio.timeout(WITHIN_S):
        while True:
            peer = await stack.enter_async_context(ClientPeer(url, **more))
            try:
                await peer.connect(ColourTrack())
            except Rejected as refusal:
                if refusal.code not in (429, 503):
                    raise
                await asyncio.sleep(1)
                continue
            if node in (None, node_of(peer)):
                break
            await peer.end()
        await peer.wait_for(lambda m: "count" in m)
        kept = stack.pop_all()
    async with kept:
        yield peer


async def goes_on(peer, frames=30):
    """Results go on coming, of the same session."""
    async with asyncio.timeout(WITHIN_S):
        now = await peer.wait_for(lambda m: "count" in m)
        await peer.wait_for(lambda m: m.get("count", 0) > now["count"] + frames)
    assert peer.connection.connectionState == "connected"


def media_process(node):
    """The child of its supervisor, which is the keeper's child."""
    (media,) = psutil.Process(node["pid"]).children()
    return media


def kill(pid):
    os.kill(pid, signal.SIGKILL)


async def test_an_offer_to_one_machine_is_placed_on_another(ready):
    async with (
        streaming(ready[0], node=1) as there,
        streaming(ready[1], node=0, use="http") as here,
    ):
        for url in ready.values():
            told = await get(f"{url}/sessions")
            assert {each["id"] for each in told["sessions"]} >= {there.session.id, here.session.id}
            for peer in (there, here):
                assert (await get(f"{url}/sessions/{peer.session.id}"))["id"] == peer.session.id
        await goes_on(there)
        await goes_on(here)


async def test_a_session_goes_on_through_the_other_door(ready):
    async with streaming(ready[0], node=1) as peer:
        session = peer.session
        await peer.vanish()
    for url in (ready[0], ready[1]):
        async with streaming(url, resume=session.resume) as again:
            assert again.session == session
            await again.vanish()


async def test_a_name_is_taken_and_watched_at_both_doors(ready):
    async with streaming(ready[0], node=1, publish="yard"):
        async with ClientPeer(ready[1], publish="yard") as second:
            with pytest.raises(Rejected) as refusal:
                await second.connect(ColourTrack())
        assert refusal.value.code == 409
        track = asyncio.get_running_loop().create_future()
        async with ClientPeer(ready[0], play="yard", on_track=track.set_result) as viewer:
            await viewer.connect(ColourTrack())
            async with asyncio.timeout(WITHIN_S):
                await (await track).recv()


def test_a_node_has_nothing_of_rays_but_its_keeper(ray, nodes):
    for node in nodes.values():
        supervisor, media = psutil.Process(node["pid"]), media_process(node)
        assert supervisor.ppid() == node["keeper"]
        for process in (supervisor, media):
            environ = process.environ()
            assert not [name for name in environ if name.startswith("RAY_")]
            assert "OMP_NUM_THREADS" not in environ
            loaded = " ".join(each.path for each in process.memory_maps())
        assert "_raylet" not in loaded
        assert "uvloop" not in loaded
        # As all else is, or better where the node has the right.
        assert media.nice() <= psutil.Process().nice()
        assert node["warnings"] == [] or media.nice() > 0


def test_status_is_a_table(ray, nodes):
    status, said, _ = ray.cluster("status")
    assert status == 0
    for node in nodes.values():
        line = next(line for line in said.splitlines() if f" {node['node']} " in line)
        for cell in (node["machine"], node["version"], node["url"]):
            assert cell in line


def test_it_is_asked_from_elsewhere(ray, nodes):
    # On a machine that does something else, what Ray starts for a client may take longer than the
    # 30 s that it waits for it.
    for _ in range(4):
        status, said, error = ray.cluster("status", "--cluster", f"ray://{HEAD}:{ray.client_port}")
        if status == 0:
            break
        assert "Starting Ray client server failed" in error
    assert status == 0, error
    assert "127.0.0.3" in said
    status, _, error = ray.cluster("status", "--cluster", f"ray://{HEAD}:1")
    assert status == 2
    assert "there is no Ray cluster to be reached" in error


async def test_a_stranger_at_a_nodes_port_hears_nothing(ready, nodes):
    for node in nodes.values():
        host, port = read_address(node["state"]["address"])
        # There, and at no other address.
        assert host == node["machine"]
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", port)
        reader, writer = await asyncio.open_connection(host, port)
        writer.write(b'GET /sessions HTTP/1.1\r\nX-Kinecast-Identity: ["", [], ""]\r\n\r\n')
        async with asyncio.timeout(WITHIN_S):
            assert len(await reader.read()) <= 7
        writer.close()


async def test_a_killed_node_comes_back_and_the_other_goes_on(ray, ready, nodes):
    async with (
        streaming(ready[0], node=0) as other,
        streaming(ready[0], node=1, publish="mortal"),
    ):
        doomed = media_process(nodes[1])
        kill(doomed.pid)
        # Its name is free, at once.
        async with streaming(ready[0], node=0, publish="mortal"):
            await goes_on(other)
    ray.wait_until(lambda told: told[1]["serves"])


async def test_when_the_registry_is_killed_no_session_ends(ray, ready, nodes):
    async with streaming(ready[0], node=1) as far, streaming(ready[0], node=0) as near:
        before = {
            process.pid
            for process in ray.processes()
            if process.name().startswith("ray::RegistryActor")
        }
        assert len(before) == 1
        kill(before.pop())
        await goes_on(far)
        await goes_on(near)
        await asyncio.to_thread(
            ray.wait_until, lambda told: all(each["serves"] for each in told.values())
        )
        # The nodes are those that were there before.
        after = ray.status()
        assert [each["pid"] for each in after.values()] == [each["pid"] for each in nodes.values()]
        assert [each["state"]["sessions"] for each in after.values()] == [1, 1]
        async with streaming(ready[0], publish="afterwards"):
            await goes_on(far)


async def test_when_a_keeper_is_killed_its_node_ends_and_comes_again(ray, ready, nodes):
    async with streaming(ready[0], node=0) as other:
        family = [
            psutil.Process(nodes[1]["pid"]),
            *psutil.Process(nodes[1]["pid"]).children(recursive=True),
        ]
        kill(nodes[1]["keeper"])
        async with asyncio.timeout(WITHIN_S):
            while any(map(psutil.Process.is_running, family)):
                await asyncio.sleep(0.1)
        await goes_on(other)
        killed = nodes[1]["keeper"]
        told = await asyncio.to_thread(
            ray.wait_until,
            lambda told: told[1]["serves"] and told[1].get("keeper", killed) != killed,
        )
        assert told[0]["pid"] == nodes[0]["pid"]
        # Clients know where it was.
        assert told[1]["url"] == nodes[1]["url"]
        await goes_on(other)


async def test_drain_sends_sessions_to_the_other_machine_and_starts_it_again(ray, ready, nodes):
    async with streaming(ready[0], node=0) as other, streaming(ready[0], node=1) as leaving:
        draining = asyncio.create_task(asyncio.to_thread(ray.cluster, "drain", "01"))
        told = await leaving.wait_for(lambda m: m.get("type") == "move", WITHIN_S)
        # Its own door shows the way, as a client knows no other.
        async with streaming(ready[1], resume=told["resume"]) as moved:
            assert moved.session.id == leaving.session.id
            status, said, error = await draining
            assert (status, error) == (0, "")
            assert "Node 01 drains" in said
            # It waits for the next one's workers.
            assert said.endswith("Node 01 takes sessions again\n")
            await goes_on(moved)
            await goes_on(other)
    again = ray.wait_until(lambda told: told[1]["serves"])
    assert again[1]["pid"] != nodes[1]["pid"]
    assert again[0]["pid"] == nodes[0]["pid"]


def test_the_last_node_is_not_drained(ray, nodes):
    assert ray.cluster("scale", "1")[0] == 0
    status, said, error = ray.cluster("drain", "00")
    assert (status, said) == (2, "")
    assert "node 00 is the last one that takes sessions: wait until another one does" in error
    assert ray.status()[0]["pid"] == nodes[0]["pid"]
    assert ray.cluster("scale", "2")[0] == 0


async def test_it_is_made_smaller_and_larger_while_it_streams(ray, ready, nodes):
    async with streaming(ready[0], node=0) as peer:
        status, said, _ = await asyncio.to_thread(ray.cluster, "scale", "1")
        assert status == 0
        assert not re.search(r"\b01\b", said)
        await goes_on(peer)
        status, said, _ = await asyncio.to_thread(ray.cluster, "scale", "2")
        assert status == 0
        assert {each["machine"] for each in ray.status().values()} == {HEAD, "127.0.0.3"}
        await goes_on(peer)


def test_what_can_not_be_started_says_why_and_leaves_nothing(ray, nodes):
    status, _, said = ray.start("--max-sessions", "3")
    assert status == 2
    assert "other flags" in said
    status, _, said = ray.cluster("drain", "7f")
    assert (status, "no node 7f" in said) == (2, True)


def test_stop_leaves_no_process_behind(ray, nodes):
    family = {psutil.Process(node["keeper"]) for node in nodes.values()}
    for each in list(family):
        family.update(each.children(recursive=True))
    status, _, said = ray.cluster("stop")
    assert (status, said) == (0, "2 nodes have ended\n")
    psutil.wait_procs(family, timeout=WITHIN_S)
    left = [each for each in ray.processes() if each in family]
    assert left == []
    assert ray.cluster("stop")[0] == 2
    # And a flag that can not be used is told of by where it can not.
    status, _, said = ray.start("--ice-port", "80")
    assert status == 2
    assert "--ice-port" in said
    assert "no cluster runs here" in ray.cluster("status")[2]
    assert ray.start()[0] == 0


# The last one: nothing can be asked of Ray afterwards.
async def test_when_rays_head_is_killed_the_other_machine_serves_on(ray, ready, nodes):
    survivor = next(number for number, node in nodes.items() if node["machine"] != HEAD)
    url = ready[survivor]
    async with streaming(url, node=survivor) as peer:
        ray.kill_machine(HEAD)
        await goes_on(peer, frames=150)
        # With the leases of what is gone over, it takes new sessions by itself.
        async with streaming(url, node=survivor) as another:
            await goes_on(another)
        await goes_on(peer)
    assert psutil.pid_exists(nodes[survivor]["pid"])
