"""Which pages may use the server: WebSockets, CORS, and names that anybody can point here."""

import aiohttp
import pytest
from aiohttp import web

from server.api.bounded_socket import BoundedSocket
from server.http.route import Route
from server.security.identity import Scope
from server.security.origin_names import parse_origins
from tests.support.guarded import guarded

PAGE = "http://localhost:3000"


async def answer(request):
    return web.json_response({"method": request.method})


async def fail(request):
    raise web.HTTPNotFound(text="nothing here")


async def talk(request):
    async with BoundedSocket.open(request) as socket:
        await socket.send("hello")
    return socket.response


ROUTES = (
    Route("GET", "/thing", answer, "", Scope.VIEW),
    Route("POST", "/thing", answer, "", Scope.PUBLISH),
    Route("GET", "/failing", fail, "", Scope.VIEW),
    Route("GET", "/page", answer, "", None),
    Route("GET", "/socket", talk, "", Scope.PUBLISH, websocket=True),
)


@pytest.fixture
async def http():
    async with aiohttp.ClientSession() as session:
        yield session


async def ask(http, server, method="GET", path="/thing", **headers):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    async with http.request(method, server.url + path, headers=named) as response:
        await response.read()
        return response


async def handshake(http, server, **headers):
    """The status of a WebSocket handshake."""
    try:
        async with http.ws_connect(server.url + "/socket", headers=headers) as ws:
            assert await ws.receive_str(timeout=60) == "hello"
            return 101
    except aiohttp.WSServerHandshakeError as error:
        return error.status


async def test_a_page_of_the_server_and_what_is_no_browser_may_use_it(http):
    async with guarded(ROUTES) as server:
        assert await handshake(http, server) == 101
        assert await handshake(http, server, Origin=server.url) == 101
        response = await ask(http, server, Origin=server.url)
        assert response.status == 200
        assert "Access-Control-Allow-Origin" not in response.headers


@pytest.mark.parametrize(
    "origin",
    [
        PAGE,
        "http://evil.example",
        "null",
        "http://127.0.0.1:1",
        "http://127.0.0.1",
        "",
        "file://",
        "http://127.0.0.1:{port}.evil.example",
        "http://evil.example/127.0.0.1:{port}",
        "ftp://127.0.0.1:{port}",
        "127.0.0.1:{port}",
    ],
)
async def test_a_page_from_elsewhere_may_not(http, origin):
    async with guarded(ROUTES) as server:
        origin = origin.format(port=server.port)
        assert await handshake(http, server, Origin=origin) == 403
        for method in ("GET", "POST"):
            response = await ask(http, server, method, Origin=origin)
            assert response.status == 403
            body = await response.json()
            assert "--allow-origin" in body["message"]
            assert "Access-Control-Allow-Origin" not in response.headers
        preflight = await ask(
            http, server, "OPTIONS", Origin=origin, Access_Control_Request_Method="POST"
        )
        assert preflight.status == 403


@pytest.mark.parametrize(
    ("allowed", "origin"),
    [
        (PAGE, PAGE),
        ("HTTP://LocalHost:3000/", PAGE),
        (f"https://a.example,{PAGE}", PAGE),
        ("https://a.example:443", "https://a.example"),
        ("null", "null"),
        ("*", "https://whatever.example"),
    ],
)
async def test_allowed_pages(http, allowed, origin):
    async with guarded(ROUTES, "--allow-origin", allowed) as server:
        assert await handshake(http, server, Origin=origin) == 101
        for path, status in (("/thing", 200), ("/failing", 404), ("/nowhere", 404)):
            response = await ask(http, server, path=path, Origin=origin)
            assert response.status == status
            # An error can be read, too.
            assert response.headers["Access-Control-Allow-Origin"] == origin
            assert "Origin" in response.headers.getall("Vary")
            assert "Retry-After" in response.headers["Access-Control-Expose-Headers"]
        assert "Access-Control-Allow-Credentials" not in response.headers


async def test_a_browser_asks_beforehand(http):
    async with guarded(ROUTES, "--allow-origin", PAGE) as server:
        response = await ask(
            http,
            server,
            "OPTIONS",
            Origin=PAGE,
            Access_Control_Request_Method="DELETE",
            Access_Control_Request_Headers="authorization,content-type",
        )
        assert response.status == 204
        assert response.headers["Access-Control-Allow-Origin"] == PAGE
        assert "DELETE" in response.headers["Access-Control-Allow-Methods"]
        assert response.headers["Access-Control-Allow-Headers"] == "authorization,content-type"


