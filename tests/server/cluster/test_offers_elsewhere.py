"""Offers that another node is to answer, and what that one does wrong."""

import asyncio
import contextlib
import time

import aiohttp
import pytest
from aiohttp import web

from server.api import relay
from server.api.context import CLUSTER
from server.api.json_body import MAX_OFFER_BYTES, read_body
from server.app import errors_as_json
from server.cluster.link import Refused
from server.cluster.member import Member
from server.cluster.node import Node
from server.cluster.placing import NodeState
from server.cluster.registry_server import RegistryServer
from server.http.access import check_access
from server.http.errors import TooSlow
from server.security.identity import ANONYMOUS, IDENTITY
from signaling.errors import Busy, Conflict, NotFound, SignalingError
from signaling.messages import Offer
from tests.support.server import free_port

WITHIN_S = 60.0
ANSWER = {"type": "answer", "data": {"sdp": "theirs", "type": "answer", "session": None}}
FULL = {"type": "error", "data": {"code": 503, "message": "all taken"}}


@pytest.fixture
async def members(tmp_path):
    """Two nodes; the second is too loaded to be chosen first."""
    registry = RegistryServer(str(tmp_path / "registry.sock"))
    await registry.start()
    made = []
    for number in range(2):
        node = Node(number, 2, str(tmp_path), (), (), 0)
        state = NodeState("", load=100.0 * number)
        made.append(Member(node, lambda state=state: state))
        await made[-1].start()
    async with asyncio.timeout(WITHIN_S):
        while len(made[0].lively) < 2:
            await asyncio.sleep(0.01)
    yield made
    for each in made:
        await each.close()
    await registry.close()


@contextlib.asynccontextmanager
async def answering(path, told):
    """Another node's signaling, which says the same to all; the offers that it got."""
    offers = []

    async def signaling(request):
        socket = web.WebSocketResponse(max_msg_size=MAX_OFFER_BYTES)
        await socket.prepare(request)
        offers.append((await socket.receive_json())["data"])
        await socket.send_json(told)
        await socket.receive()
        return socket

    app = web.Application()
    app.router.add_get("/signaling", signaling)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.UnixSite(runner, path).start()
    yield offers
    await runner.cleanup()


async def full():
    raise Busy("all taken here", retry_after_s=1)


async def test_a_name_goes_to_the_next_node_when_the_first_is_full(members):
    door, other = members
    async with answering(door.node.socket_of(1), ANSWER) as offers:
        offer = Offer(sdp="v=0", publish="yard")
        peer, sdp, _ = await relay.open_at_node(door, offer, ANONYMOUS, full)
        await peer.close()
        assert sdp == "theirs"
        assert [each["publish"] for each in offers] == ["yard"]
    assert await other.holder("yard") == 1


async def test_when_all_are_full_each_was_asked_once(members):
    door, _ = members
    async with answering(door.node.socket_of(1), FULL) as offers:
        with pytest.raises(Busy):
            await relay.open_at_node(door, Offer(sdp="v=0", publish="yard"), ANONYMOUS, full)
        assert len(offers) == 1


@pytest.mark.parametrize("code", [429, 503])
async def test_who_is_refused_for_now_is_told_when_to_ask_again(members, code):
    door, _ = members
    told = {"type": "error", "data": {"code": code, "message": "enough"}}
    async with answering(door.node.socket_of(1), told):
        with pytest.raises(SignalingError, match="enough") as refusal:
            await relay.open_remotely(door, 1, Offer(sdp="v=0"), ANONYMOUS)
    assert refusal.value.code == code
    assert int(refusal.value.headers()["Retry-After"]) >= 1


async def test_a_name_that_is_in_use_stays_where_it_is(members, monkeypatch):
    """Its node is full: who has the name may still have it, and nobody else gets it."""
    door, other = members
    monkeypatch.setattr(other, "_own_state", lambda: NodeState("", names=("yard",), room=0))
    other.report()
    async with asyncio.timeout(WITHIN_S):
        while await door.holder("yard") != 1:
            await asyncio.sleep(0.01)
    refusal = {"type": "error", "data": {"code": 409, "message": "taken"}}
    for told, error in ((FULL, Busy), (refusal, Refused)):
        async with answering(door.node.socket_of(1), told) as offers:
            with pytest.raises(error):
                await relay.open_at_node(door, Offer(sdp="v=0", publish="yard"), ANONYMOUS, full)
            assert len(offers) == 1
    token = door.token_prefix() + "secret"
    with pytest.raises(Conflict):
        await relay.open_at_node(
            door, Offer(sdp="v=0", publish="yard", resume=token), ANONYMOUS, full
        )


async def test_an_offer_is_no_longer_for_another_node_than_it_was(members):
    door, _ = members
    async with answering(door.node.socket_of(1), ANSWER) as offers:
        sdp = "\u00e9" * 250_000
        peer, _, _ = await relay.open_remotely(door, 1, Offer(sdp=sdp), ANONYMOUS)
        await peer.close()
        assert [each["sdp"] for each in offers] == [sdp]


async def test_a_node_that_does_not_accept_is_not_waited_for(members, monkeypatch):
    """As one that is stopped: the system takes the connection, and nobody answers."""
    door, _ = members
    monkeypatch.setattr(relay, "ANSWER_WITHIN_S", 0.3)

    async def silent(reader, _):
        await reader.read()

    async with await asyncio.start_unix_server(silent, door.node.socket_of(1)):
        began_s = time.monotonic()
        async with asyncio.timeout(WITHIN_S):
            with pytest.raises(Busy):
                await relay.open_remotely(door, 1, Offer(sdp="v=0"), ANONYMOUS)
        assert time.monotonic() - began_s >= 0.3


