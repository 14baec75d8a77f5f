"""A peer that is let in and means ill: it connects as any other, and sends whatever it is told.

Signaling, ICE and DTLS are plain aiortc's, so that the server has no reason to refuse it. Then it
sends what it is given: SCTP packets through DTLS, RTP and RTCP that the server decrypts, and
datagrams to the server's port from this peer's address or from a stranger's.

    python -m bench.parts.hostile_peer --url URL [--codec H264] [--play NAME] [--token TOKEN]

reads lists of ``[door, hex, fresh]`` as lines of JSON (`HostilePeer.send`), and answers each with
``{"alive": bool}``; its first line is what it recorded of its own honest traffic.
"""

import argparse
import asyncio
import contextlib
import functools
import json
import os
import socket
import struct
import sys
from collections import defaultdict
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Self

import pylibsrtp
from aiortc import MediaStreamTrack, RTCPeerConnection
from aiortc.mediastreams import VideoStreamTrack
from aiortc.rtp import is_rtcp
from av import VideoFrame
from OpenSSL import SSL

from bench.parts import packets
from client_test.errors import ClientError
from client_test.peer import ClientPeer

WIDTH, HEIGHT = 160, 120
SAMPLES_OF_A_KIND = 8
# While honest traffic is recorded one packet in so many is lost, so that it is asked for again.
LOST_EVERY = 30
ALIVE_WITHIN_S = 5.0


class _Pattern(VideoStreamTrack):
    """Noise, 30 times a second: a frame takes several packets."""

    async def recv(self) -> VideoFrame:
        pts, time_base = await self.next_timestamp()
        frame = VideoFrame(WIDTH, HEIGHT, "yuv420p")
        for plane in frame.planes:
            plane.update(os.urandom(plane.buffer_size))
        frame.pts, frame.time_base = pts, time_base
        return frame


class _Peer(ClientPeer):
    """Asks to be sent a video where it plays one."""

    def _new_connection(self) -> RTCPeerConnection:
        connection = super()._new_connection()
        if "play" in self._optional_keys:
            connection.addTransceiver("video", "recvonly")
        return connection


