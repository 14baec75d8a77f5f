"""Whom we connect with, and pieces that fit any path."""

import asyncio
import datetime

from aiortc import (
    RTCCertificate,
    RTCConfiguration,
    RTCPeerConnection,
)
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from server.rtc import sctp
from tests.server.rtc.peers import WITHIN_S, connect


async def test_a_peer_with_an_rsa_certificate_connects():
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "peer")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    offerer, answerer = (RTCPeerConnection(RTCConfiguration([])) for _ in range(2))
    offerer._RTCPeerConnection__certificates = [RTCCertificate(key=key, cert=certificate)]
    offerer.createDataChannel("data")
    await connect(offerer, answerer)
    await offerer.close()
    await answerer.close()


async def test_data_channel_messages_travel_in_pieces_that_fit_any_path():
    offerer, answerer = (RTCPeerConnection(RTCConfiguration([])) for _ in range(2))
    channel = offerer.createDataChannel("data")
    heard = asyncio.get_running_loop().create_future()
    answerer.on("datachannel", lambda c: c.on("message", heard.set_result))
    await connect(offerer, answerer)
    sizes = []
    send_chunk = offerer.sctp._send_chunk

    async def note_size(chunk):
        if hasattr(chunk, "user_data"):
            sizes.append(len(chunk.user_data))
        await send_chunk(chunk)

    offerer.sctp._send_chunk = note_size
    async with asyncio.timeout(WITHIN_S):
        while channel.readyState != "open":
            await asyncio.sleep(0.01)
        channel.send("x" * 5000)
        assert await heard == "x" * 5000
    assert max(sizes) == sctp.PIECE_BYTES
    await offerer.close()
    await answerer.close()
