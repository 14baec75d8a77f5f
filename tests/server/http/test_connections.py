"""Clients that only take up room: slow ones, silent ones, and crowds of them."""

import asyncio
import contextlib
import logging
import socket
import ssl

import aiohttp
import pytest
from aiohttp import web

from server.api.bounded_socket import BoundedSocket
from server.http.route import Route
from server.security import development_certificate
from server.security.identity import Scope
from tests.support.guarded import guarded
from tests.support.silent_client import RECEIVE_BUFFER_BYTES, SilentClient

HEAD = b"GET /thing HTTP/1.1\r\nHost: 127.0.0.1\r\n"
WITHIN_S = 60.0
SOME_BYTES = 120_000


async def answer(request):
    return web.json_response({"secure": request.secure, "remote": request.remote})


async def echo(request):
    return web.Response(body=await request.read())


async def talk(request):
    async with BoundedSocket.open(request) as open_socket:
        async for message in open_socket:
            await open_socket.send(message)
    return open_socket.response


async def pour(request):
    """More than any buffer holds."""
    response = web.StreamResponse()
    await response.prepare(request)
    for _ in range(1000):
        await response.write(bytes(100_000))
    return response


async def lump(request):
    """More at once than a slow client reads while the test lasts."""
    return web.Response(body=bytes(20_000_000))


async def some(request):
    """More than the kernel takes for who does not read, and less than asyncio tells of."""
    return web.Response(body=bytes(SOME_BYTES))


ROUTES = (
    Route("GET", "/some", some, "", Scope.VIEW),
    Route("GET", "/lump", lump, "", Scope.VIEW),
    Route("GET", "/thing", answer, "", Scope.VIEW),
    Route("POST", "/echo", echo, "", Scope.PUBLISH),
    Route("GET", "/pour", pour, "", Scope.VIEW),
    Route("GET", "/socket", talk, "", Scope.PUBLISH, websocket=True),
)


@pytest.fixture(params=["plain", "TLS"])
def pem(request):
    """None, or the file of a certificate: all must hold with TLS, too."""
    return development_certificate.ensure().path if request.param == "TLS" else None


@pytest.fixture
async def http():
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=False)) as session:
        yield session


def unchecked():
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


async def connect(server):
    tls = unchecked() if server.url.startswith("https") else None
    return await asyncio.open_connection("127.0.0.1", server.port, ssl=tls)


async def ended(reader):
    """Read until the server hangs up; returns what it said."""
    try:
        return await asyncio.wait_for(reader.read(), WITHIN_S)
    except ConnectionError:
        return b""


async def until(condition):
    async with asyncio.timeout(WITHIN_S):
        while not condition():
            await asyncio.sleep(0.01)


async def test_requests_sockets_and_large_bodies_pass(http, pem):
    async with guarded(ROUTES, pem=pem) as server:
        for _ in range(3):
            async with http.get(server.url + "/thing") as response:
                assert await response.json() == {"secure": pem is not None, "remote": "127.0.0.1"}
        body = bytes(range(256)) * 10_000
        async with http.post(server.url + "/echo", data=body) as response:
            assert await response.read() == body
        async with http.ws_connect(server.url + "/socket") as ws:
            for text in ("short", "long" * 100_000):
                await ws.send_str(text)
                assert await ws.receive_str(timeout=WITHIN_S) == text
        # The socket's is gone; one may be kept for a next request.
        await until(lambda: len(server.guard) <= 1)
    assert len(server.guard) == 0


async def test_a_request_right_behind_the_handshake_is_not_lost(pem):
    """TLS may be agreed on and the request be here in the same moment."""
    async with guarded(ROUTES, pem=pem) as server:
        for _ in range(20):
            reader, writer = await connect(server)
            writer.write(HEAD + b"Connection: close\r\n\r\n")
            assert b"200 OK" in await ended(reader)
            writer.close()


@pytest.mark.parametrize("sent", [b"", b"G", HEAD])
async def test_who_does_not_send_a_whole_head_is_cut_off(pem, sent):
    async with guarded(ROUTES, "--handshake-timeout", "0.3", pem=pem) as server:
        reader, writer = await connect(server)
        writer.write(sent)
        assert await ended(reader) == b""
        await until(lambda: len(server.guard) == 0)
        writer.close()


async def test_a_trickle_buys_no_time(pem):
    async with guarded(ROUTES, "--handshake-timeout", "0.5", pem=pem) as server:
        reader, writer = await connect(server)

        async def trickle():
            with contextlib.suppress(ConnectionError):
                for n in range(10_000):
                    writer.write(b"GET /thing HTTP/1.1\r\n" if not n else b"X: y\r\n")
                    await writer.drain()
                    await asyncio.sleep(0.02)

        sending = asyncio.create_task(trickle())
        assert await ended(reader) == b""
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
        writer.close()