class HostilePeer:
    """One peer connection; use it as an asynchronous context manager, which connects.

    Parameters
    ----------
    url
        The server's.
    tracks
        To send; None is a small video, or nothing where something is played.
    settings
        Of `ClientPeer`: ``token``, ``play``, ``codec`` and so on.

    Attributes
    ----------
    samples
        Packets of this peer's own, as `record` has seen them: by kind, each without what differs
        between two connections, see `send`.
    server
        Where the server's media port is: host, port.
    payload_type
        Of the video that it sends, once it does.
    received_bytes, newest
        RTP that came, and its newest sequence number.
    """

    def __init__(
        self, url: str, *, tracks: Sequence[MediaStreamTrack] | None = None, **settings: Any
    ) -> None:
        self.peer = _Peer(url, history=10, timeout_s=20.0, **settings)
        self.samples: dict[str, list[bytes]] = defaultdict(list)
        self.received_bytes = self.newest = self.payload_type = 0
        self._came = asyncio.Event()
        self.server: tuple[str, int] = ("", 0)
        if tracks is None:
            tracks = [] if settings.get("play") else [_Pattern()]
        self._tracks = tracks
        self._dtls: Any = None
        self._stranger = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._lost, self._records = 0, False
        self._last_rtp: tuple[int, int] = (0, 0)

    async def __aenter__(self) -> Self:
        try:
            await self.peer.connect(*self._tracks)
        except BaseException:
            await self.close()
            raise
        self._dtls = self.association.transport
        self.server = self._dtls.transport._connection._nominated[1].remote_addr
        self._watch_packets()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Hang up."""
        self._stranger.close()
        await self.peer.close()

    @property
    def association(self) -> Any:
        """aiortc's SCTP association."""
        return self._connection.sctp

    @property
    def _connection(self) -> Any:
        return self.peer.connection

    @property
    def tracks_taken(self) -> int:
        """How many videos the server wants."""
        transceivers = self._connection.getTransceivers()
        return sum(each.currentDirection in ("sendonly", "sendrecv") for each in transceivers)

    @property
    def is_connected(self) -> bool:
        """Whether the server has not hung up, as far as it has said."""
        return self._dtls.state == "connected" and self.association.state == "connected"

    async def is_alive(self) -> bool:
        """Whether the server still does for this peer what it did: answers, or sends video."""
        if not self.is_connected:
            return False
        self._came.clear()
        try:
            if self._tracks:
                await self.peer.ping(1, ALIVE_WITHIN_S)
            else:
                await asyncio.wait_for(self._came.wait(), ALIVE_WITHIN_S)
        except (TimeoutError, ClientError):
            return False
        return True

    # What is sent

    async def send(self, door: str, data: bytes, *, fresh: bool = True) -> None:
        """Send something; what can not be sent any more, since the connection is over, is not.

        Parameters
        ----------
        door
            ``"sctp"``: chunks, which get the association's head and a checksum; ``"dtls"``: data as
            it is; ``"rtp"``, ``"rtcp"``: a packet that is protected; ``"raw"``: a datagram;
            ``"stranger"``: a datagram of somebody at another port.
        data
            Its bytes.
        fresh
            Put in what this connection has: tags, sequence numbers, sources.
        """
        doors: dict[str, Callable[[bytes, bool], Coroutine[Any, Any, None]]] = {
            "sctp": self._send_chunks,
            "dtls": lambda data, _: self._dtls._send_data(data),
            "rtp": self._send_rtp,
            "rtcp": self._send_rtcp,
            "raw": lambda data, _: self._dtls.transport._send(data),
        }
        if door == "stranger":
            self._stranger.sendto(data, self.server)
            return
        with contextlib.suppress(ConnectionError, SSL.Error):
            await doors[door](data, fresh)

    async def send_chunk(
        self, kind: int, body: bytes, flags: int = 0, tag: int | None = None
    ) -> None:
        """Send a chunk of SCTP, with its length; another verification tag if that is wanted."""
        await self._send_chunks(packets.chunk(kind, body, flags), False, tag)

    async def _send_chunks(self, chunks: bytes, fresh: bool, tag: int | None = None) -> None:
        a = self.association
        if fresh:
            chunks = packets.with_numbers(chunks, a._local_tsn, a._last_received_tsn or 0)
        is_init = chunks[:1] == b"\x01"
        if tag is None:
            tag = 0 if is_init else a._remote_verification_tag
        data = packets.sctp(a._local_port, a._remote_port, tag, chunks)
        await self._dtls._send_data(data)

    async def _send_rtp(self, packet: bytes, fresh: bool) -> None:
        if fresh and self._tracks:
            sender: Any = self._connection.getSenders()[0]
            packet = packets.with_source(packet, sender._ssrc, *self._last_rtp)
        await self._send_protected(packet, self._dtls._tx_srtp.protect)

    async def _send_rtcp(self, packet: bytes, fresh: bool) -> None:
        if fresh:
            packet = packets.with_sources(packet, *self._sources())
        await self._send_protected(packet, self._dtls._tx_srtp.protect_rtcp)

    async def _send_protected(self, packet: bytes, protect: Callable[[bytes], bytes]) -> None:
        # What SRTP can not protect its receiver takes for nothing that is protected either.
        with contextlib.suppress(pylibsrtp.Error, ValueError):
            packet = protect(packet)
        await self._dtls.transport._send(packet)

    def _sources(self) -> tuple[int, int]:
        """The sources of what we send, and of what the server sends."""
        transceiver: Any = next(t for t in self._connection.getTransceivers() if t.kind == "video")
        receiver = transceiver.receiver
        theirs = next(iter(receiver._RTCRtpReceiver__active_ssrc), 1)
        ours = transceiver.sender._ssrc
        return (
            (ours, theirs) if self._tracks else (receiver._RTCRtpReceiver__rtcp_ssrc or 1, theirs)
        )

    # What is recorded

    async def record(self, seconds: float) -> dict[str, list[bytes]]:
        """Live honestly for a while, and keep of each kind of packet what was sent.

        Kinds that a quiet connection does not have are added.
        """
        self._records = True
        await self._converse(seconds)
        self._records = False
        for kind, data in packets.seldom_seen(*self._sources()).items():
            self._note(kind, data)
        self._note("stun request", self._consent_check())
        return self.samples

    def _consent_check(self) -> bytes:
        """What ICE asks all the while, signed (RFC 7675, section 5.1)."""
        ice = self._dtls.transport._connection
        message = ice.build_request(ice._nominated[1], nominate=False)
        message.add_message_integrity(ice.remote_password.encode())
        return bytes(message)

    async def _converse(self, seconds: float) -> None:
        """Have something to say: messages, and a channel that is closed again."""
        channel = self._connection.createDataChannel("more")
        opened = asyncio.Event()
        channel.on("open", opened.set)
        self.peer.send(json.dumps({"type": "ping", "t": 1, "text": "x" * 3000}))
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(opened.wait(), seconds)
            channel.send("hello")
            channel.close()
        await asyncio.sleep(seconds)

    def _note(self, kind: str, data: bytes) -> None:
        if len(self.samples[kind]) < SAMPLES_OF_A_KIND:
            self.samples[kind].append(data)

    def _watch_packets(self) -> None:
        """See what goes through DTLS; some of it is lost while traffic is recorded."""
        dtls, (sender, *_) = self._dtls, self._connection.getSenders()
        own_source = struct.pack("!L", sender._ssrc)
        send_data, send_rtp, handle_rtp = dtls._send_data, dtls._send_rtp, dtls._handle_rtp_data

        async def see_data(data: bytes) -> None:
            if self._records:
                self._note(f"sctp {data[12]}", data[12:])
            await send_data(data)

        async def see_rtp(data: bytes) -> None:
            if self._records:
                kind = f"rtcp {packets.types_in(data)}" if is_rtcp(data) else f"rtp {data[1] & 127}"
                self._note(kind, data)
            if not is_rtcp(data) and self._is_lost():
                return
            if data[8:12] == own_source:
                self._last_rtp = struct.unpack_from("!HL", data, 2)
                self.payload_type = data[1] & 127
            await send_rtp(data)

        async def see_received(data: bytes, arrival_time_ms: int) -> None:
            self.received_bytes += len(data)
            (self.newest,) = struct.unpack_from("!H", data, 2)
            self._came.set()
            if not self._is_lost():
                await handle_rtp(data, arrival_time_ms=arrival_time_ms)

        dtls._send_data, dtls._send_rtp, dtls._handle_rtp_data = see_data, see_rtp, see_received

    def _is_lost(self) -> bool:
        self._lost += self._records
        return self._records and self._lost % LOST_EVERY == 0


