"""The doors through which offers come: WebSocket and ``POST /offer``."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque

from aiohttp import WSCloseCode, web

from server.api.bounded_socket import BoundedSocket
from server.api.context import SETTINGS, SOCKETS
from server.api.json_body import MAX_OFFER_BYTES, read_body
from server.api.offers import open_offer
from server.api.relay import RemotePeer
from server.rtc import InvalidStateError
from server.security.identity import IDENTITY
from server.sessions.peer import SessionPeer
from server.tasks import Tasks
from server.watching.viewer_peer import ViewerPeer
from signaling import http, ice
from signaling.errors import BadMessage, NotFound, SignalingError
from signaling.protocol import AddCandidate, Effect, EndCandidates, Negotiate, Send, Signaling

logger = logging.getLogger(__name__)


async def websocket(request: web.Request) -> web.WebSocketResponse:
    """Negotiate over a WebSocket. Closing it does not end the session."""
    async with BoundedSocket.open(request, max_message_bytes=MAX_OFFER_BYTES) as socket:
        conversation = _Conversation(request, socket)
        socket.may_idle = conversation.goes_on
        try:
            async for message in socket:
                await conversation.receive(message)
        finally:
            await conversation.close()
    return socket.response


async def close_sockets(app: web.Application) -> None:
    """Say goodbye to the clients that are still connected when the server stops."""
    sockets: set[web.WebSocketResponse] = app[SOCKETS]
    await asyncio.gather(*(s.close(code=WSCloseCode.GOING_AWAY) for s in list(sockets)))


class _Conversation:
    """One client's negotiation: feeds the protocol and carries out what it asks for."""

    def __init__(self, request: web.Request, socket: BoundedSocket) -> None:
        self._app = request.app
        self._identity = request[IDENTITY]
        self._socket = socket
        self._peer: SessionPeer | ViewerPeer | RemotePeer | None = None
        self._tasks = Tasks("conversation")
        settings = request.app[SETTINGS]
        self._protocol = Signaling(
            ice_servers=lambda: ice.client_ice_servers(
                settings.ice_servers,
                secret=settings.turn_secret.get_secret_value() or None,
                ttl_s=settings.turn_ttl,
                user=request.remote or "client",
                now=time.time(),
            )
        )

    def goes_on(self) -> bool:
        """Whether what it opened lives, which it may offer to continue at any time."""
        return self._peer is not None and not self._peer.ended

    async def close(self) -> None:
        """Let go of a peer that another node has; its session goes on."""
        await self._tasks.cancel()
        if isinstance(self._peer, RemotePeer):
            await self._peer.close()

    async def receive(self, message: str | bytes) -> None:
        """Carry out all that one message leads to."""
        effects = deque(self._protocol.receive(message))
        while effects:
            try:
                effects.extendleft(reversed(await self._carry_out(effects.popleft())))
            except Exception as error:
                # What was to follow, an acknowledgement say, no longer holds.
                effects = deque(self._failed(error))

    async def _carry_out(self, effect: Effect) -> list[Effect]:
        match effect:
            case Send(text):
                # The client may have hung up already; its session does not depend on this socket.
                await self._socket.send(text)
                return []
            case Negotiate(offer):
                answered = await open_offer(self._app, offer, self._identity)
                await self.close()
                self._peer = answered.peer
                if isinstance(answered.peer, RemotePeer):
                    self._tasks.spawn(self._hang_up_after(answered.peer), "hang up")
                elif isinstance(answered.peer, ViewerPeer):
                    self._tasks.spawn(self._tell_why_over(answered.peer), "why over")
                return self._protocol.answered(answered.sdp, answered.info)
            case AddCandidate() | EndCandidates():
                await self._add_candidate(effect)
                return []

    async def _tell_why_over(self, peer: ViewerPeer) -> None:
        """Say why there is nothing more to see, where there is something to say."""
        await peer.over.wait()
        if peer.why_ended:
            for effect in self._protocol.failed(NotFound(peer.why_ended)):
                await self._carry_out(effect)

    async def _hang_up_after(self, peer: RemotePeer) -> None:
        """Pass on what its node says, and close the socket when that dies, as this one's would."""
        async for text in peer.says():
            await self._socket.send(text)
        await self._socket.close(WSCloseCode.GOING_AWAY, "the server starts again")

    async def _add_candidate(self, effect: AddCandidate | EndCandidates) -> None:
        assert self._peer is not None
        candidate = effect.candidate if isinstance(effect, AddCandidate) else None
        try:
            await self._peer.add_candidate(candidate)
        except (ValueError, InvalidStateError) as error:
            raise BadMessage("the candidate does not fit the answered offer") from error

    def _failed(self, error: Exception) -> list[Effect]:
        if not isinstance(error, SignalingError):
            logger.error("Negotiation failed", exc_info=error)
        return self._protocol.failed(error)


async def offer(request: web.Request) -> web.Response:
    """Answer one offer over HTTP."""
    try:
        offered = http.parse_body(await read_body(request))
        answered = await open_offer(request.app, offered, request[IDENTITY])
    except SignalingError as error:
        status, headers, body = http.error_body(error)
        return web.json_response(body, status=status, headers=headers)
    response = web.json_response(http.answer_body(answered.sdp, answered.info))
    if isinstance(answered.peer, RemotePeer):
        try:
            # Nobody is to wait for the nodes' goodbyes.
            await response.prepare(request)
            await response.write_eof()
        finally:
            # A client that has gone leaves no socket between nodes behind.
            await answered.peer.close()
    return response
