"""Packets that are sent: when, what is in them, and again."""

import asyncio
from fractions import Fraction

import av
import numpy as np
import pytest
from aiortc import (
    RTCRtpReceiver,
)
from aiortc.codecs import h264, vpx
from aiortc.rtp import RtcpRtpfbPacket

from server import rtc
from server.rtc import sending
from tests.server.rtc.peers import WITHIN_S, EncodedTrack, either_track


@either_track
async def test_a_packet_that_is_asked_for_is_sent_again(pair, monkeypatch):
    track, _remote, _, answerer = pair
    receiver = answerer.getReceivers()[0]
    arrived = asyncio.Queue()
    handle = RTCRtpReceiver._handle_rtp_packet

    async def note(self, packet, arrival_time_ms):
        arrived.put_nowait(packet)
        await handle(self, packet, arrival_time_ms)

    monkeypatch.setattr(RTCRtpReceiver, "_handle_rtp_packet", note)
    track.step()
    first = await asyncio.wait_for(arrived.get(), WITHIN_S)
    await receiver._send_rtcp_nack(first.ssrc, [first.sequence_number])
    again = await asyncio.wait_for(arrived.get(), WITHIN_S)
    # RFC 4588, section 4: a stream of its own, the original's number before its payload.
    assert again.ssrc != first.ssrc
    assert again.payload == first.sequence_number.to_bytes(2) + first.payload
    assert again.timestamp == first.timestamp


@pytest.mark.parametrize("pair", [EncodedTrack], indirect=True)
async def test_what_a_nack_asks_for_has_an_end(pair, monkeypatch):
    _, _, offerer, _ = pair
    (sender,) = offerer.getSenders()
    asked = []

    async def note(self, number):
        asked.append(number)

    monkeypatch.setattr(type(sender), "_retransmit", note)
    nack = RtcpRtpfbPacket(fmt=1, ssrc=1, media_ssrc=sender._ssrc, lost=list(range(4250)))
    await sender._handle_rtcp_packet(nack)
    assert asked == list(range(4250 - sending.HISTORY_PACKETS, 4250))


@pytest.mark.parametrize("pair", [EncodedTrack], indirect=True)
async def test_only_what_was_sent_is_counted_as_sent_again(pair):
    track, remote, offerer, _ = pair
    (sender,) = offerer.getSenders()
    track.step()
    await asyncio.wait_for(remote.recv(), WITHIN_S)
    stream = sender._kinecast_stream
    (sent,) = stream.history.values()
    number = int.from_bytes(sent[2:4])
    budget = stream.budget._bytes
    for other in (number + sending.HISTORY_PACKETS, number - sending.HISTORY_PACKETS):
        await sender._retransmit(other)
    assert stream.budget._bytes == budget
    # As a NACK has it that begins before 65536.
    await sender._retransmit(number + (1 << 16))
    assert stream.budget._bytes == budget - len(sent)


@either_track
async def test_what_is_sent_has_the_agreed_header_extensions_and_is_counted(pair, monkeypatch):
    track, remote, offerer, _ = pair
    packets = []
    handle = RTCRtpReceiver._handle_rtp_packet

    async def note(self, packet, arrival_time_ms):
        packets.append(packet)
        await handle(self, packet, arrival_time_ms)

    monkeypatch.setattr(RTCRtpReceiver, "_handle_rtp_packet", note)
    for _ in range(3):
        track.step()
        await asyncio.wait_for(remote.recv(), WITHIN_S)
    numbers = [packet.sequence_number for packet in packets]
    assert np.diff(numbers).tolist() == [1] * (len(packets) - 1)
    assert {packet.extensions.mid for packet in packets} == {"0"}
    assert all(packet.extensions.abs_send_time is not None for packet in packets)
    assert packets[-1].marker
    stats = await offerer.getSenders()[0].getStats()
    (sent,) = [each for each in stats.values() if each.type == "outbound-rtp"]
    assert sent.packetsSent == len(packets)
    assert sent.bytesSent == sum(len(packet.payload) for packet in packets)


@pytest.mark.parametrize("codec_name", ["VP8", "H264"])
def test_a_packet_is_cut_into_payloads_once_for_all_senders(codec_name, monkeypatch):
    encoder = {"VP8": vpx.Vp8Encoder, "H264": h264.H264Encoder}[codec_name]
    cuts = []
    original = encoder.pack
    monkeypatch.setattr(
        encoder, "pack", lambda self, packet: (cuts.append(packet.pts), original(self, packet))[1]
    )
    packetizer = rtc.Packetizer(codec_name)
    waiting = []
    for number in range(3):
        packet = av.Packet(b"\x00\x00\x00\x01\x65" + bytes([number + 1]) * 3000)
        packet.pts, packet.time_base = number * 3000, Fraction(1, 90000)
        packetizer.mark(packet)
        waiting.append(packet)
    for number in range(3):
        # Those before it are gone.
        packet = waiting.pop(0)
        first, second = (packet.opaque.of(packet) for _ in range(2))
        assert first is second
        assert first[1] == number * 3000
        data = b"".join(depayload(codec_name, payload) for payload in first[0])
        assert data == bytes(packet)
    assert cuts == [0, 3000, 6000]


def depayload(codec_name, payload):
    return vpx.vp8_depayload(payload) if codec_name == "VP8" else h264.h264_depayload(payload)
