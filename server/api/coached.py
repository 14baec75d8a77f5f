"""Whose sessions one may look at: one's own, and as a coach those of who share their trainings."""

from __future__ import annotations

from collections.abc import Sequence

from aiohttp import web

from server.api.athletes import KEYS, busy
from server.api.context import HISTORY
from server.history.errors import DatabaseAway
from server.history.history import Overloaded
from server.security.identity import IDENTITY, Scope
from server.sessions.manager import check_owner
from server.sessions.session import Session


async def visible(request: web.Request, sessions: Sequence[Session]) -> list[Session]:
    """Those of the sessions that who asks may look at.

    Raises
    ------
    Busy
        Whether somebody shares can not be told now.
    """
    by = request[IDENTITY]
    others = {s.owner for s in sessions if s.owner is not None and not by.may_touch(s.owner)}
    shared = await _sharing(request, others)
    return [s for s in sessions if by.may_touch(s.owner) or s.owner in shared]


async def check_visible(request: web.Request, session: Session) -> None:
    """Refuse to show what is somebody else's, and not shared.

    Raises
    ------
    NotAllowed
        It is.
    Busy
        As `visible`.
    """
    if not await visible(request, [session]):
        check_owner(session, request[IDENTITY])


async def _sharing(request: web.Request, owners: set[str]) -> set[str]:
    """Who of them shares with who asks."""
    by = request[IDENTITY]
    if not owners or HISTORY not in request.app or by.subject is None or not by.may(Scope.COACH):
        return set()
    history, keys = request.app[HISTORY], request.app[KEYS]
    try:
        found = await history.ask(
            history.reader.sharing, [keys.of(owner) for owner in owners], keys.of(by.subject)
        )
    except (DatabaseAway, Overloaded) as error:
        raise busy(error) from error
    return {keys.id_of(key) for key in found}
