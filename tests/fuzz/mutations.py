"""Packets in which something was changed, of those that a peer has really sent."""

import struct

from hypothesis import strategies as st

# Where counters and lengths turn over, and what they are compared with.
EDGES_16 = (0, 1, 2, 3, 4, 5, 7, 8, 255, 256, 1023, 0x7FFF, 0x8000, 0xFFFE, 0xFFFF)
EDGES_32 = (0, 1, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF)
MOST_BYTES = 1400


@st.composite
def mutated(draw: st.DrawFn, original: bytes) -> bytes:
    """A packet of which bits, fields, counts or parts are others."""
    data = bytearray(original)
    for _ in range(draw(st.integers(1, 4))):
        # Lengths, types and counts are in front.
        front = draw(st.booleans())
        last = max(min(len(data) - 1, 24) if front else len(data) - 1, 0)
        place = draw(st.integers(0, last))
        match draw(st.sampled_from(("bit", "byte", "16", "32", "cut", "double", "insert", "zero"))):
            case "bit" if data:
                data[place] ^= 1 << draw(st.integers(0, 7))
            case "byte" if data:
                data[place] = draw(st.integers(0, 255))
            case "16":
                place -= place % 2
                data[place : place + 2] = struct.pack("!H", draw(st.sampled_from(EDGES_16)))
            case "32":
                place -= place % 4
                data[place : place + 4] = struct.pack("!L", draw(st.sampled_from(EDGES_32)))
            case "cut":
                del data[place:]
            case "double":
                place -= place % 4
                part = data[place : place + 4 * draw(st.integers(1, 8))]
                data[place:place] = part * draw(st.sampled_from((1, 2, 40)))
            case "insert":
                data[place:place] = draw(st.binary(max_size=16))
            case "zero":
                data[place : place + 16] = bytes(16)
    return bytes(data[:MOST_BYTES])


@st.composite
def several(draw: st.DrawFn, originals: list[bytes]) -> bytes:
    """A few in one packet, as SCTP's chunks and RTCP's packets come, one of them changed."""
    parts = draw(st.lists(st.sampled_from(originals), min_size=1, max_size=3))
    parts.insert(draw(st.integers(0, len(parts))), draw(mutated(draw(st.sampled_from(originals)))))
    return b"".join(parts * draw(st.sampled_from((1, 1, 1, 20))))[:MOST_BYTES]
