"""Sessions that outlive the process that had them."""

import os
import signal

import aiohttp
import psutil
import pytest

from client_test.errors import Rejected
from client_test.peer import ClientPeer
from server.security import tokens
from server.security.identity import Scope
from server.workers.template import NAME
from tests.support import hanging
from tests.support.server import running_server, wait_until_ready
from tests.support.tracks import ColourTrack

from .conftest import FLAGS, analyze_camera, is_gone, media_process, shared_memory, until

SECRET = "not to be found in any log, or in any answer"


def token(subject, *more):
    return tokens.issue(SECRET, (Scope.PUBLISH, Scope.VIEW, *more), 3600, subject)


ANN, BOB = token("ann"), token("bob")


@pytest.fixture
def server(tmp_path):
    """One that asks for tokens, and whose event loop can be hung."""
    flags = (*FLAGS, "--auth-secret", SECRET, "--verbose")
    with running_server(tmp_path, *flags, command=hanging.COMMAND, watched=True) as running:
        yield running


async def status(server, sid):
    headers = {"Authorization": f"Bearer {ANN}"}
    async with (
        aiohttp.ClientSession(headers=headers) as http,
        http.get(f"{server.url}/sessions/{sid}") as response,
    ):
        return response.status, await response.json()


async def test_a_server_that_hangs_is_replaced_and_its_sessions_go_on(server):
    hung = media_process(server)
    async with ClientPeer(
        server.url, token=ANN, options={"counter": {"colour": "red"}}, publish="yard"
    ) as peer:
        await peer.connect(ColourTrack())
        await peer.wait_for(lambda m: m.get("options") == {"colour": "red"})
        peer.send({"type": "configure", "options": {"counter": {"speed": 3}}})
        # More than a beat later: the supervisor has been told of it.
        configured = await peer.wait_for(lambda m: m.get("options", {}).get("speed") == 3)
        await peer.wait_for(lambda m: m.get("count", 0) > configured["count"] + 60)
        session = peer.session
        _, before = await status(server, session.id)
        await analyze_camera(server, token("root", Scope.CONTROL))
        processes = hung.children(recursive=True)
        memory = shared_memory([hung, *processes])
        (worker,) = (p for p in processes if p.name() == NAME)
        # It hangs too, so that it can not notice that the server is gone.
        worker.suspend()
        os.kill(hung.pid, signal.SIGUSR1)
        server.wait_until_logged("The event loop did not turn for 10 s: started again", 60)
    wait_until_ready(server)
    assert "in hang_here" in server.log
    assert media_process(server) != hung
    await until(lambda: all(map(is_gone, [hung, *processes])))
    assert memory
    assert not [path for path in memory if path.exists()]

    waits = (await status(server, session.id))[1]
    assert waits["state"] == "disconnected"
    assert (waits["name"], waits["analyzers"]) == ("yard", ["counter"])
    assert waits["created_at"] == before["created_at"]
    with pytest.raises(Rejected) as refusal:
        async with ClientPeer(server.url, token=BOB, resume=session.resume) as peer:
            await peer.connect(ColourTrack())
    assert refusal.value.code == 403
    async with ClientPeer(server.url, token=ANN, resume=session.resume) as peer:
        await peer.connect(ColourTrack())
        assert peer.session == session
        told = await peer.wait_for(lambda m: m.get("type") == "analyzers_restarted")
        assert told["analyzers"] == ["counter"]
        result = await peer.wait_for(lambda m: "count" in m)
        assert result["count"] < configured["count"], "counts begin again"
        assert result["options"] == {"colour": "red", "speed": 3}
        assert (await status(server, session.id))[1]["restarts"] == before["restarts"] + 1
        assert (await peer.end())["total"] > 0

    assert session.resume not in server.log
    for process in (psutil.Process(server.process.pid), media_process(server)):
        assert session.resume not in str((process.cmdline(), process.environ()))


async def test_what_has_ended_does_not_come_back(server):
    async with ClientPeer(server.url, token=ANN) as peer:
        await peer.connect(ColourTrack())
        await peer.wait_for(lambda m: m.get("count", 0) > 60)
        ended = peer.session
        await peer.end()
    async with ClientPeer(server.url, token=ANN) as peer:
        await peer.connect(ColourTrack())
        await peer.wait_for(lambda m: m.get("count", 0) > 60)
        for _ in range(2):
            # Its successor does not live long enough to say anything of its own.
            before = media_process(server)
            before.kill()
            await until(lambda gone=before: _replaced(server, gone))
        session = peer.session
    wait_until_ready(server)
    assert (await status(server, ended.id))[0] == 404
    assert (await status(server, session.id))[1]["state"] == "disconnected"


def _replaced(server, before):
    children = psutil.Process(server.process.pid).children()
    return bool(children) and children != [before]
