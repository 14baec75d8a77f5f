"""What a peer's RTP and RTCP may cost: sources, sizes, and what is sent again."""

import struct
from fractions import Fraction

import av
import numpy as np
import pytest
from aiortc import RTCCertificate, RTCDtlsTransport, RTCIceGatherer, RTCIceTransport
from aiortc.rtcdtlstransport import RtpRouter
from aiortc.rtcrtpparameters import RTCRtpHeaderExtensionParameters, RTCRtpParameters
from aiortc.rtp import RtpPacket

from server import rtc
from server.media.bitstream import picture_size
from server.rtc import sending, transport

_EXTENSIONS = "http://www.webrtc.org/experiments/rtp-hdrext/"
CODECS = {
    ("VP8", "-"): ("libvpx", {"deadline": "realtime", "lag-in-frames": "0"}),
    ("H264", "Baseline"): ("libx264", {"tune": "zerolatency"}),
    ("H264", "High"): ("libx264", {"tune": "zerolatency"}),
}


def encode(codec, profile, width, height):
    """The first frame of an encoder, as it goes over the wire."""
    name, options = CODECS[codec, profile]
    context = av.CodecContext.create(name, "w")
    context.width, context.height, context.pix_fmt = width, height, "yuv420p"
    context.time_base = context.framerate = Fraction(1, 30)
    context.options = options
    # libvpx's spin while they wait for each other.
    context.thread_count = 1
    if profile != "-":
        context.profile = profile
    frame = av.VideoFrame.from_ndarray(np.zeros((height * 3 // 2, width), np.uint8), "yuv420p")
    frame.pts, frame.time_base = 0, Fraction(1, 30)
    return b"".join(bytes(packet) for packet in (*context.encode(frame), *context.encode(None)))


@pytest.mark.parametrize(("codec", "profile"), CODECS)
@pytest.mark.parametrize("size", [(640, 480), (1920, 1080), (4096, 2160), (34, 18), (8192, 64)])
def test_a_frame_says_how_large_it_is(codec, profile, size):
    width, height = picture_size(codec, encode(codec, profile, *size))
    if codec == "VP8":
        assert (width, height) == size
    else:  # In blocks of 16.
        assert 0 <= width - size[0] < 16
        assert 0 <= height - size[1] < 16


def test_vp8_says_the_size_in_14_bits():
    head = b"\x10\x00\x00\x9d\x01\x2a" + struct.pack("<HH", 0xC000 | 12000, 0x4000 | 9000)
    assert picture_size("VP8", head + b"\0" * 20) == (12000, 9000)
    assert picture_size("VP8", b"\x11" + head[1:]) is None
    with pytest.raises(ValueError, match="cut off"):
        picture_size("VP8", head[:8])


@pytest.mark.parametrize("cut", range(5, 11))
def test_a_parameter_set_that_is_cut_off_has_no_size(cut):
    data = encode("H264", "High", 640, 480)
    at = data.index(b"\x00\x00\x01\x67")
    with pytest.raises(ValueError, match="parameter set"):
        picture_size("H264", data[at : at + cut])


def test_sources_that_nobody_named_have_an_end():
    rtc.install()
    router, receiver = RtpRouter(), object()
    router.register_receiver(receiver, ssrcs=[1, 2], payload_types=[96])
    taken = [
        number
        for number in range(1000, 1300)
        if router.route_rtp(RtpPacket(payload_type=96, ssrc=number)) is receiver
    ]
    assert len(taken) == transport.MAX_STRANGERS
    assert len(router.ssrc_table) == 2 + transport.MAX_STRANGERS
    # Those that were there go on.
    for ssrc in (1, 2, *taken):
        assert router.route_rtp(RtpPacket(payload_type=96, ssrc=ssrc)) is receiver


def test_a_packet_is_sent_again_not_sooner_than_it_can_have_come():
    budget = sending.RetransmissionBudget()
    assert budget.spend(7, 1000, now_s=10.0)
    assert not budget.spend(7, 1000, now_s=10.0 + sending.AGAIN_AFTER_S / 2)
    assert budget.spend(8, 1000, now_s=10.0 + sending.AGAIN_AFTER_S / 2)
    assert budget.spend(7, 1000, now_s=10.0 + sending.AGAIN_AFTER_S)


def test_what_is_sent_again_is_a_share_of_what_was_sent():
    budget = sending.RetransmissionBudget()
    sent = sum(1000 for n in range(60_000) if budget.spend(n, 1000, now_s=n * 1.0))
    assert sent == sending.AGAIN_AT_ONCE_BYTES
    budget.earn(40_000)
    sent = sum(1000 for n in range(600) if budget.spend(n, 1000, now_s=1e6 + n))
    assert sent == 40_000 * sending.AGAIN_SHARE


@pytest.mark.parametrize("extension", ["20101011", "36112230f4102020", "1f000000"])
async def test_an_rtp_packet_that_makes_no_sense_costs_itself(extension):
    rtc.install()
    dtls = RTCDtlsTransport(
        RTCIceTransport(RTCIceGatherer([])), [RTCCertificate.generateCertificate()]
    )
    dtls._rtp_header_extensions_map.configure(
        RTCRtpParameters(
            headerExtensions=[
                RTCRtpHeaderExtensionParameters(id=2, uri=f"{_EXTENSIONS}abs-send-time"),
                RTCRtpHeaderExtensionParameters(
                    id=3, uri="urn:ietf:params:rtp-hdrext:ssrc-audio-level"
                ),
            ]
        )
    )
    value = bytes.fromhex(extension)
    head = b"\x90\x60" + b"\0" * 10 + b"\xbe\xde" + (len(value) // 4).to_bytes(2)
    await dtls._handle_rtp_data(head + value, 0)


async def test_what_fails_in_rtcp_costs_that_packet(monkeypatch):
    rtc.install()
    dtls = RTCDtlsTransport(
        RTCIceTransport(RTCIceGatherer([])), [RTCCertificate.generateCertificate()]
    )
    monkeypatch.setattr(dtls._rtp_router, "route_rtcp", lambda packet: packet.nothing)
    await dtls._handle_rtcp_data(b"\x80\xc9\x00\x01" + b"\0" * 4)