async def test_who_never_gets_to_agree_on_tls_is_cut_off():
    path = development_certificate.ensure().path
    async with guarded(ROUTES, "--handshake-timeout", "0.3", pem=path) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        # It counts, though aiohttp knows nothing of it yet.
        await until(lambda: len(server.guard) == 1)
        assert await ended(reader) == b""
        await until(lambda: len(server.guard) == 0)
        writer.close()


async def test_what_is_no_tls_ends_at_once():
    path = development_certificate.ensure().path
    async with guarded(ROUTES, pem=path) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        await ended(reader)
        await until(lambda: len(server.guard) == 0)
        writer.close()


async def test_the_next_request_on_a_connection_must_come_whole_too(pem):
    async with guarded(ROUTES, "--handshake-timeout", "0.4", pem=pem) as server:
        reader, writer = await connect(server)
        writer.write(HEAD + b"\r\n")
        assert b"200" in await asyncio.wait_for(reader.readline(), WITHIN_S)
        await until(lambda: server.guard.is_idle())
        # While nothing is asked for it may wait, longer than for a head.
        await asyncio.sleep(0.6)
        writer.write(HEAD + b"\r\n")
        await asyncio.wait_for(reader.readuntil(b"HTTP/1.1 200"), WITHIN_S)
        writer.write(HEAD)
        await ended(reader)
        await until(lambda: len(server.guard) == 0)
        writer.close()


async def test_a_body_that_does_not_come_is_not_waited_for(pem, caplog):
    async with guarded(ROUTES, "--body-timeout", "0.3", pem=pem) as server:
        reader, writer = await connect(server)
        writer.write(b"POST /echo HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100\r\n\r\nhalf")
        said = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), WITHIN_S)
        assert b"408" in said
        await ended(reader)
        writer.close()
    # A client can not fill the log with tracebacks.
    assert not [r for r in caplog.records if r.levelno >= logging.ERROR]


async def test_a_socket_that_is_open_is_left_alone(http, pem):
    async with (
        guarded(ROUTES, "--handshake-timeout", "0.2", "--body-timeout", "0.2", pem=pem) as server,
        http.ws_connect(server.url + "/socket") as ws,
    ):
        await asyncio.sleep(0.5)
        await ws.send_str("still here")
        assert await ws.receive_str(timeout=WITHIN_S) == "still here"


async def test_who_never_reads_an_answer_is_cut_off():
    async with guarded(ROUTES, "--write-timeout", "0.3") as server:
        with socket.socket() as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
            client.setblocking(False)
            loop = asyncio.get_running_loop()
            await loop.sock_connect(client, ("127.0.0.1", server.port))
            await loop.sock_sendall(client, HEAD.replace(b"/thing", b"/pour") + b"\r\n")
            await until(lambda: len(server.guard) == 1)
            await until(lambda: len(server.guard) == 0)


async def test_who_never_reads_the_end_of_an_answer_is_cut_off():
    """What is left is too little for asyncio to tell of, and closing would wait for it for ever."""
    async with guarded(ROUTES, "--write-timeout", "0.3") as server:
        with socket.socket() as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
            client.setblocking(False)
            loop = asyncio.get_running_loop()
            await loop.sock_connect(client, ("127.0.0.1", server.port))
            request = HEAD.replace(b"/thing", b"/some") + b"Connection: close\r\n\r\n"
            await loop.sock_sendall(client, request)
            await until(lambda: len(server.guard) == 1)
            await until(lambda: len(server.guard) == 0)


async def test_who_reads_slowly_is_not():
    """What waits takes many times as long as a client has that does not read at all."""
    async with guarded(ROUTES, "--write-timeout", "1.5") as server:
        with socket.socket() as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)
            client.setblocking(False)
            loop = asyncio.get_running_loop()
            await loop.sock_connect(client, ("127.0.0.1", server.port))
            await loop.sock_sendall(client, HEAD.replace(b"/thing", b"/lump") + b"\r\n")
            for _ in range(70):
                assert await asyncio.wait_for(loop.sock_recv(client, 20_000), WITHIN_S)
                await asyncio.sleep(0.05)
            assert len(server.guard) == 1


async def test_who_sends_and_never_reads_is_cut_off():
    async with guarded(ROUTES, "--write-timeout", "0.3") as server:
        with await asyncio.to_thread(SilentClient, server.port, "/socket") as client:
            cut_off = False
            while not cut_off:
                try:
                    await asyncio.to_thread(client.send_text, "x" * 60_000)
                except (ConnectionError, TimeoutError):
                    cut_off = True
            await until(lambda: len(server.guard) == 0)


