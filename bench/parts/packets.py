"""Packets as a peer may make them up: SCTP (RFC 9260), RTP and RTCP (RFC 3550, RFC 4585)."""

import struct

from aiortc.rtcsctptransport import Chunk, serialize_packet

DATA, INIT, SACK, HEARTBEAT, COOKIE_ECHO, RECONFIG, FORWARD_TSN = 0, 1, 3, 4, 10, 130, 192
FIRST_PIECE, LAST_PIECE, WHOLE, UNORDERED = 2, 1, 3, 4
RTPFB, PSFB = 205, 206
_NACK, _PLI, _FIR, _APP = 1, 1, 4, 15


class _Whole(Chunk):
    """Chunks that are bytes already."""

    def __bytes__(self) -> bytes:
        return self.body


def chunk(kind: int, body: bytes, flags: int = 0) -> bytes:
    """A chunk of SCTP with its head, padded."""
    padding = bytes(-len(body) % 4)
    return struct.pack("!BBH", kind, flags, len(body) + 4) + body + padding


def data_chunk(tsn: int, stream: int, number: int, protocol: int, data: bytes, flags: int) -> bytes:
    """A piece of a message."""
    return chunk(DATA, struct.pack("!LHHL", tsn, stream, number, protocol) + data, flags)


def sctp(source: int, destination: int, tag: int, chunks: bytes) -> bytes:
    """A packet with the right checksum, whatever its chunks are."""
    return serialize_packet(source, destination, tag, _Whole(0, chunks))


def with_numbers(chunks: bytes, ours: int, theirs: int) -> bytes:
    """Have the first chunk be about what is sent next, by the numbers of pieces on both sides.

    What the packet had there says how far from it.
    """
    kinds = {DATA: ours, FORWARD_TSN: ours, SACK: theirs}
    if len(chunks) < 8 or chunks[0] not in kinds:
        return chunks
    number = (kinds[chunks[0]] + chunks[7] % 4) % (1 << 32)
    return chunks[:4] + struct.pack("!L", number) + chunks[8:]


def with_source(packet: bytes, ssrc: int, number: int, timestamp: int) -> bytes:
    """Have an RTP packet continue a stream; its own number says how far on."""
    if len(packet) < 12:
        return packet
    number = (number + 1 + packet[3] % 4) % (1 << 16)
    return packet[:2] + struct.pack("!HLL", number, timestamp, ssrc) + packet[12:]


def with_sources(packet: bytes, ours: int, theirs: int) -> bytes:
    """Have an RTCP packet come from us, and be about what the other side sends."""
    if len(packet) < 12:
        return packet
    packet = packet[:4] + struct.pack("!L", ours) + packet[8:]
    if packet[1] in (201, RTPFB, PSFB):
        packet = packet[:8] + struct.pack("!L", theirs) + packet[12:]
    return packet


