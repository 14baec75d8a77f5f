"""Which addresses are offered, and when a peer is gone, on the real thing."""

import asyncio
import socket
import struct
import time

import aioice.ice
import pytest
from aioice.stun import Class, TransactionTimeout
from aiortc import (
    RTCConfiguration,
    RTCIceGatherer,
    RTCIceParameters,
    RTCIceTransport,
    RTCPeerConnection,
)

from server import rtc
from server.rtc import ice
from tests.server.rtc.peers import WITHIN_S


def candidates_of(sdp: str) -> list[tuple[str, int]]:
    fields = [line.split() for line in sdp.splitlines() if line.startswith("a=candidate:")]
    return [(field[4], int(field[5])) for field in fields]


async def gather() -> list[tuple[str, int]]:
    connection = RTCPeerConnection(RTCConfiguration([]))
    connection.createDataChannel("data")
    await connection.setLocalDescription(await connection.createOffer())
    found = candidates_of(connection.localDescription.sdp)
    await connection.close()
    return found


async def test_ice_offers_the_chosen_addresses_and_ports():
    rtc.set_ice_hosts(["127.0.0.1", "127.0.0.2"], range(47000, 47010))
    found = await gather()
    assert {host for host, _ in found} == {"127.0.0.1", "127.0.0.2"}
    assert all(47000 <= port < 47010 for _, port in found)


async def test_a_port_range_that_is_full_gives_no_candidate():
    rtc.set_ice_hosts(["127.0.0.1"], range(47020, 47021))
    first = RTCPeerConnection(RTCConfiguration([]))
    first.createDataChannel("data")
    await first.setLocalDescription(await first.createOffer())
    assert candidates_of(first.localDescription.sdp) == [("127.0.0.1", 47020)]
    assert await gather() == []
    await first.close()
    assert await gather() == [("127.0.0.1", 47020)]


async def test_without_addresses_aioice_chooses():
    rtc.set_ice_hosts([])
    assert aioice.ice.get_host_addresses is ice._original_get_host_addresses


async def test_a_transport_that_was_closed_meanwhile_is_not_started():
    """The task that starts a connection's transports is waited for by nobody."""
    transport = RTCIceTransport(RTCIceGatherer([]))
    await transport.stop()
    await transport.start(RTCIceParameters("name", "password"))
    assert transport.state == "closed"


def gone_event(connection: RTCPeerConnection) -> asyncio.Event:
    gone = asyncio.Event()

    @connection.on("connectionstatechange")
    def _() -> None:
        if connection.connectionState in ("failed", "closed"):
            gone.set()

    return gone


async def test_a_peer_that_vanishes_is_noticed_within_five_seconds(pair):
    _, _, offerer, answerer = pair
    gone = gone_event(answerer)
    # No goodbye: its sockets are simply no longer there.
    transport = offerer.getSenders()[0].transport.transport
    for protocol in transport._connection._protocols:
        protocol.transport.close()
    began = time.monotonic()
    await asyncio.wait_for(gone.wait(), WITHIN_S)
    assert time.monotonic() - began < 5.0


async def test_a_peer_that_answers_late_is_still_there(pair):
    """As behind a slow line: each answer is on its way until another check has come."""
    _, _, offerer, answerer = pair
    (protocol,) = offerer.getSenders()[0].transport.transport._connection._protocols
    send, held, answered = protocol.send_stun, [], asyncio.Semaphore(0)

    def hold(message, address):
        if message.message_class != Class.RESPONSE:
            send(message, address)
            return
        held.append(message)
        if len(held) > 1:
            send(held.pop(0), address)
            answered.release()

    protocol.send_stun = hold
    for _ in range(8):
        await asyncio.wait_for(answered.acquire(), WITHIN_S)
    assert answerer.connectionState == "connected"


async def test_a_peer_that_sends_but_does_not_consent_is_left_when_consent_expires(
    pair, monkeypatch
):
    track, _, _, answerer = pair
    monkeypatch.setattr(ice, "CONSENT_INTERVAL_S", 0.2)
    monkeypatch.setattr(ice, "CONSENT_EXPIRES_S", 1.0)

    async def lost(*_arguments, **_keywords):
        await asyncio.sleep(0.5)
        raise TransactionTimeout

    monkeypatch.setattr(aioice.ice.StunProtocol, "request", lost)
    gone = gone_event(answerer)
    async with asyncio.timeout(WITHIN_S):
        while not gone.is_set():
            track.step()
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("attribute", [0x0024, 0x8028, 0x8029, 0x802A, 0x000C, 0x000D])
async def test_stun_that_makes_no_sense_fills_no_log(pair, attribute, caplog):
    # A binding request whose attribute has no bytes (RFC 8489, section 5).
    datagram = struct.pack("!HHL12xHH", 1, 4, 0x2112A442, attribute, 0)
    _, _, _, answerer = pair
    dtls = answerer.getTransceivers()[0].receiver.transport
    (protocol, *_) = dtls.transport._connection._protocols
    with caplog.at_level("INFO"):
        for _ in range(20):
            protocol.datagram_received(datagram, ("127.0.0.1", 9))
    assert len(caplog.records) <= 1, caplog.text
    assert "Traceback" not in caplog.text


@pytest.mark.parametrize("datagram", [b"", b"\x80" + bytes(1600), b"\xbf" + bytes(60_000)])
async def test_a_stranger_s_datagram_ends_nobody_s_connection(pair, datagram):
    _, _, _, answerer = pair
    (transceiver,) = answerer.getTransceivers()
    dtls = transceiver.receiver.transport
    (own, *_) = dtls.transport.iceGatherer.getLocalCandidates()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.sendto(datagram, (own.ip, own.port))
        before = dtls._RTCDtlsTransport__rx_packets
        # What comes after it is taken.
        stranger.sendto(b"\x80\x60 and more", (own.ip, own.port))
    async with asyncio.timeout(WITHIN_S):
        while dtls.state == "connected" and dtls._RTCDtlsTransport__rx_packets == before:
            await asyncio.sleep(0.01)
    assert dtls.state == "connected"
    assert answerer.connectionState == "connected"


async def test_a_peer_has_so_many_addresses_and_no_more(pair):
    """It knows the password, and sends checks from all its ports."""
    _, _, offerer, answerer = pair
    theirs = offerer.getSenders()[0].transport.transport._connection
    ours = answerer.getTransceivers()[0].receiver.transport.transport._connection
    (protocol, *_) = ours._protocols
    check = theirs.build_request(theirs._nominated[1], nominate=False)
    check.add_message_integrity(theirs.remote_password.encode())
    for port in range(20_000, 20_000 + 5 * ice.MAX_REMOTE_CANDIDATES):
        protocol.datagram_received(bytes(check), ("127.0.0.1", port))
    assert len(ours._remote_candidates) == ice.MAX_REMOTE_CANDIDATES
    assert len(ours._check_list) <= ice.MAX_REMOTE_CANDIDATES
    assert answerer.connectionState == "connected"
