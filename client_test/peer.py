"""One peer that stands outside the server: offers its tracks, reads results, hangs up."""

import asyncio
import ipaddress
import json
import socket
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import aiohttp
from aiortc import (
    MediaStreamTrack,
    RTCBundlePolicy,
    RTCConfiguration,
    RTCPeerConnection,
    RTCRtpSender,
    RTCSessionDescription,
)
from aiortc.contrib.media import MediaBlackhole
from aiortc.sdp import candidate_from_sdp

from client_test.channels import Channels, ChannelSettings, Form
from client_test.errors import NotConnected
from client_test.ice_hosts import offering
from client_test.inbox import Message
from client_test.negotiation import OpenedSession, Use, negotiate

LOOPBACK = "127.0.0.1"


class ClientPeer(Channels):
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
    label, ordered, max_retransmits, protocol, events
        How results travel; see `ChannelSettings`.
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
    connection
        The `RTCPeerConnection`; None before `connect`.
    session
        None before `connect`, and with servers that name no sessions.
    door
        The URL that answered the offer.
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
        results: Form | None = None,
        analyzers: Sequence[str] | None = None,
        options: dict[str, Any] | None = None,
        resume: str | None = None,
        play: str | None = None,
        publish: str | None = None,
        codec: str | None = None,
        timeout_s: float = 30.0,
        history: int = 1000,
        on_result: Callable[[Message], None] | None = None,
        on_message: Callable[[Message], None] | None = None,
        on_track: Callable[[MediaStreamTrack], None] | None = None,
    ) -> None:
        given = dict(locals())
        own = ("self", "__class__", "url", "resume")
        self._given = {name: value for name, value in given.items() if name not in own}
        channels = ChannelSettings(label, ordered, max_retransmits, protocol, events)
        super().__init__(channels, history, on_result, on_message)
        self.url = url if "://" in url else f"http://{url}"
        if ice_addresses is None and _is_loopback(urlsplit(self.url).hostname or ""):
            ice_addresses = [LOOPBACK]
        self.connection: RTCPeerConnection | None = None
        self.session: OpenedSession | None = None
        self.door: str | None = None
        self._use: Use = use
        self._token = token
        self._insecure = insecure
        self._ice_addresses = ice_addresses
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

    def successor(self) -> "ClientPeer":
        """Another one like this, which goes on with the session: not connected yet."""
        resume = self.session.resume if self.session else None
        return ClientPeer(self.url, **self._given, resume=resume)

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
        self.open_channels(connection)
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

    @property
    def signaling_ended(self) -> bool:
        """Whether the socket of the offer has closed: the server may be gone, or only its door."""
        return self._websocket_reader is not None and self._websocket_reader.done()

    def on_signaling_ended(self, ended: Callable[[], None]) -> None:
        """Hear when it closes; nothing where the offer went over HTTP."""
        if self._websocket_reader is not None:
            self._websocket_reader.add_done_callback(lambda _: ended())

    # Hanging up

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
