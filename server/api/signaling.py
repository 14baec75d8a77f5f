"""The doors through which offers come: WebSocket and ``POST /offer``."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections import deque

from aiohttp import WSCloseCode, WSMsgType, web
from aiortc import InvalidStateError

from server.context import SESSIONS, SETTINGS, SOCKETS
from server.media.peer import Peer
from server.sessions import Opened
from signaling import http, ice
from signaling.errors import BadMessage, SignalingError
from signaling.protocol import AddCandidate, Effect, EndCandidates, Negotiate, Send, Signaling

logger = logging.getLogger(__name__)

# Longer messages close the connection (1009). The protocol itself refuses from 1 MiB on, and says
# so, which is kinder.
MAX_MESSAGE_BYTES = 8 * 1024 * 1024
# A browser tab that was closed without a word is noticed after this.
HEARTBEAT_S = 15.0


async def websocket(request: web.Request) -> web.WebSocketResponse:
    """Negotiate over a WebSocket. Closing it does not end the session."""
    socket = web.WebSocketResponse(heartbeat=HEARTBEAT_S, max_msg_size=MAX_MESSAGE_BYTES)
    await socket.prepare(request)
    conversation = _Conversation(request, socket)
    request.app[SOCKETS].add(socket)
    try:
        async for message in socket:
            if message.type in (WSMsgType.TEXT, WSMsgType.BINARY):
                await conversation.receive(message.data)
    finally:
        request.app[SOCKETS].discard(socket)
    return socket


async def close_sockets(app: web.Application) -> None:
    """Say goodbye to the clients that are still connected when the server stops."""
    sockets: set[web.WebSocketResponse] = app[SOCKETS]
    await asyncio.gather(*(s.close(code=WSCloseCode.GOING_AWAY) for s in list(sockets)))


class _Conversation:
    """One client's negotiation: feeds the protocol and carries out what it asks for."""

    def __init__(self, request: web.Request, socket: web.WebSocketResponse) -> None:
        self._sessions = request.app[SESSIONS]
        self._socket = socket
        self._peer: Peer | None = None
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
                with contextlib.suppress(ConnectionResetError):
                    if not self._socket.closed:
                        await self._socket.send_str(text)
                return []
            case Negotiate(offer):
                opened = await self._sessions.open(offer)
                self._peer = opened.peer
                return self._protocol.answered(opened.sdp, opened.info)
            case AddCandidate() | EndCandidates():
                await self._add_candidate(effect)
                return []

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
        opened: Opened = await request.app[SESSIONS].open(http.parse_body(await request.read()))
    except SignalingError as error:
        status, headers, body = http.error_body(error)
        return web.json_response(body, status=status, headers=headers)
    return web.json_response(http.answer_body(opened.sdp, opened.info))