async def obey(arguments: argparse.Namespace) -> None:
    """Connect, tell what was recorded, send what is asked for."""
    keys = ("token", "play", "codec")
    settings = {key: value for key in keys if (value := getattr(arguments, key)) is not None}
    async with HostilePeer(arguments.url, **settings) as hostile:
        recorded = await hostile.record(arguments.record) if arguments.record else {}
        samples = {kind: [each.hex() for each in datas] for kind, datas in recorded.items()}
        print(json.dumps(samples), flush=True)
        readline = functools.partial(asyncio.to_thread, sys.stdin.readline)
        while line := await readline():
            asked = json.loads(line)
            for door, data, fresh in asked["send"]:
                await hostile.send(door, bytes.fromhex(data), fresh=fresh)
            alive = hostile.is_connected if not asked.get("ask") else await hostile.is_alive()
            print(json.dumps({"alive": alive}), flush=True)


def main() -> None:
    """Run until the input ends."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", 1)[0])
    parser.add_argument("--url", required=True)
    parser.add_argument("--token")
    parser.add_argument("--play", help="watch this and send nothing")
    parser.add_argument("--codec", choices=["VP8", "H264"])
    parser.add_argument("--record", type=float, default=0.0, metavar="SECONDS")
    asyncio.run(obey(parser.parse_args()))


if __name__ == "__main__":
    main()
