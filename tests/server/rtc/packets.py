"""Packets of video, made up."""

from aiortc.rtp import RtpPacket

VP8, H264 = 96, 97
KEY = b"\x10\x02\x00\x9d\x01\x2a"
DELTA = b"\x11\x02\x00"
IDR = b"\x00\x00\x00\x01\x67sps\x00\x00\x00\x01\x68pps\x00\x00\x00\x01\x65"
FRAME_S = 0.05


def packet(number, timestamp, *, marker, data, ssrc=1, payload_type=VP8):
    made = RtpPacket(
        payload_type=payload_type,
        marker=int(marker),
        sequence_number=number % 65536,
        timestamp=timestamp,
        ssrc=ssrc,
    )
    made._data = data
    return made
