"""One peer connection: the client's tracks into its session, the session's results back."""

from __future__ import annotations

import asyncio
import enum
import logging
import re
from collections.abc import Callable, Coroutine, Iterable
from typing import Any

from aiortc import (
    MediaStreamTrack,
    RTCBundlePolicy,
    RTCConfiguration,
    RTCDataChannel,
    RTCIceServer,
    RTCPeerConnection,
    RTCSessionDescription,
)
from aiortc.sdp import candidate_from_sdp

from server.media.aiortc_compat import decoders_ended
from server.media.channel import DataChannelSink
from server.media.clock import TrackClock
from server.media.reader import discard, drain
from server.metrics import Metrics
from server.session import Session
from server.tasks import Tasks
from signaling.errors import BadSdp, Busy
from signaling.ice import IceServer, is_mdns_name
from signaling.messages import IceCandidate, Offer

logger = logging.getLogger(__name__)

# A peer that hangs up ends its tracks first; this long after, it is clear whether it was only that.
HANG_UP_FOLLOWS_WITHIN_S = 0.5
# After the final result the client hangs up; if it does not, we do.
FAREWELL_S = 5.0
# How long the last bytes may take to leave when the server shuts down.
FLUSH_WITHIN_S = 1.0
# Lines of an offer that aiortc is not given; `Peer.add_candidate` says why.
_UNWANTED_LINES = re.compile(
    r"^a=(?:candidate:(?:\S+ ){4}[A-Za-z0-9-]{1,63}\.local .*|end-of-candidates)\r?\n?",
    re.MULTILINE,
)


class Gone(enum.Enum):
    """Why a peer is no longer there."""

    NEVER_CONNECTED = "the peer never connected"
    LOST = "the peer went away"