def rtcp(kind: int, count: int, body: bytes) -> bytes:
    """One RTCP packet; its body has whole words."""
    return struct.pack("!BBH", 0x80 | count, kind, len(body) // 4) + body


def nack(ours: int, theirs: int, numbers: list[int]) -> bytes:
    """Asks for packets again (RFC 4585, section 6.2.1): each number and the 16 that follow it."""
    asked = b"".join(struct.pack("!HH", number % 65536, 0xFFFF) for number in numbers)
    return rtcp(RTPFB, _NACK, struct.pack("!LL", ours, theirs) + asked)


def types_in(packet: bytes) -> str:
    """The types of a compound RTCP packet."""
    kinds, at = [], 0
    while at + 4 <= len(packet):
        kinds.append(f"{packet[at + 1]}/{packet[at] & 31}")
        at += 4 + 4 * struct.unpack_from("!H", packet, at + 2)[0]
    return " ".join(kinds)


def seldom_seen(ours: int, theirs: int) -> dict[str, bytes]:
    """By kind, as `HostilePeer.samples`: what connections have that lose, change and end."""
    sources = struct.pack("!LL", ours, theirs)
    supported = struct.pack("!HHBBHHH", 0x8008, 6, 130, 192, 0, 0xC000, 4)
    reset = struct.pack("!HHLLLHH", 13, 18, 1, 1, 1, 0, 0)
    add = struct.pack("!HHLHH", 17, 12, 1, 4, 0)
    return {
        "sctp init": chunk(INIT, struct.pack("!LLHHL", 7, 131072, 256, 256, 1) + supported),
        "sctp sack with gaps": chunk(
            SACK, struct.pack("!LLHHHHHHL", 1, 131072, 2, 1, 2, 3, 5, 5, 1)
        ),
        "sctp heartbeat": chunk(HEARTBEAT, struct.pack("!HHLL", 1, 12, 1, 2)),
        "sctp abort": chunk(6, struct.pack("!HH", 12, 4)),
        "sctp shutdown": chunk(7, struct.pack("!L", 1)),
        "sctp error": chunk(9, struct.pack("!HHHH", 1, 8, 7, 0)),
        "sctp cookie": chunk(COOKIE_ECHO, bytes(24)),
        "sctp reset": chunk(RECONFIG, reset),
        "sctp more streams": chunk(RECONFIG, add),
        "sctp reset answered": chunk(RECONFIG, struct.pack("!HHLL", 16, 12, 1, 1)),
        "sctp forward": chunk(FORWARD_TSN, struct.pack("!LHHHH", 1, 1, 1, 2, 1)),
        "sctp piece": data_chunk(1, 1, 0, 51, b"a piece", FIRST_PIECE),
        "sctp unordered": data_chunk(1, 1, 0, 53, b"whole", 7),
        "sctp channel": data_chunk(
            1, 5, 0, 50, struct.pack("!BBHLHH", 3, 1, 0, 1, 2, 2) + b"ab12", 3
        ),
        "rtcp sr": rtcp(
            200, 1, struct.pack("!LQLLL", ours, 1 << 40, 9, 9, 900) + sources[4:] + bytes(20)
        ),
        "rtcp rr": rtcp(201, 1, sources + struct.pack("!LLLLL", 0x40000001, 5, 9, 1, 1)),
        "rtcp sdes": rtcp(202, 1, sources[:4] + b"\x01\x06abcdef\0\0\0\0"),
        "rtcp bye": rtcp(203, 1, sources[:4] + b"\x03bye"),
        "rtcp nack": nack(ours, theirs, [1, 18, 500]),
        "rtcp twcc": rtcp(RTPFB, 15, sources + struct.pack("!HHLHH", 1, 4, 256, 0x2004, 0x0404)),
        "rtcp pli": rtcp(PSFB, _PLI, sources),
        "rtcp fir": rtcp(PSFB, _FIR, sources + sources[4:] + b"\x01\0\0\0"),
        "rtcp remb": rtcp(PSFB, _APP, sources[:4] + bytes(4) + b"REMB\x01\x0b\0\0" + sources[4:]),
        "rtcp xr": rtcp(207, 0, sources[:4] + struct.pack("!BBHQ", 4, 0, 2, 1 << 40)),
    }


def stap_a(*units: bytes) -> bytes:
    """H264's NAL units in one payload (RFC 6184, section 5.7.1)."""
    return b"\x78" + b"".join(struct.pack("!H", len(unit)) + unit for unit in units)


def h264_parameter_set(width: int, height: int) -> bytes:
    """A sequence parameter set of the baseline profile (H.264, section 7.3.2.1.1)."""
    blocks = [(side + 15) // 16 - 1 for side in (width, height)]
    # Id, frame numbers, order, references, no gaps; the size; frames only, no cropping, no more.
    numbers = "".join(map(_exp_golomb, (0, 0, 2, 1))) + "0" + "".join(map(_exp_golomb, blocks))
    bits = numbers + "11001"
    bits += "0" * (-len(bits) % 8)
    return b"\x67\x42\xc0\x3c" + int(bits, 2).to_bytes(len(bits) // 8)


def _exp_golomb(number: int) -> str:
    binary = f"{number + 1:b}"
    return "0" * (len(binary) - 1) + binary
