"""A whole server behind one UDP port: peers of another process's kind, all at once."""

import asyncio
import re
import signal
import socket

import psutil
import pytest

from client_test.peer import ClientPeer
from tests.support.server import (
    COUNTER,
    free_port,
    run_until_exit,
    running_server,
    wait_until_ready,
)
from tests.support.tracks import ColourTrack

PEERS = 4
FLAGS = ("--analyzers", COUNTER, "--workers", "1", "--no-camera-enabled")


def udp_ports(pid):
    """Local ports of all UDP sockets of a process and its children."""
    process = psutil.Process(pid)
    return {
        connection.laddr.port
        for each in (process, *process.children(recursive=True))
        for connection in each.net_connections("udp")
    }


async def counts_on(peer, by=20):
    """Wait until so many more of its frames were looked at."""
    now = await peer.wait_for(lambda m: "count" in m)
    return await peer.wait_for(lambda m: m.get("count", 0) >= now["count"] + by)


@pytest.mark.parametrize("codec", ["VP8", "H264"])
async def test_many_stream_through_one_port_and_one_that_leaves_disturbs_none(tmp_path, codec):
    port = free_port()
    with running_server(tmp_path, *FLAGS, "--ice-port", str(port)) as server:
        server.wait_until_logged(f"Media of all sessions: UDP port {port}")
        peers = [ClientPeer(server.url, codec=codec) for _ in range(PEERS)]
        try:
            await asyncio.gather(*(peer.connect(ColourTrack()) for peer in peers))
            await asyncio.gather(*(counts_on(peer) for peer in peers))
            answers = [peer.connection.remoteDescription.sdp for peer in peers]
            found = {
                m for sdp in answers for m in re.findall(r"candidate:.* 127.0.0.1 (\d+) ", sdp)
            }
            assert found == {str(port)}
            assert udp_ports(server.process.pid) == {port}
            # One says good-bye, one vanishes, and all others go on.
            ended, lost, *others = peers
            assert (await ended.end())["total"] > 0
            ice = lost.connection.getSenders()[0].transport.transport._connection
            for protocol in ice._protocols:
                protocol.transport.sendto = lambda *_: None
            # From a thread: the others stream on.
            await asyncio.to_thread(
                server.wait_until,
                "/sessions",
                lambda told: [s["state"] for s in told["sessions"]].count("disconnected") == 1,
            )
            await asyncio.gather(*(counts_on(peer, 30) for peer in others))
            # It comes back from another port of its own.
            async with ClientPeer(server.url, resume=lost.session.resume) as again:
                await again.connect(ColourTrack())
                assert again.session.id == lost.session.id
                await counts_on(again)
        finally:
            await asyncio.gather(*(peer.close() for peer in peers))


async def test_the_next_process_has_the_port_again(tmp_path):
    port = free_port()
    flags = (*FLAGS, "--ice-port", str(port))
    with running_server(tmp_path, *flags, watched=True) as server:
        async with ClientPeer(server.url) as peer:
            await peer.connect(ColourTrack())
            await counts_on(peer)
            (media,) = psutil.Process(server.process.pid).children()
            media.send_signal(signal.SIGKILL)
            resume = peer.session.resume
        server.wait_until_logged("started again")
        wait_until_ready(server)
        async with ClientPeer(server.url, resume=resume) as peer:
            await peer.connect(ColourTrack())
            await counts_on(peer)


def test_a_port_in_use_is_one_clear_line():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        flags = ("--ice-address", "127.0.0.1", "--ice-port", str(port))
        status, text = run_until_exit("--port", str(free_port()), "--analyzers", COUNTER, *flags)
    assert status == 2
    assert text.strip().splitlines()[-1] == (
        f"kinecast: UDP port {port} is in use: choose another with --ice-port"
    )
    assert "Traceback" not in text