class Peer:
    """A peer connection that feeds one session.

    Parameters
    ----------
    session
        Where its video goes.
    offer
        What the client offers; `answer` takes it.
    ice_servers
        STUN and TURN servers for our own candidates; empty asks nobody.
    metrics
        Counts what is dropped.
    end_session
        Ends the session; awaited until its final result is out.
    on_gone
        Called once, when the peer has gone.
    """

    def __init__(
        self,
        session: Session,
        offer: Offer,
        ice_servers: Iterable[IceServer],
        metrics: Metrics,
        end_session: Callable[[Session, str], Coroutine[Any, Any, None]],
        on_gone: Callable[[Peer, Gone], Coroutine[Any, Any, None]],
    ) -> None:
        self.session = session
        self._offer = offer
        self.states: list[str] = ["new"]
        self.connected = asyncio.Event()
        self._metrics = metrics
        self._end_session = end_session
        self._on_gone = on_gone
        self._tasks = Tasks(f"peer of session {session.sid}")
        self._video: MediaStreamTrack | None = None
        self._sink: DataChannelSink | None = None
        self._closed = asyncio.Event()
        self._connection = self._connect(offer, ice_servers)

    def _connect(self, offer: Offer, ice_servers: Iterable[IceServer]) -> RTCPeerConnection:
        connection = RTCPeerConnection(
            RTCConfiguration(
                # An empty list is not None: with None aiortc asks a public STUN server.
                [RTCIceServer(list(s.urls), s.username, s.credential) for s in ice_servers],
                # Left to itself aiortc loses the second video of an offer that bundles all.
                bundlePolicy=RTCBundlePolicy.MAX_BUNDLE
                if "a=group:BUNDLE" in offer.sdp
                else RTCBundlePolicy.BALANCED,
            )
        )
        connection.on("track", self._take_track)
        connection.on("datachannel", self._take_channel)
        connection.on("connectionstatechange", self._note_state)
        return connection

    # ---- negotiation

    async def answer(self) -> str:
        """Take the offer, return the answer's SDP.

        Raises
        ------
        BadSdp
            The offer does not parse or has no video that can be decoded.
        Busy
            No UDP port is left.
        """
        try:
            await self._connection.setRemoteDescription(
                RTCSessionDescription(sdp=_UNWANTED_LINES.sub("", self._offer.sdp), type="offer")
            )
            answer = await self._connection.createAnswer()
        except Exception as error:
            # What aiortc raises on hostile SDP is anything from ValueError to AttributeError.
            logger.info("Session %s: offer refused: %r", self.session.sid, error)
            raise BadSdp(
                "the offer can not be answered: send one with a VP8 or H264 video track"
                " as the browser's createOffer gives it"
            ) from error
        await self._connection.setLocalDescription(answer)
        sdp = self._connection.localDescription.sdp
        if "a=candidate:" not in sdp:
            raise Busy("no free UDP port for media: widen --ice-port-range", retry_after_s=10)
        return sdp

    async def add_candidate(self, candidate: IceCandidate | None) -> None:
        """Add a remote candidate; None says that no more come."""
        if candidate is None:
            # Told of the end, aioice gives up as soon as no known candidate is left, but the
            # peer's own checks may be on their way, with an address that it hid or does not know
            # (RFC 8863). Whoever has not connected in time is given up by the session manager.
            return
        parsed = candidate_from_sdp(candidate.candidate)
        if is_mdns_name(parsed.ip):
            # Looking it up costs up to a second of multicast, and is not needed: the browser's
            # own connectivity checks reach us and bring its address along.
            return
        parsed.sdpMid = candidate.sdpMid
        parsed.sdpMLineIndex = candidate.sdpMLineIndex
        await self._connection.addIceCandidate(parsed)

    # ---- what the connection does

    def _note_state(self) -> None:
        state = self._connection.connectionState
        self.states.append(state)
        logger.debug("Session %s: peer connection %s", self.session.sid, state)
        if state == "connected":
            self.connected.set()
        elif state in ("failed", "closed") and not self._closed.is_set():
            self._closed.set()
            why = Gone.LOST if self.connected.is_set() else Gone.NEVER_CONNECTED
            self._tasks.spawn(self._on_gone(self, why), "gone")

    def _take_track(self, track: MediaStreamTrack) -> None:
        clock = TrackClock(self.session.clock)
        if track.kind == "audio":
            self._tasks.spawn(drain(track, lambda f: self.session.put_audio(f, clock)), "audio")
        elif self._video is None:
            self._video = track
            self.session.begin(audio="m=audio" in self._offer.sdp)
            self._tasks.spawn(self._analyze(track, clock), "video")
        else:
            logger.info("Session %s: a second video track is not analyzed", self.session.sid)
            self._tasks.spawn(drain(track, discard), "second video")

    async def _analyze(self, track: MediaStreamTrack, clock: TrackClock) -> None:
        try:
            await drain(track, lambda f: self.session.put_frame(f, clock))
        except Exception:
            logger.exception("Session %s: its frames can not be taken", self.session.sid)
            self.session.tell({"type": "error", "code": 500, "message": "frames can not be taken"})
            self._tasks.spawn(drain(track, discard), "drain")
            await self.end("its frames could not be taken")
            return
        try:
            await asyncio.wait_for(self._closed.wait(), HANG_UP_FOLLOWS_WITHIN_S)
        except TimeoutError:
            await self.end("the video track ended")

    def _take_channel(self, channel: RTCDataChannel) -> None:
        if self._sink is not None and self._sink.is_open:
            channel.send(
                '{"type":"error","code":409,"message":"results already go to another data'
                ' channel of this connection"}'
            )
            return
        self._drop_sink()
        self._sink = DataChannelSink(
            channel, self.session, self._metrics, lambda: self.request_end("the client ended it")
        )
        self.session.add_sink(self._sink)

    def _drop_sink(self) -> None:
        if self._sink is not None:
            self.session.remove_sink(self._sink)

    # ---- the end

    def request_end(self, reason: str) -> None:
        """End the session without waiting for it."""
        self._tasks.spawn(self.end(reason), "end")

    async def end(self, reason: str) -> None:
        """End the session; the client has a moment to hang up before we do."""
        await self._end_session(self.session, reason)
        try:
            await asyncio.wait_for(self._closed.wait(), FAREWELL_S)
        except TimeoutError:
            await self._connection.close()

    async def flush(self) -> None:
        """Wait until what was sent has left, but not for long."""
        deadline = asyncio.get_running_loop().time() + FLUSH_WITHIN_S
        while self._sink and not self._sink.flushed:
            if asyncio.get_running_loop().time() > deadline:
                return
            await asyncio.sleep(0.01)

    async def close(self) -> None:
        """Hang up and wait until every task of this peer is done."""
        self._closed.set()
        self._drop_sink()
        await self._connection.close()
        await self._tasks.cancel()
        await decoders_ended()
