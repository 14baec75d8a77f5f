"""Nodes on several machines: their links and registry over TCP, and strangers at those ports."""

import asyncio
import contextlib
import json
import os
import socket
import ssl
import time

import psutil
import pytest
from aiohttp import web

from server.api.relay import trust_node
from server.cluster import registry_server
from server.cluster.link import Link
from server.cluster.member import Member
from server.cluster.node import Node, this_node
from server.cluster.placing import NodeState
from server.cluster.registry_server import RegistryServer
from server.cluster.secure_port import (
    MAX_STRANGERS,
    SecurePort,
    bind,
    read_address,
    write_address,
)
from server.cluster.tls_network import TlsNetwork
from server.http.connection_guard import CONNECTIONS
from server.http.listener import watch_request
from server.security import cluster_certificate
from server.security.identity import IDENTITY, Identity, Scope
from signaling.errors import Busy

WITHIN_S = 60.0
SECRET = "a secret of thirty-two characters or more"
ANOTHER = "another secret of thirty-two characters"
LEASE_S = 1.5
ANN = Identity("ann", frozenset({Scope.VIEW}), "ann")


async def until(condition):
    async with asyncio.timeout(WITHIN_S):
        while not condition():
            await asyncio.sleep(0.01)


@contextlib.asynccontextmanager
async def registry(directory, port=0, **more):
    """One at a port of this machine's; its address is where nodes look for it."""
    listening = bind("127.0.0.1", port)
    contexts = cluster_certificate.contexts(SECRET)
    server = RegistryServer(SecurePort(listening, contexts[0]), **more)
    await server.start()
    (directory / "registry.sock").write_text(write_address(listening))
    try:
        yield server
    finally:
        await server.close()


