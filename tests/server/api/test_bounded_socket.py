"""What waits for a slow reader is bounded, and a client that never reads is cut off."""

import asyncio
import contextlib
import time

import aiohttp
import pytest
from aiohttp import WSMsgType, web

from server.api.bounded_socket import MAX_UNSENT_BYTES, MESSAGES_PER_S, BoundedSocket
from server.api.context import SETTINGS, SOCKETS
from server.config import parse_settings
from tests.support.silent_client import SilentClient

TEXT = "x" * 10_000
TEXT_FRAME, CLOSE_FRAME = 1, 8


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """No .env of ours."""
    monkeypatch.chdir(tmp_path)


@contextlib.asynccontextmanager
async def serving(talk, *flags, idle_notice=None):
    """A server on which `talk` has a BoundedSocket; yields its port and what `talk` returned."""
    outcome = asyncio.get_running_loop().create_future()

    async def handler(request):
        try:
            async with BoundedSocket.open(request, idle_notice=idle_notice) as socket:
                result = await talk(socket)
        except Exception as error:
            outcome.set_exception(error)
            raise
        assert not request.app[SOCKETS]
        outcome.set_result((socket, result))
        return socket.response

    app = web.Application()
    app[SETTINGS], app[SOCKETS] = parse_settings([*flags]), set()
    app.router.add_get("/", handler)
    runner = web.AppRunner(app, shutdown_timeout=1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield runner.addresses[0][1], outcome
    finally:
        await runner.cleanup()


async def in_thread(call, *arguments):
    return await asyncio.wait_for(asyncio.to_thread(call, *arguments), 60)


async def offer_until_full(socket):
    """Offer texts until a hundred in a row were dropped; returns how many were taken, and the most
    that waited."""
    taken, refused, most = 0, 0, 0
    while refused < 100:
        if socket.offer(f"{taken}{TEXT}"):
            taken, refused = taken + 1, 0
        else:
            refused += 1
        most = max(most, socket.unsent_bytes)
        await asyncio.sleep(0.001)
    return taken, most


async def test_a_reader_that_keeps_up_gets_everything():
    async def talk(socket):
        return [socket.offer(f'{{"n":{n}}}') async for n in counting(socket)]

    async def counting(socket):
        async for message in socket:
            yield message

    async with serving(talk) as (port, outcome), aiohttp.ClientSession() as http:
        async with http.ws_connect(f"http://127.0.0.1:{port}/") as ws:
            for n in range(50):
                await ws.send_str(str(n))
                assert await ws.receive_json(timeout=60) == {"n": n}
        socket, sent = await asyncio.wait_for(outcome, 60)
        assert sent == [True] * 50
        assert socket.dropped == 0


async def test_texts_and_bytes_arrive_as_such():
    async def talk(socket):
        return [message async for message in socket]

    async with serving(talk) as (port, outcome), aiohttp.ClientSession() as http:
        async with http.ws_connect(f"http://127.0.0.1:{port}/") as ws:
            await ws.send_str("text")
            await ws.send_bytes(b"bytes")
        assert (await asyncio.wait_for(outcome, 60))[1] == ["text", b"bytes"]


async def test_nothing_piles_up_for_a_client_that_never_reads():
    async with serving(offer_until_full, "--write-timeout", "0.5") as (port, outcome):
        with await in_thread(SilentClient, port, "/") as client:
            socket, (taken, most) = await asyncio.wait_for(outcome, 60)
            # One text more than the bound, since it is held against what waited before.
            assert MAX_UNSENT_BYTES < most < MAX_UNSENT_BYTES + len(TEXT) + 1000
            assert taken > 5
            assert socket.dropped >= 100
            # It does not wait for the client to read the rest.
            assert await in_thread(client.read_to_the_end)


async def test_what_was_taken_arrives_whole_and_in_order():
    async def talk(socket):
        taken, _ = await offer_until_full(socket)
        full.set()
        return taken

    full = asyncio.Event()
    async with serving(talk, "--write-timeout", "60") as (port, outcome):
        with await in_thread(SilentClient, port, "/") as client:
            await asyncio.wait_for(full.wait(), 60)
            assert "101" in await in_thread(client.read_head)
            frames = []
            while not frames or frames[-1][0] != CLOSE_FRAME:
                frames.append(await in_thread(client.read_frame))
        _, taken = await asyncio.wait_for(outcome, 60)
        texts = [content.decode() for kind, content in frames if kind == TEXT_FRAME]
        assert texts == [f"{n}{TEXT}" for n in range(taken)]


async def test_what_must_arrive_waits_for_the_reader():
    async def talk(socket):
        await offer_until_full(socket)
        full.set()
        return await socket.send("the last")

    full = asyncio.Event()
    async with serving(talk, "--write-timeout", "60") as (port, outcome):
        with await in_thread(SilentClient, port, "/") as client:
            await asyncio.wait_for(full.wait(), 60)
            assert not outcome.done()
            await in_thread(client.read_head)
            frame = 0, b""
            while frame[1] != b"the last":
                frame = await in_thread(client.read_frame)
            while frame[0] != CLOSE_FRAME:
                frame = await in_thread(client.read_frame)
        assert (await asyncio.wait_for(outcome, 60))[1] is True


async def test_who_does_not_read_what_must_arrive_is_cut_off():
    async def talk(socket):
        await offer_until_full(socket)
        return await socket.send("the last"), socket.offer("one more"), await socket.send("again")

    async with serving(talk, "--write-timeout", "0.2") as (port, outcome):
        with await in_thread(SilentClient, port, "/") as client:
            assert (await asyncio.wait_for(outcome, 60))[1][0] is False
            assert await in_thread(client.read_to_the_end)


async def test_one_text_may_be_longer_than_the_bound():
    long = "y" * (4 * MAX_UNSENT_BYTES)

    async def talk(socket):
        return socket.offer(long), await socket.send(long)

    async with serving(talk) as (port, outcome), aiohttp.ClientSession() as http:
        async with http.ws_connect(f"http://127.0.0.1:{port}/") as ws:
            assert await ws.receive_str(timeout=60) == long
            assert await ws.receive_str(timeout=60) == long
        assert (await asyncio.wait_for(outcome, 60))[1] == (True, True)


async def test_who_says_nothing_is_asked_to_leave():
    async def talk(socket):
        return [message async for message in socket]

    flags = ("--idle-timeout", "0.3")
    async with (
        serving(talk, *flags, idle_notice=lambda: "bye") as (port, outcome),
        aiohttp.ClientSession() as http,
    ):
        async with http.ws_connect(f"http://127.0.0.1:{port}/") as ws:
            await ws.send_str("hello")
            assert await ws.receive_str(timeout=60) == "bye"
            end = await ws.receive(timeout=60)
            assert (end.type, end.data) == (WSMsgType.CLOSE, 1001)
            assert "nothing was said" in end.extra
        assert (await asyncio.wait_for(outcome, 60))[1] == ["hello"]


async def test_a_message_over_the_limit_closes_the_socket():
    async def talk(socket):
        return [message async for message in socket]

    async with (
        serving(talk, "--max-message-bytes", "2000") as (port, outcome),
        aiohttp.ClientSession() as http,
    ):
        async with http.ws_connect(f"http://127.0.0.1:{port}/") as ws:
            await ws.send_bytes(bytes(1000))
            await ws.send_bytes(bytes(3000))
            end = await ws.receive(timeout=60)
            assert (end.type, end.data) == (WSMsgType.CLOSE, 1009)
        assert (await asyncio.wait_for(outcome, 60))[1] == [bytes(1000)]


async def test_the_end_may_be_asked_for_twice_at_once():
    """A session's end says goodbye while the handler's block ends: what waits still arrives."""

    async def talk(socket):
        taken = 0
        # Until the kernel takes no more, and a little waits here.
        while not socket.unsent_bytes:
            assert socket.offer(f"{taken}{TEXT}")
            taken += 1
            await asyncio.sleep(0)
        waiting.set()
        await asyncio.gather(socket.close(1001, "over"), socket.close())
        return taken

    waiting = asyncio.Event()
    async with serving(talk) as (port, outcome):
        with await in_thread(SilentClient, port, "/") as client:
            await asyncio.wait_for(waiting.wait(), 60)
            await in_thread(client.read_head)
            frames = []
            while not frames or frames[-1][0] != CLOSE_FRAME:
                frames.append(await in_thread(client.read_frame))
        _, taken = await asyncio.wait_for(outcome, 60)
        assert sum(kind == TEXT_FRAME for kind, _ in frames) == taken
        assert frames[-1][1][2:] == b"over"


async def test_a_goodbye_has_room_for_so_much():
    async def talk(socket):
        await socket.close(1001, "ä" * 100)

    async with (
        serving(talk) as (port, _),
        aiohttp.ClientSession() as http,
        http.ws_connect(f"http://127.0.0.1:{port}/") as ws,
    ):
        end = await ws.receive(timeout=60)
        assert (end.type, end.data, end.extra) == (WSMsgType.CLOSE, 1001, "ä" * 61)


async def test_a_flood_of_messages_is_read_at_its_rate_and_lets_others_have_their_turn():
    """What has arrived is taken without waiting: without a rate nobody else had a turn for it."""
    sent, turns = int(2 * MESSAGES_PER_S), 0

    async def take_turns():
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    async def talk(socket):
        others = asyncio.create_task(take_turns())
        began_s, longest = time.monotonic(), 0
        row, last = 0, 0
        async for _ in socket:
            row = row + 1 if turns == last else 0
            last = turns
            longest = max(longest, row)
            if socket_messages.pop() == 0:
                break
        others.cancel()
        return longest, time.monotonic() - began_s

    socket_messages = list(range(sent))
    async with (
        serving(talk) as (port, outcome),
        aiohttp.ClientSession() as http,
        http.ws_connect(f"http://127.0.0.1:{port}/") as ws,
    ):
        for _ in range(sent):
            await ws.send_str("x")
        _, (longest, seconds) = await asyncio.wait_for(outcome, 60)
    # A bunch goes through at once.
    assert longest <= 0.2 * MESSAGES_PER_S + 1
    assert seconds > 1.5
