"""H264 whose parameter sets are sent once: each key frame that is given has them."""

from fractions import Fraction

import av
import numpy as np
import pytest
from aiortc.rtp import RtpPacket

from server.rtc.jitter_buffer import VideoJitterBuffer

H264 = 97
SPS, PPS = b"\x00\x00\x00\x01\x67sps", b"\x00\x00\x00\x01\x68pps"
BARE_IDR = b"\x00\x00\x00\x01\x65idr"
SLICE = b"\x00\x00\x00\x01\x41slice"


@pytest.fixture
def buffer():
    return VideoJitterBuffer({H264: "H264"}.__getitem__)


def h264(buffer, units, number):
    packet = RtpPacket(
        payload_type=H264, marker=1, sequence_number=number, timestamp=number * 4500, ssrc=1
    )
    packet._data = units
    buffer.add(packet, 0.0)
    return [frame.data for frame in buffer.take(0.0)]


def test_key_frames_get_the_parameter_sets_that_were_sent_once(buffer):
    """Or nobody who comes later could begin with one."""
    assert h264(buffer, SPS + PPS + BARE_IDR, 1) == [SPS + PPS + BARE_IDR]
    assert h264(buffer, SLICE, 2) == [SLICE]
    assert h264(buffer, BARE_IDR, 3) == [SPS + PPS + BARE_IDR]
    # Others replace them.
    assert h264(buffer, SPS + b"2" + PPS + BARE_IDR, 4) == [SPS + b"2" + PPS + BARE_IDR]
    assert h264(buffer, BARE_IDR, 5) == [SPS + b"2" + PPS + BARE_IDR]


def test_parameter_sets_may_come_by_themselves(buffer):
    h264(buffer, SPS + PPS, 1)
    assert h264(buffer, BARE_IDR, 2) == [SPS + PPS + BARE_IDR]


def test_who_joins_can_decode_what_x264_makes_with_one_header(buffer):
    encoder = av.CodecContext.create("libx264", "w")
    encoder.width, encoder.height, encoder.pix_fmt = 64, 48, "yuv420p"
    encoder.time_base = Fraction(1, 90000)
    # Each a key frame.
    encoder.options = {"tune": "zerolatency", "g": "1"}
    sent = []
    for number in range(2):
        grey = np.full((72, 64), 40 + 50 * number, np.uint8)
        frame = av.VideoFrame.from_ndarray(grey, format="yuv420p")
        frame.pts = number * 4500
        sent += [bytes(made) for made in encoder.encode(frame)]
    first, second = sent
    bare = b"\x00" + second[second.index(b"\x00\x00\x01\x65") :]
    assert len(bare) < len(second)
    h264(buffer, first, 1)
    (data,) = h264(buffer, bare, 2)
    decoder = av.CodecContext.create("h264", "r")
    shown = [*decoder.decode(av.Packet(data)), *decoder.decode(None)]
    assert [frame.to_ndarray()[:48].mean() for frame in shown] == pytest.approx([90], abs=4)
