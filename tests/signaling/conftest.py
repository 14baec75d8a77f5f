"""Offers as real clients make them."""

import asyncio

import aioice.ice
import pytest
from aiortc import RTCConfiguration, RTCPeerConnection


async def _make_offer() -> str:
    connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    try:
        connection.createDataChannel("data")
        connection.addTransceiver("video", "sendonly")
        connection.addTransceiver("audio", "sendonly")
        await connection.setLocalDescription(await connection.createOffer())
        return connection.localDescription.sdp
    finally:
        await connection.close()


@pytest.fixture(scope="session")
def aiortc_offer() -> str:
    """Video and audio to send and a data channel, with candidates on loopback."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(aioice.ice, "get_host_addresses", lambda use_ipv4, use_ipv6: ["127.0.0.1"])
        return asyncio.run(_make_offer())
