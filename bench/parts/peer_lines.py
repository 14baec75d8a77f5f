"""Attacks through a peer connection: SCTP, RTP, RTCP, data channels, and datagrams of strangers."""

import asyncio
import contextlib
import os
import random
import socket
import struct
from fractions import Fraction
from typing import Any

import av
import numpy as np
from aiortc import MediaStreamTrack

from bench.parts import packets
from bench.parts.attack_lines import Attacker, line
from bench.parts.hostile_peer import HostilePeer
from client_test.errors import ClientError
from server.security.identity import Scope

PACKETS_A_SECOND = 300.0
MTU_BYTES = 1100
CAMERA = ("--camera", "pattern", "--camera-size", "640x480", "--camera-fps", "20")
HUGE = [(8000, 8000), (12_000, 12_000), (16_383, 16_383)]


@line("SCTP chunks and INITs that have a parameter of length 0")
async def sctp_parameters(attacker: Attacker) -> None:
    init = struct.pack("!LLHHLHH", 1, 131072, 1, 1, 1, 13, 0)
    async with attacker.peer() as peer:
        async for number in attacker.rounds(PACKETS_A_SECOND):
            if number % 2:
                await peer.send_chunk(packets.INIT, init, tag=0)
            else:
                await peer.send_chunk(packets.RECONFIG, struct.pack("!HH", 13, 0))
            attacker.seen["packets"] += 1
        attacker.checks["the connection lives"] = await peer.is_alive()


@line("SACKs of 280 gap blocks, each of 65535 pieces")
async def sctp_gaps(attacker: Attacker) -> None:
    gaps = struct.pack("!HH", 1, 65535) * 280
    async with attacker.peer() as peer:
        async for _ in attacker.rounds(PACKETS_A_SECOND):
            last = peer.association._last_received_tsn
            body = struct.pack("!LLHH", last, 131072, 280, 0) + gaps
            await peer.send_chunk(packets.SACK, body)
            attacker.seen["packets"] += 1
        attacker.checks["the connection lives"] = await peer.is_alive()


@line("a message of 38 000 pieces of one byte that never ends; again when hung up on")
async def sctp_pieces(attacker: Attacker) -> None:
    rounds = attacker.rounds(PACKETS_A_SECOND)
    while True:
        async with attacker.peer() as peer:
            sent, tsn = 0, peer.association._local_tsn
            async for _ in rounds:
                chunks = b"".join(
                    packets.data_chunk(tsn + n, 1, 0, 51, b"x", 0 if sent + n else 2)
                    for n in range(50)
                )
                await peer.send("sctp", chunks, fresh=False)
                tsn, sent = tsn + 50, sent + 50
                attacker.seen["pieces"] += 50
                if sent >= 38_000 or not peer.is_connected:
                    break
            else:
                return
            attacker.seen["times hung up on"] += not peer.is_connected


@line("fifty messages of a byte in each packet, behind 450 pieces that wait for a beginning")
async def sctp_messages(attacker: Attacker) -> None:
    async with attacker.peer() as peer:
        tsn = peer.association._local_tsn
        async for number in attacker.rounds(PACKETS_A_SECOND):
            flags = packets.UNORDERED | (0 if number < 9 else packets.WHOLE)
            chunks = b"".join(packets.data_chunk(tsn + n, 1, 0, 51, b"x", flags) for n in range(50))
            await peer.send("sctp", chunks, fresh=False)
            tsn += 50
            attacker.seen["messages"] += 50


@line("key frames of VP8 that say they are 8000x8000 and larger")
async def huge_vp8(attacker: Attacker) -> None:
    heads = [
        b"\x10\x02\x00\x9d\x01\x2a" + struct.pack("<HH", *size) + os.urandom(400) for size in HUGE
    ]
    await send_frames(attacker, "VP8", [b"\x10" + head for head in heads])


@line("parameter sets of H264 that say 8000x8000 and larger")
async def huge_h264(attacker: Attacker) -> None:
    sets = [packets.h264_parameter_set(*size) for size in HUGE]
    slices = b"\x65\x88\x84" + os.urandom(400)
    packed = [packets.stap_a(each, b"\x68\xce\x3c\x80", slices) for each in sets]
    await send_frames(attacker, "H264", packed)


async def send_frames(attacker: Attacker, codec: str, frames: list[bytes]) -> None:
    """Send frames of one packet each, in turns, in the stream that the peer sends anyway."""
    async with attacker.peer(codec=codec) as peer:
        async for number in attacker.rounds(30.0):
            head = struct.pack("!BBHLL", 0x80, 0x80 | peer.payload_type, 0, 0, 0)
            await peer.send("rtp", head + frames[number % len(frames)])
            attacker.seen["frames"] += 1
        attacker.checks["the connection lives"] = await peer.is_alive()


@line("15 tracks of real video of 4096x4096 in one offer, 5 frames a second each")
async def many_large_tracks(attacker: Attacker) -> None:
    frames = encode_large(4096, 4096)
    tracks = [EncodedLoop(frames, 5.0) for _ in range(15)]
    async with attacker.peer(codec="VP8", tracks=tracks) as peer:
        await asyncio.sleep(attacker.seconds)
        attacker.seen["tracks taken"] = peer.tracks_taken
        attacker.checks["the connection lives"] = await peer.is_alive()


