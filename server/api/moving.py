"""What nodes ask each other of sessions that move (`server.sessions.moves`)."""

from __future__ import annotations

from dataclasses import asdict, replace

from aiohttp import web

from server.api.context import HISTORY, SESSIONS
from server.http.route import Route
from server.security.identity import IDENTITY
from server.sessions import handover
from server.sessions.moves import LABEL, LUGGAGE


async def _label(request: web.Request) -> web.Response:
    """Who a session is."""
    resume = (await request.json())["resume"]
    session = request.app[SESSIONS].to_move(resume, request[IDENTITY])
    kept = handover.kept_of(session, session.options)
    states = [str(state) for state in session.history]
    return web.json_response({"kept": asdict(kept), "states": states})


async def _luggage(request: web.Request) -> web.Response:
    """What is known of a session, which ends here."""
    resume = (await request.json())["resume"]
    sessions = request.app[SESSIONS]
    sid = sessions.to_move(resume, request[IDENTITY]).sid
    luggage = await sessions.hand_over(resume, request[IDENTITY])
    if HISTORY in request.app:
        luggage = replace(luggage, training=request.app[HISTORY].let_go(sid))
    return web.Response(body=luggage.write())


AMONG_NODES = (
    Route("POST", LABEL, _label, "Who moves", None),
    Route("POST", LUGGAGE, _luggage, "What moves along", None),
)
"""What nodes ask each other, and nobody else can."""
