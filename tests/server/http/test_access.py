"""Who gets in: every route, every way of sending a token, and whose session is whose."""

import asyncio
import contextlib
import logging
import re

import aiohttp
import pytest
from aiohttp import web

from client_test.errors import Rejected
from client_test.peer import ClientPeer
from server.api.routes import ROUTES
from server.http.access import AUTH_SECRET, ROUTE_TABLE, RouteTable, check_access
from server.http.log import RedactingFormatter
from server.http.route import Route
from server.security import tokens
from server.security.identity import IDENTITY, Scope
from signaling.errors import SignalingError
from tests.support.server import COUNTER, running_server
from tests.support.tracks import ColourTrack

SECRET = "not to be found in any log, or in any answer"
FLAGS = ("--analyzers", COUNTER, "--workers", "1", "--auth-secret", SECRET)


def token(*scopes, subject=None, **options):
    return tokens.issue(SECRET, map(Scope, scopes), 3600, subject, **options)


def bearer(*scopes, **options):
    return {"Authorization": f"Bearer {token(*scopes, **options)}"}


ANN = token("publish", "view", subject="ann")
BOB = token("publish", "view", subject="bob")
OPERATOR = token("control", subject="operator")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with running_server(tmp_path_factory.mktemp("server"), *FLAGS, "--verbose") as running:
        yield running


@pytest.fixture
async def http():
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
async def anns_session(server):
    async with ClientPeer(server.url, token=ANN) as peer:
        await peer.connect(ColourTrack())
        await peer.wait_for(lambda m: "count" in m)
        yield peer
        await peer.end()


async def ask(http, server, method, path, as_=None, **options):
    headers = {"Authorization": f"Bearer {as_}"} if as_ else {}
    async with http.request(method, server.url + path, headers=headers, **options) as response:
        return response.status, await response.json()


def example(path):
    """The path of a route with something in place of its parameters."""
    return re.sub(r"{\w+(:[^{}]*)?}", "some", path)


ROUTE_IDS = [f"{route.method} {route.path}" for route in ROUTES]
HANDSHAKE = {
    "Upgrade": "websocket",
    "Connection": "Upgrade",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
}


@pytest.mark.parametrize("route", ROUTES, ids=ROUTE_IDS)
async def test_every_route_needs_its_scope(http, server, route):
    url = server.url + example(route.path)
    handshake = HANDSHAKE if route.websocket else {}

    async def status(**headers):
        async with http.request(route.method, url, headers={**handshake, **headers}) as response:
            return response.status, response.headers.get("WWW-Authenticate")

    if route.scope is None:
        # Of what is named in the path, there is none.
        assert (await status())[0] == (404 if "{" in route.path else 200)
        return
    assert await status() == (401, "Bearer")
    assert await status(Authorization="Bearer nonsense") == (401, "Bearer")
    assert await status(**bearer("view", now_s=1_000_000_000)) == (401, "Bearer")
    allowing = {str(scope) for scope in (route.scope, *route.or_scopes)}
    if others := {"publish", "view"} - allowing:
        assert (await status(**bearer(*others)))[0] == 403
    # What these routes say when one gets in depends on what is there.
    for scope in (*allowing, "control"):
        assert (await status(**bearer(scope)))[0] not in (401, 403)


async def test_head_needs_what_get_needs(http, server):
    async with http.head(f"{server.url}/sessions") as response:
        assert response.status == 401
    async with http.head(f"{server.url}/sessions", headers=bearer("view")) as response:
        assert response.status == 200


@pytest.mark.parametrize("path", ["", "/", "/signaling", "/anything/at/all"])
async def test_the_next_port_asks_too(http, server, path):
    url = f"http://127.0.0.1:{server.port + 1}{path}"
    with pytest.raises(aiohttp.WSServerHandshakeError) as raised:
        await http.ws_connect(url)
    assert raised.value.status == 401
    for scope in ("publish", "view"):
        async with http.ws_connect(url, headers=bearer(scope)) as ws:
            await ws.send_json({"type": "ice-servers"})
            assert (await ws.receive_json(timeout=60))["type"] == "ice-servers"


async def test_a_websocket_on_the_pages_address_asks_although_the_page_does_not(http, server):
    async with http.get(f"{server.url}/") as response:
        assert response.status == 200
    with pytest.raises(aiohttp.WSServerHandshakeError) as raised:
        await http.ws_connect(f"{server.url}/")
    assert raised.value.status == 401
    async with http.ws_connect(f"{server.url}/", headers=bearer("view")) as ws:
        await ws.send_json({"type": "ice-servers"})
        assert (await ws.receive_json(timeout=60))["type"] == "ice-servers"


