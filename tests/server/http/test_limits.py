"""How much one client gets: expensive requests a minute, bytes, and by what it is counted."""

import aiohttp
import pytest
from aiohttp import web

from server.http.route import Route
from server.security import tokens
from server.security.identity import Scope, client_address
from tests.support.guarded import guarded

SECRET = "s" * 40


async def answer(request):
    await request.read()
    return web.Response()


ROUTES = (
    Route("POST", "/dear", answer, "", Scope.PUBLISH, expensive=True),
    Route("POST", "/dear-too", answer, "", Scope.PUBLISH, expensive=True),
    Route("POST", "/cheap", answer, "", Scope.PUBLISH),
)


@pytest.fixture
async def http():
    async with aiohttp.ClientSession() as session:
        yield session


async def post(http, server, path, token=None, data=b""):
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with http.post(server.url + path, data=data, headers=headers) as response:
        await response.read()
        return response


async def test_expensive_requests_a_minute(http):
    async with guarded(ROUTES, "--expensive-per-minute", "3") as server:
        for path in ("/dear", "/dear-too", "/dear"):
            assert (await post(http, server, path)).status == 200
        refused = await post(http, server, "/dear-too")
        assert refused.status == 429
        assert 1 <= int(refused.headers["Retry-After"]) <= 61
        body = await refused.json()
        assert (body["code"], "3 of these a minute" in body["message"]) == (429, True)
        assert (await post(http, server, "/cheap")).status == 200


async def test_each_token_has_its_own(http):
    flags = ("--expensive-per-minute", "1", "--auth-secret", SECRET)
    ann, bob = (tokens.issue(SECRET, [Scope.PUBLISH], 60, name) for name in ("ann", "bob"))
    async with guarded(ROUTES, *flags) as server:
        assert (await post(http, server, "/dear", ann)).status == 200
        assert (await post(http, server, "/dear", ann)).status == 429
        assert (await post(http, server, "/dear", bob)).status == 200
        # What is refused anyway is not counted.
        for _ in range(5):
            assert (await post(http, server, "/dear")).status == 401
        again = tokens.issue(SECRET, [Scope.PUBLISH], 60, "ann")
        assert (await post(http, server, "/dear", again)).status == 429


async def test_zero_is_no_limit(http):
    async with guarded(ROUTES, "--expensive-per-minute", "0") as server:
        for _ in range(100):
            assert (await post(http, server, "/dear")).status == 200


async def test_bytes_of_a_body(http):
    async with guarded(ROUTES, "--max-body-bytes", "5000") as server:
        assert (await post(http, server, "/cheap", data=bytes(5000))).status == 200
        refused = await post(http, server, "/cheap", data=bytes(5001))
        assert refused.status == 413
        assert (await refused.json())["code"] == 413


@pytest.mark.parametrize(
    ("remote", "counted_as"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
        (None, "unknown"),
        ("fe80::1%eth0", "fe80::/64"),
        ("a pipe", "a pipe"),
    ],
)
def test_by_what_a_client_is_counted(remote, counted_as):
    assert client_address(remote) == counted_as