async def test_asking_beforehand_needs_no_token(http):
    """A browser sends none with that question."""
    flags = ("--allow-origin", PAGE, "--auth-secret", "s" * 40)
    async with guarded(ROUTES, *flags) as server:
        headers = {"Origin": PAGE, "Access_Control_Request_Method": "POST"}
        assert (await ask(http, server, "OPTIONS", **headers)).status == 204
        refused = await ask(http, server, "POST", Origin=PAGE)
        assert refused.status == 401
        assert refused.headers["Access-Control-Allow-Origin"] == PAGE


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:{port}", 200),
        ("localhost:{port}", 200),
        ("[::1]:{port}", 200),
        ("kinecast", 200),
        ("pi.local:8083", 200),
        ("evil.example:{port}", 403),
        ("127.0.0.1.evil.example", 403),
        ("localhost.evil.example", 403),
        ("[evil", 403),
    ],
)
async def test_a_name_that_anybody_may_have_pointed_here(http, host, status):
    """DNS rebinding: the page and its requests have the same, foreign name."""
    async with guarded(ROUTES) as server:
        host = host.format(port=server.port)
        assert (await ask(http, server, Host=host)).status == status
        if status == 403:
            assert (await ask(http, server, Host=host, Origin=f"http://{host}")).status == 403


async def test_an_allowed_page_may_use_the_name_it_has(http):
    async with guarded(ROUTES, "--allow-origin", "https://stream.example") as server:
        headers = {"Host": "stream.example", "Origin": "https://stream.example"}
        assert (await ask(http, server, **headers)).status == 200


async def test_where_tokens_are_asked_for_any_name_will_do(http):
    """A foreign page has no token, and browsers add none by themselves."""
    async with guarded(ROUTES, "--auth-secret", "s" * 40) as server:
        assert (await ask(http, server, Host="stream.example")).status == 401


async def test_refused_origins_are_logged_once_and_not_without_end(http, caplog):
    async with guarded(ROUTES) as server:
        for n in (*range(150), 0):
            await ask(http, server, Origin=f"http://{n}.example")
    logged = [r.getMessage() for r in caplog.records if "--allow-origin" in r.getMessage()]
    assert len(logged) == 100
    assert sum('"http://0.example"' in line for line in logged) == 1


@pytest.mark.parametrize(
    "text", ["localhost:3000", "http://", "http://a/b", "ws://a", "http://a b"]
)
def test_what_is_no_origin(text):
    with pytest.raises(ValueError, match="no origin"):
        parse_origins([text])


FOREIGN = [
    {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "no-cors", "Sec_Fetch_Dest": "image"},
    {"Sec_Fetch_Site": "same-site", "Sec_Fetch_Mode": "no-cors"},
    {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "navigate", "Sec_Fetch_Dest": "document"},
    {"Referer": "http://evil.example/page"},
    {"Referer": "http://evil.example/", "Sec_Fetch_Site": "cross-site"},
]


@pytest.mark.parametrize("says", FOREIGN)
@pytest.mark.parametrize("flags", [(), ("--allow-origin", PAGE)])
async def test_what_another_site_has_a_browser_fetch_is_refused_before_it_starts(http, says, flags):
    async with guarded(ROUTES, *flags) as server:
        assert (await ask(http, server, **says)).status == 403
        # Pages are for everybody to link to.
        assert (await ask(http, server, path="/page", **says)).status == 200


@pytest.mark.parametrize(
    "says",
    [
        {},
        {"Sec_Fetch_Site": "none", "Sec_Fetch_Mode": "navigate"},
        {"Sec_Fetch_Site": "same-origin"},
        {"Sec_Fetch_Site": "cross-site", "Referer": PAGE + "/gallery"},
        {"Sec_Fetch_Site": "cross-site", "Origin": PAGE},
    ],
)
async def test_programs_the_user_own_pages_and_listed_ones_fetch_as_ever(http, says):
    async with guarded(ROUTES, "--allow-origin", PAGE) as server:
        assert (await ask(http, server, **says)).status == 200
        own = f"{server.url}/page"
        assert (await ask(http, server, Referer=own)).status == 200


async def test_where_every_page_is_let_in_none_is_foreign(http):
    async with guarded(ROUTES, "--allow-origin", "*") as server:
        for says in FOREIGN:
            assert (await ask(http, server, **says)).status == 200
