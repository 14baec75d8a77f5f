"""Viewers of one camera, many in one process: they receive and count, and decode nothing.

Reads lines from its input: two of them bound the window that is counted. Prints one line of JSON
when all viewers receive, and one when the window has ended.

A viewer has all that a browser has but the decoder: ICE with its consent checks, DTLS, reports of
what it received (RTCP RR) and of what its line carries (REMB) each second. What arrives is counted
as it comes out of the socket: the header of SRTP is in the clear. So fifty of them leave something
of the machine to the server that is measured.

With --publish it is a publisher, whose video was encoded beforehand, so that it takes next to
nothing of the machine; it prints a line when it is connected, and goes on until its input ends.
"""

import argparse
import asyncio
import json
import sys
import time
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import aiohttp
import aioice.ice
import av
from aiortc import (
    MediaStreamTrack,
    RTCConfiguration,
    RTCPeerConnection,
    RTCRtpReceiver,
    RTCSessionDescription,
)
from aiortc.mediastreams import MediaStreamError
from aiortc.rtp import RTCP_PSFB_APP, RtcpPsfbPacket, RtcpReceiverInfo, RtcpRrPacket, pack_remb_fci

from bench.harness import barcode
from bench.harness.report import SAMPLE
from client_test.ice_hosts import offering
from client_test.peer import ClientPeer
from server import rtc
from server.media.encoder import Codec, Encoder

CLOCK_HZ, CONNECTS_WITHIN_S, REPORT_EVERY_S = 90_000, 30.0, 1.0
# What is published; nobody can ask this encoder for a key frame.
WIDTH, HEIGHT, FPS, BPS = 640, 480, 30, 1_000_000
KEY_FRAME_EVERY = 30


@dataclass(slots=True)
class Counted:
    """One viewer's frames within the window that came whole: all packets up to the marker."""

    frames: int = 0
    bytes: int = 0
    first_ticks: int | None = None
    last_ticks: int = 0
    _expected: int | None = None
    _whole: bool = False

    def take(self, number: int, ticks: int, marker: bool, size: int) -> None:
        """Count a packet."""
        self.bytes += size
        if number != self._expected:
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
        self.frames = self.bytes = 0
        self.first_ticks = None

    def sent_frames(self, fps: float) -> float:
        """How many frames a source of so many a second had between the first and the last."""
        if self.first_ticks is None:
            return 0.0
        return (self.last_ticks - self.first_ticks) % (1 << 32) * fps / CLOCK_HZ + 1


class Viewer:
    """One viewer; its children `begin` a window, and say what they `told` of it."""

    def __init__(self) -> None:
        self.connection = RTCPeerConnection(RTCConfiguration([]))
        self.receives = asyncio.Event()
        self.tasks: list[asyncio.Task[None]] = []

    async def watch(self, http: aiohttp.ClientSession, url: str, codec: str) -> None:
        """Connect."""
        known = RTCRtpReceiver.getCapabilities("video").codecs
        wanted = [each for each in known if each.mimeType in (f"video/{codec}", "video/rtx")]
        self.connection.addTransceiver("video", "recvonly").setCodecPreferences(wanted)
        with offering(("127.0.0.1",)):
            await self.connection.setLocalDescription(await self.connection.createOffer())
        sdp, headers = self.connection.localDescription.sdp, {"Content-Type": "application/sdp"}
        async with http.post(url, data=sdp, headers=headers) as answer:
            text = await answer.text()
            if answer.status != 201:
                raise RuntimeError(f"{url} answered {answer.status}: {text}")
        await self.connection.setRemoteDescription(RTCSessionDescription(text, "answer"))

    async def close(self) -> None:
        """Leave."""
        for task in self.tasks:
            task.cancel()
        await self.connection.close()


class CountingViewer(Viewer):
    """Counts packets, and decodes none."""

    def __init__(self, remb_bps: int) -> None:
        super().__init__()
        self.counted = Counted()
        self._highest = 0
        self._ssrc: int | None = None
        self._remb_bps = remb_bps

    async def watch(self, http: aiohttp.ClientSession, url: str, codec: str) -> None:
        await super().watch(http, url, codec)
        ice: Any = self.connection.getTransceivers()[0].receiver.transport.transport
        # aiortc's sockets have no hook. Each datagram passes through here first.
        for protocol in ice._connection._protocols:
            protocol.kinecast_viewer = self
        self.tasks.append(asyncio.create_task(self._report()))

    def begin(self) -> None:
        self.counted.begin()

    def told(self, fps: float) -> dict[str, float]:
        c = self.counted
        return {"frames": c.frames, "sent": c.sent_frames(fps), "bytes": c.bytes}

    def take(self, data: bytes) -> None:
        """Count a packet of the video."""
        ssrc = int.from_bytes(data[8:12])
        if self._ssrc is None:
            self._ssrc = ssrc
            self.receives.set()
        elif ssrc != self._ssrc:
            return
        self._highest = int.from_bytes(data[2:4])
        ticks = int.from_bytes(data[4:8])
        self.counted.take(self._highest, ticks, data[1] > 127, len(data))

    async def _report(self) -> None:
        receiver: Any = self.connection.getTransceivers()[0].receiver
        while True:
            await asyncio.sleep(REPORT_EVERY_S)
            own = receiver._RTCRtpReceiver__rtcp_ssrc
            if self._ssrc is None or own is None:
                continue
            received = RtcpReceiverInfo(self._ssrc, 0, 0, self._highest, 0, 0, 0)
            report = RtcpRrPacket(ssrc=own, reports=[received])
            fci = pack_remb_fci(self._remb_bps, [self._ssrc])
            remb = RtcpPsfbPacket(fmt=RTCP_PSFB_APP, ssrc=own, media_ssrc=0, fci=fci)
            # In one datagram, as browsers do (RFC 3550, section 6.1).
            await receiver.transport._send_rtp(bytes(report) + bytes(remb))


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


