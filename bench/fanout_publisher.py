"""A publisher whose video was encoded beforehand, so that it takes next to nothing of the machine.

Prints a line when it is connected, and goes on until its input ends.
"""

import argparse
import asyncio
import sys
import time
from fractions import Fraction
from pathlib import Path
from typing import Any

import aiohttp
import av
from aiortc import (
    MediaStreamTrack,
    RTCConfiguration,
    RTCPeerConnection,
    RTCRtpSender,
    RTCSessionDescription,
)

from client_test.ice_hosts import offering
from server.media.encoder import Codec, Encoder

CLOCK_HZ = 90_000
# Nobody can ask this encoder for a key frame.
KEY_FRAME_EVERY = 30
CONNECTS_WITHIN_S = 15.0


def encode(film: Path, codec: Codec, *, size: tuple[int, int], fps: int, bps: int) -> list[Any]:
    """A film's packets, a key frame first and one each second."""
    encoder = Encoder(codec, bps)
    packets: list[Any] = []
    with av.open(str(film)) as container:
        for number, frame in enumerate(container.decode(video=0)):
            picture = frame.reformat(width=size[0], height=size[1], format="yuv420p")
            key_frame = number % KEY_FRAME_EVERY == 0
            packets += encoder.encode(picture, number / fps, key_frame=key_frame)
    return packets


class PacketLoop(MediaStreamTrack):
    """Gives packets at a steady rate, over and over."""

    kind = "video"

    def __init__(self, packets: list[Any], fps: int) -> None:
        super().__init__()
        self._data = [bytes(packet) for packet in packets]
        self._fps = fps
        self._number = 0
        self._began_s = time.monotonic()

    async def recv(self) -> Any:
        due_s = self._began_s + self._number / self._fps
        await asyncio.sleep(max(due_s - time.monotonic(), 0.0))
        packet: Any = av.Packet(self._data[self._number % len(self._data)])
        packet.pts = self._number * CLOCK_HZ // self._fps
        packet.time_base = Fraction(1, CLOCK_HZ)
        self._number += 1
        return packet


async def publish(url: str, name: str, codec: str, track: MediaStreamTrack) -> RTCPeerConnection:
    """Offer the track; returns when the connection stands."""
    connection = RTCPeerConnection(RTCConfiguration([]))
    transceiver = connection.addTransceiver(track, "sendonly")
    known = RTCRtpSender.getCapabilities("video").codecs
    wanted = (f"video/{codec}", "video/rtx")
    transceiver.setCodecPreferences([c for c in known if c.mimeType in wanted])
    connected = asyncio.Event()

    @connection.on("connectionstatechange")
    def on_state() -> None:
        if connection.connectionState == "connected":
            connected.set()

    with offering(("127.0.0.1",)):
        await connection.setLocalDescription(await connection.createOffer())
    offer = {"sdp": connection.localDescription.sdp, "type": "offer", "publish": name}
    async with aiohttp.ClientSession() as http, http.post(f"{url}/offer", json=offer) as answer:
        said = await answer.json()
        if answer.status != 200:
            raise RuntimeError(f"{url} answered {answer.status}: {said}")
    await connection.setRemoteDescription(RTCSessionDescription(said["sdp"], "answer"))
    async with asyncio.timeout(CONNECTS_WITHIN_S):
        await connected.wait()
    return connection


async def run(arguments: argparse.Namespace) -> None:
    """Publish until the input ends."""
    size = (arguments.width, arguments.height)
    packets = encode(
        arguments.film,
        Codec(arguments.codec),
        size=size,
        fps=arguments.fps,
        bps=arguments.bps,
    )
    track = PacketLoop(packets, arguments.fps)
    connection = await publish(arguments.url, arguments.name, arguments.codec, track)
    print("connected", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    await connection.close()


def main() -> None:
    """Run until the input ends."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--url", required=True)
    parser.add_argument("--name", default="bench")
    parser.add_argument("--film", type=Path, required=True)
    parser.add_argument("--codec", choices=["VP8", "H264"], default="VP8")
    parser.add_argument("--width", type=int, default=640)
    parser.add_argument("--height", type=int, default=480)
    parser.add_argument("--fps", type=int, default=30)
    parser.add_argument("--bps", type=int, default=1_000_000)
    asyncio.run(run(parser.parse_args()))


if __name__ == "__main__":
    main()