@contextlib.asynccontextmanager
async def machine(directory, number, secret=SECRET, **state):
    """A node with its inner port, which answers who asks."""

    async def answer(request):
        by = request[IDENTITY]
        return web.json_response([number, by.subject, sorted(by.scopes), request.path])

    listening = bind("127.0.0.1")
    node = Node(number, 256, str(directory), (), (), 0, (listening.fileno(),))
    network = TlsNetwork(node, secret)
    app = web.Application(middlewares=[watch_request, trust_node])
    app[CONNECTIONS] = network.guard
    app.router.add_get("/{path:.*}", answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    one = Member(node, lambda: NodeState("", **state), network)
    await network.serve(runner)
    await one.start()
    try:
        yield one
    finally:
        await one.close()
        await network.close()
        await runner.cleanup()
        listening.close()


@pytest.fixture
async def registered(tmp_path):
    async with registry(tmp_path, lease_s=LEASE_S) as server:
        yield server


@pytest.fixture
async def members(tmp_path, registered):
    async with (
        machine(tmp_path, 0, names=("zero",)) as first,
        machine(tmp_path, 7, names=("seven",)) as second,
    ):
        await until(lambda: all(len(each.states) == 2 for each in (first, second)))
        yield first, second


async def test_they_know_and_reach_each_other(members):
    first, second = members
    assert await first.holder("seven") == 7
    assert await second.give("zero", 7) == 0
    assert await second.give("new", 7) == 7
    assert await first.give("new", 0) == 7
    assert await first.links[7].get("/x", ANN) == b'[7, "ann", ["view"], "/x"]'
    assert await second.links[0].get("/y", ANN) == b'[0, "ann", ["view"], "/y"]'
    assert list(first.expected) == [0, 7]


async def test_one_that_says_nothing_loses_its_lease_and_comes_back(
    members, monkeypatch, registered
):
    first, second = members
    monkeypatch.setattr(second, "_say", lambda _: None)
    await until(lambda: 7 not in first.states)
    assert 7 not in first.links
    assert first.may_come(7)
    assert not first.may_come(8)
    assert await first.give("seven", 0) == 0
    monkeypatch.undo()
    await until(lambda: 7 in first.states and 7 in first.links)


async def test_a_registry_that_stood_still_takes_nobodys_lease(members, monkeypatch, registered):
    ended = []
    monkeypatch.setattr(registered.registry, "leave", ended.append)
    # It wakes up after three leases, and what was said meanwhile is unread.
    time.sleep(3 * LEASE_S)  # noqa: ASYNC251
    await asyncio.sleep(4 * registry_server.LOOK_EVERY_S)
    assert ended == []


async def test_a_machine_that_came_back_elsewhere_is_reached_there(tmp_path, members, registered):
    first, second = members
    before = first.links[7]
    assert await before.get("/x", ANN)
    await second.close()
    await until(lambda: 7 not in first.states)
    async with machine(tmp_path, 7):
        await until(lambda: 7 in first.links)
        assert first.links[7].way.url != before.way.url
        assert (await first.links[7].get("/x", ANN)).startswith(b"[7,")
        # What was on its way through the former link is not waited for.
        assert before.session.closed


async def test_when_the_registry_is_lost_they_go_on_and_register_where_it_is_then(tmp_path):
    async with contextlib.AsyncExitStack() as stack:
        first_registry = await stack.enter_async_context(registry(tmp_path))
        first = await stack.enter_async_context(machine(tmp_path, 0, names=("zero",)))
        second = await stack.enter_async_context(machine(tmp_path, 1))
        await until(lambda: len(first.states) == len(second.states) == 2)
        await first_registry.close()
        await until(lambda: first._writer is None and second._writer is None)
        assert (await first.links[1].get("/x", ANN)).startswith(b"[1,")
        with pytest.raises(Busy):
            await second.give("zero", 1)
        again = await stack.enter_async_context(registry(tmp_path, settle_s=1.5))
        await until(lambda: again.registry.states)
        # It knows one of them, or none has said what it has: nothing is given, nobody forgotten.
        assert len(first.states) == 2
        with pytest.raises(Busy):
            await second.give("nobody's", 1)
        await until(lambda: len(again.registry.states) == 2)
        await until(lambda: not again._is_settling)
        assert await second.give("zero", 1) == 0
        assert await second.give("nobody's", 1) == 1


async def test_who_has_another_secret_is_nobody(tmp_path, members):
    first, _ = members
    async with machine(tmp_path, 9, ANOTHER) as stranger:
        await asyncio.sleep(0)
        for address in (first.network.address, (tmp_path / "registry.sock").read_text()):
            way = stranger.network.way_to(0, address)
            link = Link(0, way)
            assert await link.get("/x", ANN) is None
            await link.close()
        # Nor does a node of the cluster tell it anything.
        assert (
            await Link(9, first.network.way_to(9, stranger.network.address)).get("/", ANN) is None
        )
        assert 9 not in first.states


# ---- strangers, at a node's port and at the registry's


@pytest.fixture(params=["node", "registry"])
def port(request, tmp_path, members):
    text = (
        members[0].network.address
        if request.param == "node"
        else (tmp_path / "registry.sock").read_text()
    )
    return read_address(text)[1]


async def talk(port, data):
    """What a stranger hears until it is hung up on."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    heard = b""
    with contextlib.suppress(ConnectionError):
        writer.write(data)
        await writer.drain()
        async with asyncio.timeout(WITHIN_S):
            heard = await reader.read()
    writer.close()
    return heard


@pytest.mark.parametrize(
    "data",
    [
        os.urandom(4096),
        b'{"node": 0, "name": "yard", "wish": 0, "full": [], "call": 1}\n',
        b'GET /sessions HTTP/1.1\r\nX-Kinecast-Identity: ["x", ["control"], "x"]\r\n\r\n',
        b"\x16\x03\x01\xff\xff" + bytes(70_000),
    ],
)
async def test_strangers_hear_nothing(members, port, data):
    heard = await talk(port, data)
    # TLS has an alert for those who do not speak it, and no word of ours.
    assert len(heard) <= 7
    assert b"HTTP" not in heard
    assert await members[1].give("yard", 7) == 7


async def test_without_the_secret_nothing_is_answered(port, members):
    trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
    wrong = cluster_certificate.contexts(ANOTHER)[1]
    wrong.verify_mode = ssl.CERT_NONE
    for context in (trusting, wrong):
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            reader, writer = await asyncio.open_connection(
                "127.0.0.1", port, ssl=context, server_hostname=""
            )
            writer.write(b"GET /sessions HTTP/1.1\r\n\r\n")
            async with asyncio.timeout(WITHIN_S):
                assert await reader.read() == b""
    assert await members[1].give("yard", 7) == 7


async def test_what_was_heard_on_the_wire_does_not_let_in_again(port, members):
    """A whole conversation of a node's, recorded between the two and sent once more."""
    sent = bytearray()

    async def record(reader, writer):
        onward, back = await asyncio.open_connection("127.0.0.1", port)

        async def pump(source, target, kept):
            with contextlib.suppress(ConnectionError):
                while data := await source.read(65536):
                    kept += data
                    target.write(data)
            target.close()

        await asyncio.gather(pump(reader, back, sent), pump(onward, writer, bytearray()))

    between = await asyncio.start_server(record, "127.0.0.1", 0)
    where = between.sockets[0].getsockname()[1]
    context = cluster_certificate.contexts(SECRET)[1]
    _, writer = await asyncio.open_connection("127.0.0.1", where, ssl=context, server_hostname="")
    writer.write(b'{"node": 3, "name": "replayed", "wish": 3, "full": [], "call": 1}\n')
    await until(lambda: len(sent) > 500)
    writer.close()
    between.close()
    heard = await talk(port, bytes(sent))
    # The handshake of another connection: it ends before anything of it is read.
    assert b"holder" not in heard
    assert await members[0].holder("replayed") is None


async def test_strangers_who_say_nothing_are_let_go(port, members, monkeypatch):
    guard = members[0].network.guard
    monkeypatch.setattr(guard, "handshake_s", 0.3)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    async with asyncio.timeout(WITHIN_S):
        with contextlib.suppress(ConnectionError):
            # A byte now and then does not help.
            while not reader.at_eof():
                writer.write(b"\x16")
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(reader.read(1), 0.1)
    writer.close()


async def test_many_strangers_take_little_memory_and_nobodys_place(port, members):
    first, second = members
    process = psutil.Process()
    before = process.memory_info().rss
    opened = []
    for _ in range(10 * MAX_STRANGERS):
        stranger = socket.socket()
        stranger.setblocking(False)
        stranger.connect_ex(("127.0.0.1", port))
        opened.append(stranger)
        if len(opened) % MAX_STRANGERS == 0:
            await asyncio.sleep(0.05)
            assert len(first.network.guard._strangers) <= MAX_STRANGERS
            # Those that are in are not among those who make room; who has the secret still gets in.
            assert (await second.links[0].get("/x", ANN)).startswith(b"[0,")
            link = Link(0, second.network.way_to(0, first.network.address))
            assert (await link.get("/x", ANN)).startswith(b"[0,")
            await link.close()
            assert await first.holder("seven") == 7
    assert process.memory_info().rss - before < 60_000_000
    for each in opened:
        each.close()
    await until(lambda: not first.network.guard._strangers)


# ---- small parts


def test_the_same_secret_makes_the_same_certificate():
    assert cluster_certificate._make(SECRET) == cluster_certificate._make(SECRET)
    assert cluster_certificate._make(SECRET)[0] != cluster_certificate._make(ANOTHER)[0]


def test_an_address_is_read_as_it_was_written():
    for host, family in (("127.0.0.1", "127.0.0.1"), ("::1", "[::1]")):
        with contextlib.suppress(OSError), bind(host) as listening:
            text = write_address(listening)
            assert text.startswith(family + ":")
            assert read_address(text) == listening.getsockname()[:2]
    for nonsense in ("", "7000", "host:", ":1"):
        with pytest.raises(ValueError):  # noqa: PT011
            read_address(nonsense)


def test_ports_are_tried_from_the_first_one_on():
    with bind("127.0.0.1") as taken:
        port = taken.getsockname()[1]
        with bind("127.0.0.1", port, tries=10) as next_one:
            assert port < next_one.getsockname()[1] < port + 10
        with pytest.raises(OSError, match="in use"):
            bind("127.0.0.1", port)


def test_a_node_is_told_that_there_are_other_machines(monkeypatch):
    node = Node(1, 256, "/somewhere", (4,), (5,), 7, (8,))
    monkeypatch.setenv("KINECAST_NODE", node.write())
    assert this_node() == node
    assert node.spans_machines
    # A machine that comes brings room with it.
    assert node.share(16) == 16


def test_a_node_is_started_by_a_parent_from_before_there_were_machines(monkeypatch):
    told = json.loads(Node(1, 2, "/somewhere", (4,), (5,), 7).write())
    del told["inner_port"]
    monkeypatch.setenv("KINECAST_NODE", json.dumps(told))
    assert this_node() == Node(1, 2, "/somewhere", (4,), (5,), 7)


def test_what_a_newer_node_says_beside_it_is_passed_over():
    told = {"incarnation": "a", "names": ["x"], "recordings": [], "mood": "good"}
    assert NodeState.read(told) == NodeState("a", names=("x",))
