"""One peer connection: the client's tracks into its session, the session's results back."""

from __future__ import annotations

import asyncio
import enum
import logging
import time
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass
from typing import Any

from analyzers.compact import Form
from server.broadcast.stream import VideoStream
from server.broadcast.viewer_track import Sending
from server.media.clock import TrackClock
from server.rtc import (
    MediaStreamTrack,
    RTCDataChannel,
    RTCPeerConnection,
    RTCRtpReceiver,
    add_candidate,
    answer_offer,
    decoders_ended,
    discard,
    drain,
    make_connection,
    on_too_large,
    refuse_track,
)
from server.sessions.data_channel import DataChannelSink
from server.sessions.metrics import Metrics
from server.sessions.pace import Pace
from server.sessions.session import Session
from server.sessions.state import SessionState
from server.tasks import Tasks
from signaling.ice import IceServer
from signaling.messages import IceCandidate, Offer

logger = logging.getLogger(__name__)

# A peer that has not connected by then never will.
CONNECT_WITHIN_S = 30.0
# A peer that hangs up ends its tracks first; this long after, it is clear whether it was only that.
HANG_UP_FOLLOWS_WITHIN_S = 0.5
# How long the last bytes may take to leave when the server shuts down.
FLUSH_WITHIN_S = 1.0


@dataclass(frozen=True, slots=True)
class Manners:
    """How peers are dealt with that do not say what they want.

    Attributes
    ----------
    results_per_second
        At most so many; 0 is one for each frame.
    farewell_s
        After the final result the client hangs up; if it has not after so long, we do.
    """

    results_per_second: float = 0.0
    farewell_s: float = 5.0


class DisconnectReason(enum.Enum):
    """Why a peer is no longer there."""

    NEVER_CONNECTED = "the peer never connected"
    LOST = "the peer went away"


