"""One peer that stands outside the server: offers its tracks, reads results, hangs up."""

import asyncio
import contextlib
import ipaddress
import json
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Literal, Self
from urllib.parse import urlsplit

import aiohttp
from aiortc import (
    MediaStreamTrack,
    RTCBundlePolicy,
    RTCConfiguration,
    RTCDataChannel,
    RTCPeerConnection,
    RTCRtpSender,
    RTCSessionDescription,
)
from aiortc.contrib.media import MediaBlackhole
from aiortc.sdp import candidate_from_sdp

from client_test.compact import CompactReader
from client_test.errors import NoFinalResult, NotConnected
from client_test.ice_hosts import offering
from client_test.inbox import Inbox, Message
from client_test.negotiation import OpenedSession, Use, negotiate

END_SESSION = "end session"
# The label of the channel for what must arrive.
EVENTS = "events"
LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Clock:
    """How the server's clock stands to ours.

    Attributes
    ----------
    offset_ms
        Server's clock minus ours; right to within half of `rtt_ms`.
    rtt_ms
        The shortest round trip seen over the data channel.
    """

    offset_ms: float
    rtt_ms: float


class ClientPeer(Inbox):
    """A peer connection with one data channel or two, and everything that arrives on it.

    Use it as an asynchronous context manager; leaving it closes the connection.

    Parameters
    ----------
    url
        The server, as ``http://host:port`` or ``https://host:port``.
    use
        Which door takes the offer; see `negotiation.negotiate`.
    token
        Bearer token, where the server asks for one.
    insecure
        Accept a certificate that nobody vouches for.
    ice_addresses
        Addresses of this machine to offer. None means loopback alone if the server's host is
        loopback, and otherwise what aioice chooses.
    label, ordered, max_retransmits
        Of the data channel. ``ordered=False, max_retransmits=0`` trades completeness for latency.
    protocol
        Of the data channel, too; "cbor" asks for results as CBOR on it.
    events
        Open a second, reliable channel, for what must arrive. Results then come in the order in
        which the channels bring them.
    results
        How results are to be written, "json" or "cbor"; None does not say. What comes here is the
        same. A result that is damaged, or came before the layout, is passed over.
    analyzers
        Names of the analyzers to run; None leaves the choice to the server.
    options
        Per analyzer.
    resume
        The token of a session to continue.
    play
        Name of a source that the server is to send back.
    publish
        Name under which others may watch what is sent.
    codec
        Offer this video codec only, "VP8" or "H264"; None offers all.
    timeout_s
        For each step of connecting.
    history
        How many messages `received` keeps; a result with landmarks takes some 50 kB of memory.
    on_result, on_message
        Called with each result, and with each other message, as it arrives.
    on_track
        Takes over each track that the server sends; without it they are read and dropped.

    Attributes
    ----------
    connection, channel, events
        The `RTCPeerConnection` and its `RTCDataChannel`s; None before `connect`, and `events` if
        there is to be none.
    session
        None before `connect`, and with servers that name no sessions.
    door
        The URL that answered the offer.
    states
        Every connection state so far: ``["new", "connecting", "connected", "closed"]``.
    """

    def __init__(
        self,
        url: str = "http://127.0.0.1:8083",
        *,
        use: Use = "auto",
        token: str | None = None,
        insecure: bool = False,
        ice_addresses: Sequence[str] | None = None,
        label: str = "data",
        ordered: bool = True,
        max_retransmits: int | None = None,
        protocol: str = "",
        events: bool = False,
        results: Literal["json", "cbor"] | None = None,
        analyzers: Sequence[str] | None = None,
        options: dict[str, Any] | None = None,
        resume: str | None = None,
        play: str | None = None,
        publish: str | None = None,
        codec: str | None = None,
        timeout_s: float = 10.0,
        history: int = 1000,
        on_result: Callable[[Message], None] | None = None,
        on_message: Callable[[Message], None] | None = None,
        on_track: Callable[[MediaStreamTrack], None] | None = None,
    ) -> None:
        super().__init__(history, on_result, on_message)
        self.url = url if "://" in url else f"http://{url}"
        if ice_addresses is None and _is_loopback(urlsplit(self.url).hostname or ""):
            ice_addresses = [LOOPBACK]
        self.connection: RTCPeerConnection | None = None
        self.channel: RTCDataChannel | None = None
        self.events: RTCDataChannel | None = None
        self.session: OpenedSession | None = None
        self.door: str | None = None
        self.states: list[str] = []
        self._use: Use = use
        self._token = token
        self._insecure = insecure
        self._ice_addresses = ice_addresses
        self._label = label
        self._ordered = ordered
        self._max_retransmits = max_retransmits
        self._protocol = protocol
        self._wants_events = events
        self._compact: CompactReader | None = None
        optional_keys: dict[str, Any] = {
            "analyzers": list(analyzers) if analyzers is not None else None,
            "options": options,
            "resume": resume,
            "play": play,
            "publish": publish,
            "results": results,
        }
        self._optional_keys = {k: v for k, v in optional_keys.items() if v is not None}
        self._codec = codec
        self._timeout_s = timeout_s
        self._on_track = on_track
        self._opened = asyncio.Event()
        self._http: aiohttp.ClientSession | None = None
        self._websocket: aiohttp.ClientWebSocketResponse | None = None
        self._websocket_reader: asyncio.Task[None] | None = None
        self._blackhole = MediaBlackhole()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    # Connecting

    async def connect(self, *tracks: MediaStreamTrack) -> None:
        """Offer these tracks, and return when the data channel is open.

        Raises
        ------
        DoorMissing, Rejected
            See `negotiation.negotiate`.
        NotConnected
            The offer was answered, but no connection came about in time.
        """
        connection = self._new_connection()
        for track in tracks:
            connection.addTrack(track)
        # After the tracks: before them, aiortc stops the transport that it bundles all on.
        if self._wants_events:
            self.events = connection.createDataChannel(EVENTS)
            self.watch_channel(self.events)
        self.channel = connection.createDataChannel(
            self._label,
            ordered=self._ordered,
            maxRetransmits=self._max_retransmits,
            protocol=self._protocol,
        )
        self.watch_channel(self.channel)
        self._prefer_codec(connection)
        with offering(self._ice_addresses):
            await connection.setLocalDescription(await connection.createOffer())
        await self._exchange_descriptions(connection)
        await self._wait_open()

    def _new_connection(self) -> RTCPeerConnection:
        # iceServers=None would mean a public STUN server and seconds of gathering.
        connection = RTCPeerConnection(
            # Left to itself aiortc forgets to send a second video beside sound.
            RTCConfiguration(iceServers=[], bundlePolicy=RTCBundlePolicy.MAX_BUNDLE)
        )
        self.connection = connection
        self.states.append(connection.connectionState)

        @connection.on("connectionstatechange")
        def on_state() -> None:
            self.states.append(connection.connectionState)
            if connection.connectionState in ("closed", "failed"):
                self._close_inbox()

        @connection.on("track")
        def on_track(track: MediaStreamTrack) -> None:
            if self._on_track is not None:
                self._on_track(track)
            else:
                self._blackhole.addTrack(track)

        return connection

    def _prefer_codec(self, connection: RTCPeerConnection) -> None:
        if self._codec is None:
            return
        wanted = [
            codec
            for codec in RTCRtpSender.getCapabilities("video").codecs
            if codec.mimeType.lower() in (f"video/{self._codec.lower()}", "video/rtx")
        ]
        for transceiver in connection.getTransceivers():
            if transceiver.kind == "video":
                transceiver.setCodecPreferences(wanted)

    async def _exchange_descriptions(self, connection: RTCPeerConnection) -> None:
        headers = {"Authorization": f"Bearer {self._token}"} if self._token else None
        self._http = aiohttp.ClientSession(headers=headers)
        local = connection.localDescription
        offer = {"sdp": local.sdp, "type": local.type, **self._optional_keys}
        answer = await negotiate(
            self._http,
            self.url,
            offer,
            use=self._use,
            insecure=self._insecure,
            timeout_s=self._timeout_s,
        )
        self.session = answer.session
        self.door = answer.url
        self._websocket = answer.websocket
        if answer.websocket is not None:
            self._websocket_reader = asyncio.create_task(self._read_signaling(answer.websocket))
        await connection.setRemoteDescription(RTCSessionDescription(answer.sdp, "answer"))
        await self._blackhole.start()

    async def _read_signaling(self, websocket: aiohttp.ClientWebSocketResponse) -> None:
        """Takes candidates that the server trickles, and keeps its other words as messages."""
        async for incoming in websocket:
            if incoming.type is not aiohttp.WSMsgType.TEXT:
                continue
            message = json.loads(incoming.data)
            data = message.get("data") or {}
            line = data.get("candidate") or data.get("sdp")
            if message.get("type") != "ice-candidate":
                self._take(message)
            elif line and self.connection is not None:
                candidate = candidate_from_sdp(line.removeprefix("candidate:"))
                candidate.sdpMid = data.get("sdpMid")
                candidate.sdpMLineIndex = data.get("sdpMLineIndex")
                await self.connection.addIceCandidate(candidate)

    async def _wait_open(self) -> None:
        waits = [asyncio.create_task(e.wait()) for e in (self._opened, self._gone)]
        try:
            await asyncio.wait(waits, timeout=self._timeout_s, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        if not self._opened.is_set():
            raise NotConnected(
                f"{self.door} answered, but no data channel opened within {self._timeout_s:g} s "
                f"(connection states: {', '.join(self.states)}). Do the ICE addresses of both "
                "sides reach each other?"
            )

    # What arrives

    def watch_channel(self, channel: RTCDataChannel) -> None:
        """Take what arrives on a channel of the connection."""
        channel.on("open", self._note_open)
        channel.on("close", self._note_closed)
        channel.on("message", self._read)

    def _channels_are(self, state: str) -> bool:
        channels = (self.channel, self.events)
        return all(each.readyState == state for each in channels if each is not None)

    def _note_open(self) -> None:
        if self._channels_are("open"):
            self._opened.set()

    def _note_closed(self) -> None:
        if self._channels_are("closed"):
            self._close_inbox()

    def _read(self, data: str | bytes) -> None:
        if isinstance(data, str):
            message = json.loads(data)
            if message.get("type") == "layout":
                self._compact = CompactReader(message)
            self._take(message)
        elif self._compact is not None:
            with contextlib.suppress(ValueError):
                self._take(self._compact.read(data))

    # What is sent

    def send(self, message: Message | str | bytes) -> None:
        """Send a control message (as JSON), or text or bytes as they are."""
        channels = (self.events, self.channel)
        channel = next((c for c in channels if c is not None and c.readyState == "open"), None)
        if channel is None:
            raise NotConnected("the data channel is not open")
        channel.send(json.dumps(message) if isinstance(message, dict) else message)

    async def ping(self, count: int = 3, timeout_s: float = 5.0) -> Clock:
        """Compare clocks over the data channel; the quickest of `count` round trips counts.

        Raises
        ------
        TimeoutError
            The server does not answer pings (older ones do not know them).
        """
        clocks = []
        for _ in range(count):
            sent_ms = time.time() * 1000
            self.send({"type": "ping", "t": sent_ms})
            pong = await self.wait_for(
                lambda m, t=sent_ms: m.get("type") == "pong" and m.get("t") == t,  # type: ignore[misc]
                timeout_s,
            )
            rtt_ms = time.time() * 1000 - sent_ms
            clocks.append(Clock(pong["server_time"] - sent_ms - rtt_ms / 2, rtt_ms))
        return min(clocks, key=lambda clock: clock.rtt_ms)

    # Hanging up

    async def end(self, timeout_s: float = 10.0) -> Message:
        """End the session and return its final result.

        Raises
        ------
        NoFinalResult
            It did not come within `timeout_s`, or the connection closed first.
        """
        if self.final is not None:
            return self.final
        try:
            self.send(END_SESSION)
            return await self.wait_for(lambda m: bool(m.get("final")), timeout_s)
        except (TimeoutError, NotConnected) as error:
            raise NoFinalResult(
                f"no final result within {timeout_s:g} s of ending the session "
                f"(connection states: {', '.join(self.states)})"
            ) from error

    async def vanish(self) -> None:
        """Go away as a machine does whose network is cut: the server is told nothing."""
        if self.connection is not None and self.connection.sctp is not None:
            await self.connection.sctp.transport.transport.stop()
        if self._websocket is not None and (stream := self._websocket.get_extra_info("socket")):
            # Closed without the WebSocket's own farewell.
            stream.shutdown(socket.SHUT_RDWR)
        self._close_inbox()

    async def close(self) -> None:
        """Hang up and release everything; may be called twice."""
        if self._websocket_reader is not None:
            self._websocket_reader.cancel()
            await asyncio.gather(self._websocket_reader, return_exceptions=True)
        if self._websocket is not None:
            await self._websocket.close()
        await self._blackhole.stop()
        if self.connection is not None:
            await self.connection.close()
        if self._http is not None:
            await self._http.close()
        self._close_inbox()


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