async def test_a_client_that_is_slow_is_told_so_and_not_that_the_node_is_gone(members):
    """Its request's body is passed on as it comes."""
    door, _ = members
    told = asyncio.get_running_loop().create_future()
    arrived = asyncio.Event()

    async def pass_on(request):
        slow = asyncio.create_task(door.links[1].forward(request, ANONYMOUS))
        # Once it is being sent.
        await asyncio.sleep(0.1)
        await arrived.wait()
        request.content.set_exception(TooSlow("too slow"))
        with contextlib.suppress(Exception):
            await slow
        told.set_result(slow.exception())
        return web.Response()

    async def read(request):
        arrived.set()
        await request.read()
        return web.Response()

    node, front = web.Application(), web.Application()
    node.router.add_post("/whip/yard", read)
    front.router.add_post("/whip/yard", pass_on)
    runners = [web.AppRunner(app, shutdown_timeout=0.1) for app in (node, front)]
    for runner in runners:
        await runner.setup()
    await web.UnixSite(runners[0], door.node.socket_of(1)).start()
    await web.UnixSite(runners[1], door.node.directory + "/front.sock").start()
    _, writer = await asyncio.open_unix_connection(door.node.directory + "/front.sock")
    writer.write(b"POST /whip/yard HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhalf")
    assert isinstance(await asyncio.wait_for(told, WITHIN_S), TooSlow)
    writer.close()
    for runner in runners:
        await runner.cleanup()


@web.middleware
async def anybody(request, handler):
    request[IDENTITY] = ANONYMOUS
    return await handler(request)


@contextlib.asynccontextmanager
async def whip(site, answer, member=None):
    """A server whose WHIP and WHEP answer the same to all, and the offers that it got."""
    offers = []

    async def take(request):
        offers.append(await read_body(request))
        return answer()

    app = web.Application(middlewares=[errors_as_json, anybody, relay.relay] if member else [])
    if member:
        app[CLUSTER] = member
    for kind in ("whip", "whep"):
        app.router.add_post(f"/{kind}/{{name}}", take)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await site(runner).start()
    yield offers
    await runner.cleanup()


@pytest.mark.parametrize("kind", ["whip", "whep"])
@pytest.mark.parametrize("status", [201, 503, 409])
async def test_whip_and_whep_go_to_the_next_node_when_the_first_is_full(members, kind, status):
    door, other = members

    def refuse():
        raise Busy("all taken here", retry_after_s=1)

    def answer():
        if status == 201:
            return web.Response(status=201, text="theirs", headers={"Location": "/there"})
        return web.json_response({"message": "theirs", "code": status}, status=status)

    port, there = free_port(), door.node.socket_of(1)
    async with (
        whip(lambda runner: web.UnixSite(runner, there), answer) as offers_there,
        whip(lambda runner: web.TCPSite(runner, "127.0.0.1", port), refuse, door) as offers_here,
        aiohttp.ClientSession() as http,
    ):
        headers = {"Content-Type": "application/sdp"}
        url = f"http://127.0.0.1:{port}/{kind}/yard"
        async with http.post(url, data=b"v=0", headers=headers) as told:
            assert told.status == status
            assert "theirs" in await told.text()
            assert ("Retry-After" in told.headers) == (status == 503)
        assert offers_here == offers_there == [b"v=0"]
        if kind == "whip":
            assert await other.holder("yard") == 1


@pytest.mark.parametrize("path", ["/camera/nothing", "/lookouts/../whip/yard", "/recordings/a/b"])
async def test_where_there_is_nothing_another_node_is_not_asked(members, path):
    """A path that only looks like one of the first node's: of whom it comes is not known."""
    _, second = members
    app = web.Application(middlewares=[errors_as_json, check_access, relay.relay])
    app[CLUSTER] = second
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    socket = f"{second.node.directory}/front.sock"
    await web.UnixSite(runner, socket).start()
    reader, writer = await asyncio.open_unix_connection(socket)
    # As it is: a client of aiohttp's would leave the dots out.
    writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    status = await asyncio.wait_for(reader.readline(), WITHIN_S)
    assert status == b"HTTP/1.1 404 Not Found\r\n"
    writer.close()
    await runner.cleanup()


@contextlib.asynccontextmanager
async def recordings(site, handler):
    app = web.Application(middlewares=[errors_as_json])
    app.router.add_get("/recordings/{name}", handler)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await site(runner).start()
    yield
    await runner.cleanup()


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_what_another_node_has_not_either_is_not_found(members, method):
    door, _ = members

    async def nowhere(request):
        raise NotFound("there is no such recording")

    async def ask(request):
        return await door.links[1].forward(request, ANONYMOUS, b"", raise_for=(404,))

    port, there = free_port(), door.node.socket_of(1)
    async with (
        recordings(lambda runner: web.UnixSite(runner, there), nowhere),
        recordings(lambda runner: web.TCPSite(runner, "127.0.0.1", port), ask),
        aiohttp.ClientSession() as http,
        http.request(method, f"http://127.0.0.1:{port}/recordings/a") as told,
    ):
        assert told.status == 404
        assert ("no such" in await told.text()) == (method == "GET")