class SessionPeer:
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
    plays
        What is sent back, if anything is.
    manners
        What is usual here.
    """

    def __init__(
        self,
        session: Session,
        offer: Offer,
        ice_servers: Iterable[IceServer],
        metrics: Metrics,
        end_session: Callable[[Session, str], Coroutine[Any, Any, None]],
        on_gone: Callable[[SessionPeer, DisconnectReason], Coroutine[Any, Any, None]],
        plays: VideoStream | None = None,
        manners: Manners | None = None,
    ) -> None:
        self.session = session
        self._offer = offer
        self._manners = manners or Manners()
        self.states: list[str] = ["new"]
        self.asked_s = time.monotonic()
        self._metrics = metrics
        self._end_session = end_session
        self._on_gone = on_gone
        self._tasks = Tasks(f"peer of session {session.sid}")
        self._video: MediaStreamTrack | None = None
        self._taken: set[str] = set()
        self._sink: DataChannelSink | None = None
        self._closed = asyncio.Event()
        self._has_connected = False
        self._expiry = asyncio.get_running_loop().call_later(CONNECT_WITHIN_S, self._note_lost)
        self._connection = self._connect(offer, ice_servers)
        self._sending = Sending(self._connection, offer.sdp, plays) if plays else None

    def _connect(self, offer: Offer, ice_servers: Iterable[IceServer]) -> RTCPeerConnection:
        connection = make_connection(ice_servers, offer.sdp)
        connection.on("track", self._take_track)
        connection.on("datachannel", self._take_channel)
        connection.on("connectionstatechange", self._note_state)
        return connection

    @property
    def is_connecting(self) -> bool:
        """Whether it was answered, and has not connected."""
        return not self._has_connected

    @property
    def ended(self) -> bool:
        """Whether its session is over."""
        return self.session.ending

    # ---- negotiation

    async def answer(self) -> str:
        """Take the offer, return the answer's SDP.

        Raises
        ------
        UnsupportedSdp
            The offer has no video that can be decoded, or none that we could send as asked.
        Busy
            No UDP port is left.
        CameraUnavailable
            There is nothing to see.
        """
        sdp = await answer_offer(self._connection, self._offer.sdp)
        if self._sending is not None:
            self._sending.begin(sdp)
        return sdp

    async def add_candidate(self, candidate: IceCandidate | None) -> None:
        """Add a remote candidate; None says that no more come."""
        await add_candidate(self._connection, candidate)

    # ---- what the connection does

    def _note_state(self) -> None:
        state = self._connection.connectionState
        self.states.append(state)
        logger.debug("Session %s: peer connection %s", self.session.sid, state)
        if state == "connected":
            self._has_connected = True
            self._expiry.cancel()
        elif state in ("failed", "closed"):
            self._note_lost()

    def _note_lost(self) -> None:
        if not self._closed.is_set():
            self._closed.set()
            reason = DisconnectReason
            why = reason.LOST if self._has_connected else reason.NEVER_CONNECTED
            self._tasks.spawn(self._on_gone(self, why), "gone")

    def _take_track(self, track: MediaStreamTrack) -> None:
        if track.kind in self._taken:
            logger.info("Session %s: a second %s track is not taken", self.session.sid, track.kind)
            refuse_track(self._connection, track)
            return
        self._taken.add(track.kind)
        if track.kind == "audio":
            clock = TrackClock(self.session.clock)
            self._tasks.spawn(
                drain(track, lambda f: self.session.intake.put_audio(f, clock)), "audio"
            )
            return
        self._video = track
        receiver = self._receiver_of(track)
        on_too_large(receiver, self._refuse_pictures)
        self.session.incoming.take_from(receiver)
        self.session.intake.on_pace = self._tell_pace
        self.session.begin(audio="m=audio" in self._offer.sdp)
        self._tasks.spawn(self._end_with(track), "video")

    def _tell_pace(self, pace: Pace) -> None:
        most = pace.max_fps
        if self._offer.pace:
            if self._sink is not None:
                self._sink.notice({"type": "pace", "max_fps": most})
            return
        self.session.incoming.limit_bitrate(None if most is None else most / pace.full_fps)

    def _refuse_pictures(self, why: str) -> None:
        self.session.subscribers.notify({"type": "error", "code": 413, "message": why})

    def _receiver_of(self, track: MediaStreamTrack) -> RTCRtpReceiver:
        return next(r for r in self._connection.getReceivers() if r.track is track)

    async def _end_with(self, track: MediaStreamTrack) -> None:
        # Its frames go to the session as they come; a track that ends is found out by reading it.
        await drain(track, discard)
        try:
            await asyncio.wait_for(self._closed.wait(), HANG_UP_FOLLOWS_WITHIN_S)
        except TimeoutError:
            await self.end("the video track ended")

    def _take_channel(self, channel: RTCDataChannel) -> None:
        if self._sink is not None and self._sink.is_open:
            if not self._sink.take(channel):
                channel.send(
                    '{"type":"error","code":409,"message":"results already go to another data'
                    ' channel of this connection"}'
                )
            return
        self._drop_sink()
        self._sink = DataChannelSink(
            self.session,
            self._metrics,
            lambda: self.request_end("the client ended it"),
            Form(self._offer.results or Form.JSON),
            self._manners.results_per_second,
        )
        self._sink.take(channel)
        self.session.subscribers.add_channel(self._sink)

    def _drop_sink(self) -> None:
        if self._sink is not None:
            self.session.subscribers.remove_sink(self._sink)

    # ---- the end

    def request_end(self, reason: str) -> None:
        """End the session without waiting for it."""
        self._tasks.spawn(self.end(reason), "end")

    async def end(self, reason: str) -> None:
        """End the session; the client has a moment to hang up before we do."""
        await self._end_session(self.session, reason)
        try:
            await asyncio.wait_for(self._closed.wait(), self._manners.farewell_s)
        except TimeoutError:
            await self._connection.close()

    def hang_up(self) -> None:
        """Do not wait any longer for the client to do it."""
        self._tasks.spawn(self._connection.close(), "hang up")

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
        self._expiry.cancel()
        self._drop_sink()
        if self._video is not None:
            self.session.incoming.release(self._receiver_of(self._video))
        if self._sending is not None:
            self._sending.close()
        await self._connection.close()
        await self._tasks.cancel()
        await decoders_ended()


def hang_up_on_oldest(peers: Iterable[SessionPeer], keep: int) -> None:
    """Let only so many peers stay whose session is over."""
    over = [peer for peer in peers if peer.session.state is SessionState.ENDED]
    for peer in over[: max(len(over) - keep, 0)]:
        peer.hang_up()