class EncodedLoop(MediaStreamTrack):
    """Gives encoded frames over and over."""

    kind = "video"

    def __init__(self, frames: list[bytes], fps: float) -> None:
        super().__init__()
        self._frames, self._fps, self._number = frames, fps, 0

    async def recv(self) -> Any:
        await asyncio.sleep(1 / self._fps)
        packet = av.Packet(self._frames[self._number % len(self._frames)])
        packet.pts = round(self._number * 90_000 / self._fps)
        packet.time_base = Fraction(1, 90_000)
        self._number += 1
        return packet


def encode_large(width: int, height: int) -> list[bytes]:
    """Some frames of VP8, a key frame first."""
    encoder: Any = av.CodecContext.create("libvpx", "w")
    encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuv420p"
    encoder.time_base = Fraction(1, 5)
    # libvpx's threads spin while they wait for each other.
    encoder.thread_count = 1
    encoder.options = {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0"}
    frames = []
    for number in range(2):
        grey = np.full((height * 3 // 2, width), 60 + 90 * number, np.uint8)
        frame = av.VideoFrame.from_ndarray(grey, "yuv420p")
        frame.pts, frame.time_base = number, Fraction(1, 5)
        frames += [bytes(packet) for packet in encoder.encode(frame)]
    return frames


@line("a control message `configure` with new keys, 150 a second")
async def configure(attacker: Attacker) -> None:
    async with attacker.peer() as peer:
        async for number in attacker.rounds(150.0):
            options = {"barcode": {f"key {number} {n}": "x" * 90 for n in range(10)}}
            with contextlib.suppress(ClientError):
                peer.peer.send({"type": "configure", "options": options})
                attacker.seen["messages"] += 1
        for message in peer.peer.received:
            if code := message.get("code"):
                attacker.seen[f"answered {code}"] += 1


@line("a viewer asks for all its video again: NACKs of 1012 bytes, 50 a second", flags=CAMERA)
async def nack(attacker: Attacker) -> None:
    async with attacker.peer("viewer", Scope.VIEW, play="camera") as peer:
        before = await received_in(peer, 2.0)
        rounds = 0
        numbers = random.Random(1)
        start = peer.received_bytes
        async for _ in attacker.rounds(50.0):
            first = numbers.randrange(65536)
            near = [peer.newest + 17 * (n - 249) for n in range(250)]
            asked = near if rounds % 2 == 0 else [first + 17 * n for n in range(250)]
            await peer.send("rtcp", packets.nack(1, 1, asked))
            rounds += 1
        during = (peer.received_bytes - start) / attacker.seconds
        attacker.seen["NACKs"] = rounds
        attacker.seen["% of its video received"] = round(100 * during / max(before, 1.0))


async def received_in(peer: HostilePeer, seconds: float) -> float:
    """Bytes of RTP a second."""
    before = peer.received_bytes
    await asyncio.sleep(seconds)
    return (peer.received_bytes - before) / seconds


@line("RTP and RTCP of 300 sources that nobody named")
async def sources(attacker: Attacker) -> None:
    numbers = random.Random(2)
    named = [numbers.randrange(1 << 32) for _ in range(300)]
    async with attacker.peer(codec="VP8") as peer:
        async for number in attacker.rounds(PACKETS_A_SECOND):
            ssrc = named[number % len(named)]
            head = struct.pack(
                "!BBHLL", 0x80, 0x80 | peer.payload_type, number % 65536, number * 3000, ssrc
            )
            await peer.send("rtp", head + b"\x10\x00\x00", fresh=False)
            about = struct.pack("!LQLLL", ssrc, 1 << 40, 9, 9, 900)
            await peer.send("rtcp", packets.rtcp(200, 0, about), fresh=False)
            attacker.seen["packets"] += 2
        attacker.checks["the connection lives"] = await peer.is_alive()


@line("datagrams of a stranger to all media ports: empty, too long, damaged STUN and DTLS")
async def strangers(attacker: Attacker) -> None:
    sent = [
        b"",
        b"\x80" + bytes(1600),
        bytes(20),
        struct.pack("!HHL12xHH", 1, 4, 0x2112A442, 0x24, 0),
        b"\x16\xfe\xfd" + bytes(8) + b"\x05\x00" + os.urandom(1280),
        b"\x80\x61" + os.urandom(1000),
    ]
    logged = attacker.log_bytes
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.bind(("127.3.0.1", 0))
        ports = attacker.media_ports
        attacker.seen["ports"] = len(ports)
        async for number in attacker.rounds(PACKETS_A_SECOND):
            for port in ports:
                stranger.sendto(sent[number % len(sent)], ("127.0.0.1", port))
                attacker.seen["datagrams"] += 1
    attacker.seen["bytes logged a second"] = round((attacker.log_bytes - logged) / attacker.seconds)