async def test_an_offer_needs_the_scope_of_what_it_asks_for(server):
    for scope, keys, lacks in (
        ("view", {}, "to send video: it needs the scope publish"),
        ("publish", {"play": "camera"}, "to watch: it needs the scope view"),
    ):
        async with ClientPeer(server.url, token=token(scope), **keys) as peer:
            with pytest.raises(Rejected) as refused:
                await peer.connect(ColourTrack())
        assert refused.value.code == 403
        assert lacks in str(refused.value)


async def test_pages_from_elsewhere_do_not_get_in_even_with_a_token(http, server):
    headers = {"Origin": "http://evil.example"}
    for url in (f"{server.url}/signaling", f"http://127.0.0.1:{server.port + 1}/"):
        with pytest.raises(aiohttp.WSServerHandshakeError) as raised:
            await http.ws_connect(f"{url}?token={ANN}", headers=headers)
        assert raised.value.status == 403
    async with http.get(f"{server.url}/sessions?token={ANN}", headers=headers) as response:
        assert response.status == 403


async def test_a_route_that_was_not_declared_is_open_to_nobody(undeclared, caplog):
    async with undeclared as (http, url):
        async with http.get(f"{url}/declared", headers=bearer("view")) as response:
            assert await response.text() == "view"
        async with http.get(f"{url}/open") as response:
            # To be let in by everybody's door allows nothing.
            assert (response.status, await response.text()) == (200, "")
        for headers in ({}, bearer("control")):
            async with http.get(f"{url}/forgotten", headers=headers) as response:
                assert response.status == 403
        async with http.get(f"{url}/nowhere") as response:
            assert response.status == 404
    assert "not in the table of routes" in caplog.text


@pytest.fixture
def undeclared():
    """An application with a route that nobody declared."""

    async def answer(request):
        return web.Response(text=" ".join(request[IDENTITY].scopes))

    @web.middleware
    async def as_status(request, handler):
        try:
            return await handler(request)
        except SignalingError as error:
            return web.Response(status=error.code)

    @contextlib.asynccontextmanager
    async def run():
        app = web.Application(middlewares=[as_status, check_access])
        app[AUTH_SECRET], app[ROUTE_TABLE] = SECRET, RouteTable()
        routes = (
            Route("GET", "/declared", answer, "", Scope.VIEW),
            Route("GET", "/open", answer, "", None),
        )
        app[ROUTE_TABLE].serve(app, routes)
        app.router.add_get("/forgotten", answer)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        try:
            async with aiohttp.ClientSession() as http:
                yield http, f"http://127.0.0.1:{runner.addresses[0][1]}"
        finally:
            await runner.cleanup()

    return run()


@pytest.mark.parametrize("way", ["header", "query", "subprotocol"])
async def test_ways_to_send_a_token(http, server, way):
    url, options = f"{server.url}/signaling", {}
    match way:
        case "header":
            options["headers"] = {"Authorization": f"bearer {ANN}"}
        case "query":
            url += f"?token={ANN}"
        case "subprotocol":
            options["protocols"] = ["kinecast", f"bearer.{ANN}"]
    async with http.ws_connect(url, **options) as ws:
        assert ws.protocol == ("kinecast" if way == "subprotocol" else None)
        await ws.send_json({"type": "ice-servers"})
        assert (await ws.receive_json(timeout=60))["type"] == "ice-servers"


async def test_a_token_alone_among_the_subprotocols_is_not_repeated(http, server):
    offered = {**HANDSHAKE, "Sec-WebSocket-Protocol": f"bearer.{ANN}"}
    async with http.get(f"{server.url}/signaling", headers=offered) as response:
        assert response.status == 400
        assert "kinecast" in (await response.json())["message"]
        assert ANN not in str(response.headers)


async def test_a_session_is_its_owners(http, server, anns_session):
    sid = anns_session.session.id
    path = f"/sessions/{sid}"

    async def listed(as_):
        _, body = await ask(http, server, "GET", "/sessions", as_)
        return [session["id"] for session in body["sessions"]]

    assert await listed(ANN) == [sid]
    assert await listed(BOB) == []
    assert await listed(OPERATOR) == [sid]
    assert (await ask(http, server, "GET", path, ANN))[1]["id"] == sid
    for method, tail in (("GET", ""), ("GET", "/results"), ("DELETE", "")):
        status, body = await ask(http, server, method, path + tail, BOB)
        assert (status, body["code"]) == (403, 403)
        assert "belongs to" in body["message"]
        assert "count" not in str(body)
    assert (await ask(http, server, "GET", path, OPERATOR))[1]["state"] == "streaming"
    # Another token of the same subject's is as good.
    again = token("view", subject="ann")
    assert (await ask(http, server, "GET", path, again))[0] == 200


