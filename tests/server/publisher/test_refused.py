"""What a camera peer is told when it does not get in: tokens, certificates, other servers."""

import asyncio
import contextlib
import re
import socket
import threading

import pytest
from aiohttp import web

from server import rtc
from server.broadcast.broadcast import Broadcast
from server.camera.camera import Camera
from server.camera.pattern import Pattern
from server.camera.source import Mode
from server.publisher import publisher as module
from server.publisher.destination import make_trust, parse_destination
from server.publisher.errors import NotConnected, ServerRefused, Untrusted
from server.publisher.link import Link
from server.publisher.offer_exchange import negotiate
from server.publisher.publisher import Publication, Publisher
from server.security import tokens
from server.security.identity import Scope
from tests.support.server import COUNTER, running_server

SECRET = "a secret of more than thirty-two characters"


async def no_offer(servers):
    raise AssertionError("it got as far as the offer")


def asking(url, trust=True, token=""):
    return negotiate(parse_destination(url), trust, token, no_offer)


@pytest.fixture(scope="module")
def guarded(tmp_path_factory):
    """One that asks for tokens, with a certificate of its own."""
    directory = tmp_path_factory.mktemp("server")
    flags = ("--analyzers", COUNTER, "--workers", "1", "--self-signed")
    (directory / "secret").write_text(SECRET)
    with running_server(
        directory, *flags, "--auth-secret-file", str(directory / "secret"), scheme="https"
    ) as server:
        server.wait_until_logged("which load now", 60)
        server.fingerprint = re.search(r"fingerprint is\s+([0-9A-F:]{95})", server.log)[1]
        server.certificate = directory / "data" / "kinecast" / "self-signed.pem"
        yield server


@pytest.fixture
def on_loopback():
    rtc.install()
    rtc.set_ice_hosts(["127.0.0.1"])
    yield
    rtc.set_ice_hosts([])


async def test_a_certificate_that_nobody_vouches_for_is_told_of(guarded):
    with pytest.raises(Untrusted, match=r"not trusted.*--fingerprint as the server logs it"):
        await asking(guarded.url)


async def test_another_certificate_than_the_known_one_gets_no_token(guarded):
    other = make_trust(None, "AB:" * 31 + "AB")
    with pytest.raises(Untrusted, match=guarded.fingerprint):
        await asking(guarded.url, other, "the token")


@pytest.mark.parametrize("how", ["--fingerprint", "--ca-file"])
async def test_a_certificate_that_is_known_is_trusted_and_a_token_asked_for(guarded, how):
    trust = (
        make_trust(None, guarded.fingerprint)
        if how == "--fingerprint"
        else make_trust(guarded.certificate, "")
    )
    with pytest.raises(
        ServerRefused, match=r"does not accept the token.*kinecast token"
    ) as refused:
        await asking(guarded.url, trust)
    assert refused.value.code == 401
    assert refused.value.needs_a_person


async def test_a_token_that_allows_something_else_is_told_of(guarded, on_loopback):
    token = tokens.issue(SECRET, [Scope.VIEW], 600, None)
    broadcast = Broadcast(Camera(lambda: Pattern(Mode(160, 120, 10))))
    link, trust = Link(broadcast), make_trust(None, guarded.fingerprint)
    try:
        with pytest.raises(ServerRefused, match="needs the scope publish") as refused:
            await link.connect(parse_destination(guarded.url), trust, token, {"publish": "shed"})
        assert refused.value.code == 403
        # Nothing was taken of the camera.
        assert broadcast.viewers == 0
    finally:
        await link.close()
        broadcast.close()


async def test_tls_with_a_server_that_has_none_is_told_of(unused_port_server):
    with pytest.raises(Untrusted, match="speak plain HTTP"):
        await asking(unused_port_server.replace("http", "https"))


@pytest.fixture
async def unused_port_server():
    """A web server that is no Kinecast."""
    runner = web.AppRunner(web.Application())
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = site._server.sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}"
    await runner.cleanup()


async def test_a_web_server_that_is_no_kinecast_is_told_of(unused_port_server):
    with pytest.raises(ServerRefused, match="no Kinecast server at this address"):
        await asking(unused_port_server)


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ([], "hung up before it answered"),
        (['{"type": "error", "data": {"message": "no room", "code": 503}}'], "503: no room"),
        (['{"type": "error"}'], "500: no reason given"),
        (['{"type": "ice-servers", "data": 7}'], "no Kinecast's answer"),
        (["[]", "nonsense", '{"type": "ice-servers", "data": [{"urls": 7}]}'], "no Kinecast's"),
    ],
)
async def test_a_server_that_answers_something_else(answers, said):
    async def answer(request):
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.receive()
        for text in answers:
            await socket.send_str(text)
        await socket.close()
        return socket

    application = web.Application()
    application.router.add_get("/signaling", answer)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        port = site._server.sockets[0].getsockname()[1]
        with pytest.raises(NotConnected, match=said):
            await asking(f"127.0.0.1:{port}")
    finally:
        await runner.cleanup()


async def test_a_name_is_resolved_without_stopping_the_loop(monkeypatch):
    asked, answer = threading.Event(), threading.Event()

    def getaddrinfo(*arguments, **keywords):
        asked.set()
        assert answer.wait(20)
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    trying = asyncio.create_task(asking("wss://media.example"))
    while not asked.is_set():
        await asyncio.sleep(0.01)
    # The loop turns while the name is looked up, or this would never be reached.
    answer.set()
    with pytest.raises(NotConnected, match=r"media\.example can not be resolved"):
        await trying


async def test_a_token_renewed_in_its_file_lets_it_in(guarded, tmp_path, monkeypatch, on_loopback):
    monkeypatch.setattr(module, "LONGEST_S", 0.2)
    file = tmp_path / "token"
    file.write_text("expired")
    publication = Publication(
        parse_destination(guarded.url), make_trust(None, guarded.fingerprint), "shed", "", file
    )
    publisher = Publisher(publication, Camera(lambda: Pattern(Mode(160, 120, 10))))
    said = asyncio.Queue()
    monkeypatch.setattr(publisher, "_say", lambda level, what, more="": said.put_nowait(what))
    running = asyncio.create_task(publisher.run())
    try:
        async with asyncio.timeout(60):
            assert "does not accept the token" in await said.get()
            file.write_text(tokens.issue(SECRET, [Scope.PUBLISH], 600, None) + "\n")
            while "is published to" not in (what := await said.get()):
                assert "token" in what
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(publisher.stop(), 60)
