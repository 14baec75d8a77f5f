"""Viewers of one camera, many in one process: they receive and count, and decode nothing.

Reads lines from its input: ``begin`` and ``end`` bound the window that is counted. Prints one line
of JSON when all viewers receive, and one when the window has ended.

A viewer has all that a browser has but the decoder: ICE with its consent checks, DTLS, a report of
what it received (RTCP RR) and of what its line carries (REMB) each second. What arrives is counted
as it comes out of the socket, before it is decrypted: the header of SRTP is in the clear. So fifty
of them leave something of the machine to the server that is measured.
"""

import argparse
import asyncio
import json
import sys
import time
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import aioice.ice
import psutil
from aiortc import (
    RTCConfiguration,
    RTCPeerConnection,
    RTCRtpReceiver,
    RTCSessionDescription,
)
from aiortc.mediastreams import MediaStreamError
from aiortc.rtp import (
    RTCP_PSFB_APP,
    RtcpPsfbPacket,
    RtcpReceiverInfo,
    RtcpRrPacket,
    pack_remb_fci,
)

from bench import barcode
from client_test.ice_hosts import offering
from server import rtc

CLOCK_HZ = 90_000
RECEIVING_WITHIN_S = 30.0
REPORT_EVERY_S = 1.0


@dataclass(slots=True)
class Counted:
    """One viewer's frames.

    Attributes
    ----------
    frames
        Complete ones within the window: all packets up to the marker.
    packets, bytes
        Within the window.
    first_ticks, last_ticks
        RTP's times of the first and the last frame within the window.
    """

    frames: int = 0
    packets: int = 0
    bytes: int = 0
    lost: int = 0
    first_ticks: int | None = None
    last_ticks: int = 0
    _expected: int | None = field(default=None, repr=False)
    _whole: bool = False

    def take(self, number: int, ticks: int, marker: bool, size: int) -> None:
        """Count a packet."""
        self.packets += 1
        self.bytes += size
        if number != self._expected:
            if self._expected is not None:
                self.lost += (number - self._expected) % 65536
            self._whole = False
        self._expected = (number + 1) % 65536
        if not marker:
            return
        if self.first_ticks is None:
            self.first_ticks = ticks
        self.last_ticks = ticks
        self.frames += self._whole
        self._whole = True

    def begin(self) -> None:
        """The window begins with the next packet."""
        self.frames = self.packets = self.bytes = self.lost = 0
        self.first_ticks = None

    def sent_frames(self, fps: float) -> float:
        """How many frames a source of so many a second had between the first and the last."""
        if self.first_ticks is None:
            return 0.0
        return (self.last_ticks - self.first_ticks) % (1 << 32) * fps / CLOCK_HZ + 1


class CountingViewer:
    """One viewer."""

    def __init__(self, remb_bps: int) -> None:
        self.counted = Counted()
        self.receives = asyncio.Event()
        self.highest = 0
        self.ssrc: int | None = None
        self._remb_bps = remb_bps
        self.connection = RTCPeerConnection(RTCConfiguration([]))
        self._reporting: asyncio.Task[None] | None = None

    async def watch(self, http: aiohttp.ClientSession, url: str, codec: str) -> None:
        """Connect."""
        _offer_receiving(self.connection, codec)
        await _exchange(self.connection, http, url)
        # aiortc's sockets have no hook. Each datagram passes through here first.
        for protocol in self._protocols():
            protocol.kinecast_viewer = self
        self._reporting = asyncio.create_task(self._report())

    def _protocols(self) -> list[Any]:
        ice: Any = self.connection.getTransceivers()[0].receiver.transport.transport
        return list(ice._connection._protocols)

    def take(self, data: bytes) -> None:
        """Count a packet of the video."""
        ssrc = int.from_bytes(data[8:12])
        if self.ssrc is None:
            self.ssrc = ssrc
            self.receives.set()
        elif ssrc != self.ssrc:
            return
        self.highest = int.from_bytes(data[2:4])
        ticks = int.from_bytes(data[4:8])
        self.counted.take(self.highest, ticks, data[1] > 127, len(data))

    async def _report(self) -> None:
        receiver: Any = self.connection.getTransceivers()[0].receiver
        while True:
            await asyncio.sleep(REPORT_EVERY_S)
            if self.ssrc is None or receiver._RTCRtpReceiver__rtcp_ssrc is None:
                continue
            own = receiver._RTCRtpReceiver__rtcp_ssrc
            received = RtcpReceiverInfo(self.ssrc, 0, 0, self.highest, 0, 0, 0)
            report = RtcpRrPacket(ssrc=own, reports=[received])
            fci = pack_remb_fci(self._remb_bps, [self.ssrc])
            remb = RtcpPsfbPacket(fmt=RTCP_PSFB_APP, ssrc=own, media_ssrc=0, fci=fci)
            # In one datagram, as browsers do (RFC 3550, section 6.1).
            await receiver.transport._send_rtp(bytes(report) + bytes(remb))

    async def close(self) -> None:
        """Leave."""
        if self._reporting is not None:
            self._reporting.cancel()
        await self.connection.close()