async def test_who_may_publish_alone_can_ask_whether_their_session_lives(
    http, server, anns_session
):
    path, publisher = f"/sessions/{anns_session.session.id}", token("publish", subject="ann")
    assert (await ask(http, server, "GET", path, publisher))[1]["state"] == "streaming"
    # 404 is what says that it is time to offer anew.
    assert (await ask(http, server, "GET", "/sessions/none", publisher))[0] == 404
    stranger = token("publish", subject="bob")
    assert (await ask(http, server, "GET", path, stranger))[0] == 403
    # Nor does it open what shows a session, or all of them.
    for other in (f"{path}/picture", f"{path}/results", "/sessions"):
        assert (await ask(http, server, "GET", other, publisher))[0] == 403


async def test_results_are_read_by_their_owner_only(http, server, anns_session):
    url = f"{server.url}/sessions/{anns_session.session.id}/results"
    async with http.get(f"{url}?token={ANN}") as response:
        assert response.status == 200
        line = await asyncio.wait_for(response.content.readline(), 60)
        assert line.startswith(b"event: ")


async def test_head_of_results_is_a_head_and_no_more(http, server, anns_session):
    url = f"{server.url}/sessions/{anns_session.session.id}/results"
    async with http.head(f"{url}?token={BOB}") as response:
        assert response.status == 403
    path = url.removeprefix(server.url)
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    for line in (f"HEAD {path}", "GET /docs.css"):
        writer.write(f"{line} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {ANN}\r\n\r\n".encode())
    head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 60)
    assert b"text/event-stream" in head
    following = await asyncio.wait_for(reader.readuntil(b"\r\n"), 60)
    assert following == b"HTTP/1.1 200 OK\r\n"
    writer.close()


async def test_nobody_else_resumes_a_session(http, server, anns_session):
    resume = anns_session.session.resume
    with pytest.raises(Rejected) as raised:
        async with ClientPeer(server.url, token=BOB, resume=resume) as thief:
            await thief.connect(ColourTrack())
    assert raised.value.code == 403
    # It goes on as if nothing had been.
    at = (await anns_session.wait_for(lambda m: "count" in m))["count"]
    await anns_session.wait_for(lambda m: m.get("count", 0) > at + 5)
    assert list(anns_session.states)[-1] == "connected"


async def test_its_owner_resumes_a_session(server):
    async with ClientPeer(server.url, token=ANN) as peer:
        await peer.connect(ColourTrack())
        await peer.wait_for(lambda m: m.get("count", 0) > 3)
        session = peer.session
    async with ClientPeer(server.url, token=ANN, resume=session.resume) as back:
        await back.connect(ColourTrack())
        assert back.session.id == session.id
        await back.end()


async def test_control_ends_anybodys_session(http, server):
    async with ClientPeer(server.url, token=ANN) as peer:
        await peer.connect(ColourTrack())
        await peer.wait_for(lambda m: "count" in m)
        status, body = await ask(http, server, "DELETE", f"/sessions/{peer.session.id}", OPERATOR)
        assert (status, body["state"]) == (200, "ended")


async def test_tokens_and_secrets_are_in_no_log(http, server):
    """With debug logging, and with all that can go wrong."""
    stale = token("view", now_s=1_000_000_000)
    offered = {**HANDSHAKE, "Sec-WebSocket-Protocol": f"bearer.{ANN}, chat"}
    for send in (
        http.get(f"{server.url}/sessions?token={ANN}"),
        http.get(f"{server.url}/sessions?token={stale}"),
        http.get(f"{server.url}/nowhere?token={ANN}"),
        http.get(f"{server.url}/sessions", headers={"Authorization": f"Bearer {ANN}"}),
        http.get(f"{server.url}/signaling", headers=offered),
        http.get(f"{server.url}/signaling?token={ANN}", headers={"Connection": "Upgrade"}),
        http.get(f"{server.url}/health", headers={"X-Long": ANN * 100}),
        http.post(f"{server.url}/offer?token={ANN}", data=ANN),
    ):
        async with send as response:
            text = await response.text()
            assert ANN not in text
    async with http.ws_connect(f"{server.url}/signaling?token={ANN}") as ws:
        await ws.send_str(ANN)
        assert ANN not in (await ws.receive_str(timeout=60))
    server.wait_until_logged(r'"POST /offer" 400')
    log = server.log
    assert '"GET /sessions" 200' in log
    assert SECRET not in log
    for secret in (ANN, stale):
        assert secret not in log
        assert secret.split(".")[2] not in log


def test_what_a_library_logs_is_blotted_out():
    record = logging.makeLogRecord({"msg": "offered %r", "args": (["bearer." + ANN],)})
    assert RedactingFormatter("%(message)s").format(record) == "offered ['bearer.[token]']"