class SeeingViewer(Viewer):
    """Decodes, and reads from each picture when it was taken."""

    def __init__(self) -> None:
        super().__init__()
        self.connection.on("track", self._take)
        self._latencies_ms: list[float] = []

    def begin(self) -> None:
        self._latencies_ms.clear()

    def told(self, fps: float) -> dict[str, list[float]]:
        return {"latencies_ms": self._latencies_ms}

    def _take(self, track: Any) -> None:
        self.tasks.append(asyncio.create_task(self._read(track)))

    async def _read(self, track: Any) -> None:
        while True:
            try:
                frame = await track.recv()
            except MediaStreamError:
                return
            now_ms = round(time.time() * 1000)
            number = barcode.read(frame.to_ndarray(format="gray"))
            if number is not None:
                self._latencies_ms.append((now_ms - number) % barcode.NUMBERS)
                self.receives.set()


async def watch(arguments: argparse.Namespace) -> None:
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
    async with aiohttp.ClientSession() as http:
        for viewer in viewers:
            await viewer.watch(http, arguments.url, arguments.codec)
        async with asyncio.timeout(CONNECTS_WITHIN_S):
            for viewer in viewers:
                await viewer.receives.wait()
        print(json.dumps({"receiving": len(viewers)}), flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        for viewer in viewers:
            viewer.begin()
        await asyncio.to_thread(sys.stdin.readline)
        print(json.dumps([viewer.told(arguments.fps) for viewer in viewers]), flush=True)
        await asyncio.gather(*(viewer.close() for viewer in viewers))
        await rtc.decoders_ended()


def encode_sample(codec: Codec) -> list[Any]:
    """The sample's packets as they are published, a key frame first and one each second."""
    encoder = Encoder(codec, BPS)
    packets: list[Any] = []
    with av.open(str(SAMPLE)) as container:
        for number, frame in enumerate(container.decode(video=0)):
            picture = frame.reformat(width=WIDTH, height=HEIGHT, format="yuv420p")
            key_frame = number % KEY_FRAME_EVERY == 0
            packets += encoder.encode(picture, number / FPS, key_frame=key_frame)
    return packets


class PacketLoop(MediaStreamTrack):
    """Gives packets at a steady rate, over and over."""

    kind = "video"

    def __init__(self, packets: list[Any]) -> None:
        super().__init__()
        self._data = [bytes(packet) for packet in packets]
        self._number = 0
        self._began_s = time.monotonic()

    async def recv(self) -> Any:
        due_s = self._began_s + self._number / FPS
        await asyncio.sleep(max(due_s - time.monotonic(), 0.0))
        packet: Any = av.Packet(self._data[self._number % len(self._data)])
        packet.pts = self._number * CLOCK_HZ // FPS
        packet.time_base = Fraction(1, CLOCK_HZ)
        self._number += 1
        return packet


async def publish(arguments: argparse.Namespace) -> None:
    """Publish until the input ends."""
    track = PacketLoop(encode_sample(Codec(arguments.codec)))
    settings = {"publish": arguments.publish, "codec": arguments.codec, "history": 0}
    async with ClientPeer(arguments.url, timeout_s=CONNECTS_WITHIN_S, **settings) as peer:
        await peer.connect(track)
        print(json.dumps({"publishing": arguments.publish}), flush=True)
        await asyncio.to_thread(sys.stdin.read)


def main() -> None:
    """Run until the window has ended."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", required=True, help="the WHEP address; to publish, the server's")
    parser.add_argument("--viewers", type=int, default=1)
    parser.add_argument("--codec", default="H264", choices=["H264", "VP8"])
    parser.add_argument("--fps", type=float, default=20.0, help="of what is watched")
    parser.add_argument("--remb", type=int, default=2_000_000, help="what each line carries, b/s")
    parser.add_argument("--see", action="store_true", help="decode, and read the bar code of time")
    parser.add_argument("--publish", metavar="NAME", help="publish the sample under this name")
    arguments = parser.parse_args()
    asyncio.run((publish if arguments.publish else watch)(arguments))


if __name__ == "__main__":
    main()
