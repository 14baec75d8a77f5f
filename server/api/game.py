"""The game around the pose API: ``WS /ws/control`` picks poses, ``WS /ws/test`` echoes."""

from __future__ import annotations

import random
import time
from typing import Any

import orjson
from aiohttp import web

from server.api.bounded_socket import BoundedSocket
from server.security.identity import IDENTITY
from server.security.token_bucket import TokenBucket
from signaling.errors import SignalingError
from signaling.json_text import parse_json

POSES = ("Arms Down", "Y-Pose", "T-Pose", "OMG")
# Each goes to all players. Rounds take seconds.
PICKS_PER_S = 10.0
MAX_MESSAGE_BYTES = 4096

PLAYERS = web.AppKey("players", dict[BoundedSocket, str | None])
"""With the subject that each plays as."""
PICKS = web.AppKey("picks", dict[str | None, TokenBucket])
"""By subject, as long as somebody plays as it: nobody uses up what others get."""


def set_up(app: web.Application) -> None:
    """Nobody plays."""
    app[PLAYERS] = {}
    app[PICKS] = {}


async def control(request: web.Request) -> web.WebSocketResponse:
    """Pick a pose for all players of a subject whenever one of them asks for the next."""
    players = request.app[PLAYERS]
    async with BoundedSocket.open(request, max_message_bytes=MAX_MESSAGE_BYTES) as socket:
        # They wait through each other's rounds.
        socket.may_idle = lambda: True
        players[socket] = subject = request[IDENTITY].subject
        picks = request.app[PICKS]
        picks.setdefault(subject, TokenBucket(PICKS_PER_S))
        try:
            async for message in socket:
                # What is no text is none of the game's.
                if isinstance(message, str):
                    _play(request.app, socket, message)
        finally:
            del players[socket]
            if subject not in players.values():
                del picks[subject]
    return socket.response


def _play(app: web.Application, player: BoundedSocket, text: str) -> None:
    try:
        message = parse_json(text)
    except SignalingError:
        _say(player, {"error": "invalid_json"})
        return
    if not isinstance(message, dict) or message.get("type") != "next":
        _say(player, {"type": "error", "detail": "unknown_type"})
    elif not app[PICKS][app[PLAYERS][player]].allow(time.monotonic()):
        _say(player, {"type": "error", "detail": f"more than {PICKS_PER_S:g} poses a second"})
    else:
        picked = {"type": "pose", "pose": random.choice(POSES)}
        players = app[PLAYERS]
        for each, subject in players.items():
            if subject == players[player]:
                _say(each, picked)


async def echo(request: web.Request) -> web.WebSocketResponse:
    """Acknowledge each text, for a client that tries its connection."""
    async with BoundedSocket.open(request, max_message_bytes=MAX_MESSAGE_BYTES) as socket:
        async for message in socket:
            if isinstance(message, str):
                _say(socket, {"type": "ack", "received": message})
    return socket.response


def _say(socket: BoundedSocket, message: dict[str, Any]) -> None:
    socket.offer(orjson.dumps(message))
