"""Attacks by frames of H264: what is in one, and what waits behind a packet that never comes."""

import asyncio
import struct
from typing import Any

from aiortc.mediastreams import VideoStreamTrack

from bench.parts import packets
from bench.parts.attack_lines import Attacker, line
from bench.parts.hostile_peer import HostilePeer

# 360 units of a byte each: as much as a packet holds.
PARAMETER_SETS, SLICES = (packets.stap_a(*[unit] * 360) for unit in (b"\x67", b"\x41"))
PACKETS_OF_FRAME = 400
LOST_EVERY = 500
TICKS = 3000


class Silent(VideoStreamTrack):
    """Sends nothing: the attack has the stream for itself."""

    async def recv(self) -> Any:
        await asyncio.Event().wait()


class Stream:
    """A peer's video, packet by packet."""

    def __init__(self, peer: HostilePeer) -> None:
        connection: Any = peer.peer.connection
        (transceiver,) = connection.getTransceivers()
        self._peer = peer
        self._ssrc = transceiver.sender._ssrc
        self._payload_type = transceiver._codecs[0].payloadType
        self.number = 0

    async def send(self, payload: bytes, time: int, *, marker: bool) -> None:
        """Send the next packet."""
        kind = self._payload_type | 0x80 * marker
        number, time = self.number % 65536, time % 2**32
        head = struct.pack("!BBHLL", 0x80, kind, number, time, self._ssrc)
        await self._peer.send("rtp", head + payload, fresh=False)
        self.number += 1


@line("frames of H264 of 144 000 parameter sets, 3 a second")
async def many_units(attacker: Attacker) -> None:
    async with attacker.peer(codec="H264", tracks=[Silent()]) as peer:
        stream = Stream(peer)
        async for number in attacker.rounds(3.0):
            for left in reversed(range(PACKETS_OF_FRAME)):
                await stream.send(PARAMETER_SETS, number * TICKS, marker=not left)
                if left % 20 == 0:
                    # The line takes so many at once.
                    await asyncio.sleep(0.01)
            attacker.seen["frames"] += 1
        attacker.checks["the connection lives"] = await peer.is_alive()


@line("500 frames of H264 a second behind a packet that never comes, again each second")
async def behind_a_hole(attacker: Attacker) -> None:
    async with attacker.peer(codec="H264", tracks=[Silent()]) as peer:
        stream = Stream(peer)
        async for number in attacker.rounds(500.0):
            if number % LOST_EVERY == 0:
                stream.number += 1
            await stream.send(SLICES, number * TICKS, marker=True)
            attacker.seen["frames"] += 1
        attacker.checks["the connection lives"] = await peer.is_alive()
