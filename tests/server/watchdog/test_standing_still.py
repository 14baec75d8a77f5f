"""Each process of a server stands still for a while (SIGSTOP) and goes on: streams go on, too."""

import asyncio
import contextlib
import time

import psutil
import pytest

from client_test.peer import ClientPeer
from server.workers.template import NAME
from tests.support.server import wait_until_ready
from tests.support.tracks import ColourTrack

from .conftest import analyze_camera, is_gone, media_process, until

# Short of what a worker (5 s) or the event loop (10 s) may be silent.
STANDS_STILL_S = 2.0
WITHIN_S = 60.0


def processes_of(server):
    """By what they are."""
    media = media_process(server)
    children = media.children(recursive=True)
    found = {"supervisor": psutil.Process(server.process.pid), "media process": media}
    for child in children:
        if child.name() == NAME:
            found["worker"] = child
        elif "resource_tracker" in " ".join(child.cmdline()):
            found["what gives shared memory back"] = child
        else:
            assert "server.workers.template" in child.cmdline()
            found["what workers are forked from"] = child
    assert len(found) == 2 + len(children)
    return found


@contextlib.contextmanager
def standing_still(process):
    process.suspend()
    try:
        yield
    finally:
        process.resume()


@pytest.mark.timeout(300)
async def test_every_process_may_stand_still_for_a_while(server):
    async with ClientPeer(server.url, timeout_s=WITHIN_S) as peer:
        await peer.connect(ColourTrack())
        await analyze_camera(server)
        family = processes_of(server)
        assert len(family) == 5
        for process in family.values():
            with standing_still(process):
                await asyncio.sleep(STANDS_STILL_S)
            went_on_ms = time.time() * 1000
            await peer.wait_for(
                lambda m, since_ms=went_on_ms: m.get("timestamp", 0) > since_ms and "frame" in m
            )
        assert "started again" not in server.log
        for name in ("supervisor", "media process"):
            assert not is_gone(family[name])
        assert (await peer.end())["total"] > 0
    assert await asyncio.to_thread(server.stop) == 0
    await until(lambda: all(map(is_gone, family.values())))


async def test_one_that_stands_still_for_good_holds_up_no_end(server):
    wait_until_ready(server)
    await analyze_camera(server)
    family = processes_of(server)
    kept = [each for name, each in family.items() if name not in ("supervisor", "media process")]
    for process in kept:
        process.suspend()
    assert await asyncio.to_thread(server.stop) == 0
    await until(lambda: all(map(is_gone, family.values())))
