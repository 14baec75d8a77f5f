"""aiortc as this server has it, and a connected pair of peers."""

import asyncio

import pytest
from aiortc import (
    RTCConfiguration,
    RTCPeerConnection,
)

from server import rtc
from tests.server.rtc.peers import StepTrack, connect


@pytest.fixture(autouse=True)
def compat():
    rtc.install()
    rtc.set_ice_hosts(["127.0.0.1"])


@pytest.fixture
async def pair(request):
    """A connected pair and the track whose frames go from the first to the second."""
    offerer, answerer = (RTCPeerConnection(RTCConfiguration([])) for _ in range(2))
    track, remote = (
        getattr(request, "param", StepTrack)(),
        asyncio.get_running_loop().create_future(),
    )
    answerer.on("track", remote.set_result)
    offerer.addTrack(track)
    await connect(offerer, answerer)
    yield track, await remote, offerer, answerer
    await offerer.close()
    await answerer.close()
    await rtc.decoders_ended()