async def test_an_address_is_served_so_often_at_once(http, pem):
    async with guarded(ROUTES, "--connections-per-address", "3", pem=pem) as server:
        async with contextlib.AsyncExitStack() as stack:
            for _ in range(3):
                await stack.enter_async_context(http.ws_connect(server.url + "/socket"))
            with pytest.raises(aiohttp.WSServerHandshakeError) as raised:
                await http.ws_connect(server.url + "/socket")
            assert raised.value.status == 429
            async with http.get(server.url + "/thing") as response:
                assert response.status == 429
                assert int(response.headers["Retry-After"]) > 0
                assert "3 requests and sockets" in (await response.json())["message"]
        await until(lambda: server.guard.is_idle())
        async with http.get(server.url + "/thing") as response:
            assert response.status == 200


async def test_zero_is_no_limit(http):
    async with (
        guarded(ROUTES, "--connections-per-address", "0") as server,
        contextlib.AsyncExitStack() as stack,
    ):
        for _ in range(50):
            await stack.enter_async_context(http.ws_connect(server.url + "/socket"))
        assert len(server.guard) == 50


async def test_idle_connections_make_room(pem):
    """An address that holds connections open for nothing can still be served."""
    async with guarded(ROUTES, "--connections-per-address", "2", pem=pem) as server:
        held = [await connect(server) for _ in range(4)]
        await until(lambda: len(server.guard) == 4)
        for _ in range(8):
            reader, writer = await connect(server)
            writer.write(HEAD + b"Connection: close\r\n\r\n")
            assert b"200 OK" in await ended(reader)
            writer.close()
        assert len(server.guard) <= 4
        assert server.guard.refused == 0
        # The one that has waited longest had to go.
        assert await ended(held[0][0]) == b""
        for _, writer in held:
            writer.close()


async def test_sockets_in_use_do_not_make_room(http, pem):
    async with guarded(ROUTES, "--max-connections", "3", pem=pem) as server:
        async with contextlib.AsyncExitStack() as stack:
            sockets = [
                await stack.enter_async_context(http.ws_connect(server.url + "/socket"))
                for _ in range(3)
            ]
            for _ in range(10):
                with pytest.raises((OSError, aiohttp.ClientError)):
                    async with http.get(server.url + "/thing"):
                        pass
            assert server.guard.refused >= 10
            for ws in sockets:
                await ws.send_str("still here")
                assert await ws.receive_str(timeout=WITHIN_S) == "still here"
        await until(lambda: server.guard.is_idle())
        async with http.get(server.url + "/thing") as response:
            assert response.status == 200


async def test_a_crowd_that_comes_and_goes_leaves_nothing_behind(pem):
    async with guarded(ROUTES, pem=pem) as server:
        for _ in range(300):
            _, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.transport.abort()
        await until(lambda: len(server.guard) == 0)
        assert server.guard.is_idle()


async def test_a_pipeline_of_requests_is_served(pem):
    async with guarded(ROUTES, pem=pem) as server:
        reader, writer = await connect(server)
        writer.write((HEAD + b"\r\n") * 10 + HEAD + b"Connection: close\r\n\r\n")
        assert (await ended(reader)).count(b"200 OK") == 11
        writer.close()


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01\x02\x00hello",
        b"{}\r\n",
        b"GET / HTTP/1.1\nHost: x\n\n",
        b"GET " + b"x" * 70_000,
    ],
    ids=["TLS", "JSON", "bare line feeds", "long"],
)
async def test_what_is_no_http_is_answered_at_once(sent):
    async with guarded(ROUTES) as server:
        reader, writer = await connect(server)
        writer.write(sent)
        assert (await ended(reader)).startswith(b"HTTP/1.0 400")
        writer.close()


async def test_a_head_that_comes_in_pieces(pem):
    head = HEAD + b"Connection: close\r\n\r\n"
    async with guarded(ROUTES, pem=pem) as server:
        reader, writer = await connect(server)
        for n in range(len(head)):
            writer.write(head[n : n + 1])
            await writer.drain()
            await asyncio.sleep(0)
        assert b"200 OK" in await ended(reader)
        writer.close()


async def test_who_asks_for_nothing_is_left_behind_when_the_server_stops(pem):
    async with guarded(ROUTES, pem=pem) as server:
        reader, writer = await connect(server)
        await until(lambda: len(server.guard) == 1)
    assert await ended(reader) == b""
    writer.close()
