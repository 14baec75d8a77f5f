"""What strangers can write into the log: nothing of theirs, and not without end."""

import asyncio
import io
import logging

import pytest
from aiohttp import web

from server.http.log import BriefBadRequests, RedactingFormatter
from server.http.route import Route
from tests.support.guarded import guarded

TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbm4ifQ.c2lnbmF0dXJlLW9mLWFubg"


@pytest.fixture
def written():
    """What is logged, as the server writes it."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(RedactingFormatter("%(levelname)s %(name)s: %(message)s"))
    handler.addFilter(BriefBadRequests())
    logging.getLogger().addHandler(handler)
    yield stream.getvalue
    logging.getLogger().removeHandler(handler)


@pytest.mark.parametrize("dot", [".", "%2e", "%2E"])
def test_a_token_is_blotted_out_however_it_is_written(written, dot):
    logging.getLogger("library").warning("bad line %r", TOKEN.replace(".", dot))
    assert written() == "WARNING library: bad line '[token]'\n"


@pytest.mark.parametrize("control", ["\n", "\r", "\x1b", "\x85", "\u2028", "\0"])
def test_nobody_begins_a_line_of_the_log(written, control):
    logging.getLogger("library").warning("GET /%sINFO server: all is well", control)
    assert control not in written().removesuffix("\n")
    assert written().count("\n") == 1


def test_tracebacks_of_ours_keep_their_lines(written):
    try:
        raise RuntimeError("broken")
    except RuntimeError:
        logging.getLogger("library").exception("It failed")
    assert written().startswith("ERROR library: It failed\nTraceback")


async def answer(request):
    return web.Response()


async def test_requests_that_are_no_http_are_told_of_briefly(written):
    async with guarded([Route("GET", "/", answer, "", None)], "--no-auth") as server:
        for _ in range(BriefBadRequests.MAX_PER_MINUTE + 30):
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            line = b"GET / HTTP/1.1\r\nHost: x\r\nA B: " + TOKEN.encode() + b"\r\n\r\n"
            writer.write(line)
            assert b"400" in await asyncio.wait_for(reader.readline(), 60)
            writer.close()
    lines = written().splitlines()
    assert 0 < len(lines) <= 2 * BriefBadRequests.MAX_PER_MINUTE  # Of two minutes, maybe.
    assert all("was no HTTP: 400" in line for line in lines)
    assert TOKEN not in written()