def count_datagrams() -> None:
    """Have each viewer's RTP counted where it arrives, and go no further."""
    received = aioice.ice.StunProtocol.datagram_received

    def datagram_received(self: Any, data: bytes, address: Any) -> None:
        # RFC 7983, section 7: RTP or RTCP; RFC 5761, section 4: which of them.
        if 128 <= data[0] <= 191 and not 192 <= data[1] <= 223:
            viewer = getattr(self, "kinecast_viewer", None)
            if viewer is not None:
                viewer.take(data)
                return
        received(self, data, address)

    aioice.ice.StunProtocol.datagram_received = datagram_received  # type: ignore[method-assign]


class SeeingViewer:
    """One viewer that decodes, and reads from each picture when it was taken."""

    def __init__(self) -> None:
        self.connection = RTCPeerConnection(RTCConfiguration([]))
        self.connection.on("track", self._take)
        self.latencies_ms: list[float] = []
        self.receives = asyncio.Event()
        self._reading: asyncio.Task[None] | None = None

    async def watch(self, http: aiohttp.ClientSession, url: str, codec: str) -> None:
        """Connect."""
        _offer_receiving(self.connection, codec)
        await _exchange(self.connection, http, url)

    def _take(self, track: Any) -> None:
        self._reading = asyncio.create_task(self._read(track))

    async def _read(self, track: Any) -> None:
        while True:
            try:
                frame = await track.recv()
            except MediaStreamError:
                return
            now_ms = round(time.time() * 1000)
            luma = frame.to_ndarray(format="gray")
            number = barcode.read(luma)
            if number is not None:
                self.latencies_ms.append((now_ms - number) % barcode.NUMBERS)
                self.receives.set()

    async def close(self) -> None:
        """Leave."""
        await self.connection.close()
        if self._reading is not None:
            self._reading.cancel()


def _offer_receiving(connection: RTCPeerConnection, codec: str) -> None:
    transceiver = connection.addTransceiver("video", "recvonly")
    known = RTCRtpReceiver.getCapabilities("video").codecs
    wanted = (f"video/{codec}", "video/rtx")
    transceiver.setCodecPreferences([c for c in known if c.mimeType in wanted])


async def _exchange(connection: RTCPeerConnection, http: aiohttp.ClientSession, url: str) -> None:
    with offering(("127.0.0.1",)):
        await connection.setLocalDescription(await connection.createOffer())
    sdp = connection.localDescription.sdp
    async with http.post(url, data=sdp, headers={"Content-Type": "application/sdp"}) as answer:
        text = await answer.text()
        if answer.status != 201:
            raise RuntimeError(f"{url} answered {answer.status}: {text}")
    await connection.setRemoteDescription(RTCSessionDescription(text, "answer"))


async def run(arguments: argparse.Namespace) -> None:
    """Watch, count, tell."""
    if arguments.see:
        rtc.install()
    else:
        # As it comes, aioice checks consent as often as browsers do.
        count_datagrams()
    viewers: list[Any] = [
        SeeingViewer() if arguments.see else CountingViewer(arguments.remb)
        for _ in range(arguments.viewers)
    ]
    loop = asyncio.get_running_loop()
    async with aiohttp.ClientSession() as http:
        for viewer in viewers:
            await viewer.watch(http, arguments.url, arguments.codec)
        async with asyncio.timeout(RECEIVING_WITHIN_S):
            for viewer in viewers:
                await viewer.receives.wait()
        print(json.dumps({"receiving": len(viewers)}), flush=True)
        await loop.run_in_executor(None, sys.stdin.readline)
        began_cpu_s = sum(psutil.Process().cpu_times()[:2])
        for viewer in viewers:
            if arguments.see:
                viewer.latencies_ms.clear()
            else:
                viewer.counted.begin()
        await loop.run_in_executor(None, sys.stdin.readline)
        cpu_s = sum(psutil.Process().cpu_times()[:2]) - began_cpu_s
        if arguments.see:
            told = {"latencies_ms": [v.latencies_ms for v in viewers], "cpu_s": cpu_s}
        else:
            told = {
                "viewers": [
                    {
                        "frames": v.counted.frames,
                        "sent": v.counted.sent_frames(arguments.fps),
                        "packets": v.counted.packets,
                        "bytes": v.counted.bytes,
                        "lost": v.counted.lost,
                    }
                    for v in viewers
                ],
                "cpu_s": cpu_s,
            }
        print(json.dumps(told), flush=True)
        await asyncio.gather(*(viewer.close() for viewer in viewers))
        await rtc.decoders_ended()


def main() -> None:
    """Run until the window has ended."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--url", required=True, help="the WHEP address")
    parser.add_argument("--viewers", type=int, default=1)
    parser.add_argument("--codec", default="H264", choices=["H264", "VP8"])
    parser.add_argument("--fps", type=float, default=20.0, help="of what is watched")
    parser.add_argument("--remb", type=int, default=2_000_000, help="what each line carries, b/s")
    parser.add_argument("--see", action="store_true", help="decode, and read the bar code of time")
    asyncio.run(run(parser.parse_args()))


if __name__ == "__main__":
    main()
