"""What systemd is told by the supervisor, over a real socket of its kind."""

import asyncio
import os
import socket
import struct

import psutil
import pytest

from tests.support.server import running_server

from .conftest import FLAGS, media_process

_CREDENTIALS = struct.Struct("3i")


@pytest.fixture
def told(tmp_path, monkeypatch):
    """Waits for a notification; returns all that came until then, and who sent them."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        address = f"\0kinecast-test-{os.getpid()}"
        listener.bind(address)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        monkeypatch.setenv("NOTIFY_SOCKET", address.replace("\0", "@"))

        async def until(text, within_s=60):
            listener.settimeout(within_s)
            states, senders = [], set()
            async with asyncio.timeout(within_s):
                while not any(text in state for state in states):
                    data, extra, *_ = await asyncio.to_thread(
                        listener.recvmsg, 1024, socket.CMSG_SPACE(_CREDENTIALS.size)
                    )
                    states += data.decode().splitlines()
                    senders.add(_CREDENTIALS.unpack(extra[0][2])[0])
            return states, senders

        yield until


async def test_systemd_hears_of_it_as_long_as_the_server_beats(tmp_path, told):
    with running_server(tmp_path, *FLAGS, watched=True, until_ready=False) as server:
        states, senders = await told("READY=1")
        # NotifyAccess=main: of others it takes nothing.
        assert senders == {server.process.pid}
        assert set(states) == {"WATCHDOG=1", "READY=1", "STATUS=serving"}
        assert server.get("/health")
        for _ in range(3):
            await told("WATCHDOG=1")
        media_process(server).suspend()
        states, _ = await told("STATUS=The event loop did not turn")
        # Ten seconds of silence, in which it is told each second; what came before was on its way.
        assert states.count("WATCHDOG=1") <= 5
        states, _ = await told("STATUS=serving")
        assert "READY=1" in states
        server.process.terminate()
        states, senders = await told("STOPPING=1")
        assert senders == {server.process.pid}
        assert await asyncio.to_thread(server.process.wait, 60) == 0


async def test_a_server_without_a_supervisor_tells_it_itself(tmp_path, told, monkeypatch):
    monkeypatch.setenv("WATCHDOG_USEC", "200000")
    with running_server(tmp_path, *FLAGS, until_ready=False) as server:
        states, senders = await told("READY=1")
        assert states == ["READY=1"]
        for _ in range(3):
            await told("WATCHDOG=1")
        assert senders == {server.process.pid}
        assert await asyncio.to_thread(server.stop) == 0


async def test_a_pause_is_not_taken_for_the_supervisors_own_silence(tmp_path, told):
    with running_server(tmp_path, *FLAGS, watched=True, until_ready=False) as server:
        await told("READY=1")
        psutil.Process(media_process(server).pid).kill()
        await told("STATUS=The media process died (signal 9): started again in 1 s")
        states, _ = await told("STATUS=serving")
        assert "WATCHDOG=1" in states
