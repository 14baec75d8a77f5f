"""``/athletes``: the trainings that are kept, for whose they are and whom they share them with."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from aiohttp import web

from server.api.context import HISTORY, HISTORY_BUDGET
from server.api.json_body import read_message
from server.api.models_history import Share
from server.history.errors import DatabaseAway
from server.history.history import History, Overloaded
from server.history.keys import Keys
from server.security.identity import IDENTITY, Identity, Scope
from signaling.errors import BadMessage, Busy, NotAllowed, NotFound, TooMany, quote

if TYPE_CHECKING:
    from server.history.reading import Reader

KEYS = web.AppKey("history keys", Keys)
RETRY_AFTER_S = 10
MOST_CHARS = 128
_PAGE, _LARGEST_PAGE = 50, 100


def busy(error: Exception) -> Busy:
    """What a client is told when the database does not answer."""
    if isinstance(error, Overloaded):
        return Busy("too many ask for trainings just now: try again", retry_after_s=RETRY_AFTER_S)
    text = "the database of trainings does not answer just now; new ones are kept in memory until"
    return Busy(f"{text} it does: try again in a moment", retry_after_s=RETRY_AFTER_S)


async def history_of(request: web.Request) -> History:
    """The history, if there is one; counts who asks.

    Raises
    ------
    NotFound
        There is none.
    TooMany
        They ask too often.
    """
    if HISTORY not in request.app:
        raise NotFound("this server keeps no trainings: it is started with --database default")
    await request.app[HISTORY_BUDGET].charge(request[IDENTITY].client)
    return request.app[HISTORY]


def whom(request: web.Request) -> str:
    """The key of who is asked for.

    Raises
    ------
    BadMessage
        It is nobody's.
    """
    return request.app[KEYS].of(_id(request.match_info["id"]))


def _id(asked: str) -> str:
    if not 0 < len(asked) <= MOST_CHARS or not asked.isprintable():
        raise BadMessage(f"an athlete's id has 1 to {MOST_CHARS} printable characters")
    return asked


def is_own(request: web.Request, key: str) -> bool:
    """Whether who asks may do all with it: they themselves, and control."""
    by = request[IDENTITY]
    return by.may(Scope.CONTROL) or (by.subject is not None and _own_key(request, by) == key)


def check_own(request: web.Request, key: str) -> None:
    """Refuse what only they themselves may do, and control.

    Raises
    ------
    NotAllowed
        It is somebody else.
    """
    if not is_own(request, key):
        raise _not_theirs(request)


async def check_readable(request: web.Request, history: History, key: str) -> None:
    """Refuse to show what is not shared; whether there is anything is not told.

    Raises
    ------
    NotAllowed
        It is not.
    """
    by = request[IDENTITY]
    if is_own(request, key):
        return
    is_coach = by.may(Scope.COACH) and by.subject is not None
    if not is_coach or not await history.ask(history.reader.sharing, [key], _own_key(request, by)):
        raise _not_theirs(request)


def _not_theirs(request: web.Request) -> NotAllowed:
    return NotAllowed(
        f"trainings of {quote(request.match_info['id'])} are not yours to see: they, a coach they"
        " share with, or a token with the scope control may"
    )


def _own_key(request: web.Request, by: Identity) -> str:
    return request.app[KEYS].of(by.subject or "")


async def list_athletes(request: web.Request) -> web.Response:
    """Whose trainings who asks may see, in the order of their ids."""
    history, keys, by = await history_of(request), request.app[KEYS], request[IDENTITY]
    limit = _limit(request)
    after = request.query.get("after")
    begin = keys.prefix if after is None else keys.of(_id(after))
    sees_all = by.may(Scope.CONTROL)
    try:
        found = await history.ask(
            history.reader.athletes,
            *(keys.prefix, None if sees_all else _own_key(request, by), begin, limit + 1),
            shared=by.may(Scope.COACH),
        )
    except (DatabaseAway, Overloaded) as error:
        raise busy(error) from error
    told = [
        {
            **{name: each[name] for name in ("name", "trainings", "last_at")},
            "id": keys.id_of(each["key"]),
            "own": by.subject is not None and each["key"] == _own_key(request, by),
        }
        for each in found
    ]
    following = told[limit - 1]["id"] if len(told) > limit else None
    return web.json_response({"subject": by.subject, "athletes": told[:limit], "next": following})


async def list_trainings(request: web.Request) -> web.Response:
    """Somebody's trainings, the newest first."""
    history, key = await history_of(request), whom(request)
    before = request.query.get("before")
    if before is not None and not (before.isascii() and before.isdigit() and len(before) < 10):
        raise BadMessage("before: give the `next` of the page before")
    limit = _limit(request)
    try:
        await check_readable(request, history, key)
        told = await _shares(request, history, key) if is_own(request, key) else {}
        text = await history.ask(
            _trainings, history.reader, key, int(before) if before else None, limit, told
        )
    except (DatabaseAway, Overloaded) as error:
        raise busy(error) from error
    return web.json_response(text=text)


def _trainings(
    reader: Reader, key: str, before: int | None, limit: int, told: dict[str, list[str]]
) -> str:
    """A page of them as JSON; on a thread, since a hundred long ones take their time."""
    found, following = reader.trainings(key, before, limit)
    return json.dumps({"trainings": found, "next": following, **told})


async def share(request: web.Request) -> web.Response:
    """Let a coach see one's trainings."""
    history, key = await history_of(request), whom(request)
    check_own(request, key)
    if not request.app[KEYS].by_subject:
        raise BadMessage("nobody is told apart here: sharing needs tokens (--auth-secret)")
    wish = await read_message(request, Share)
    try:
        if not await history.share(key, request.app[KEYS].of(wish.coach)):
            raise TooMany(
                "shared with so many already: take one back first", retry_after_s=RETRY_AFTER_S
            )
        return web.json_response(await _shares(request, history, key))
    except (DatabaseAway, Overloaded) as error:
        raise busy(error) from error


async def unshare(request: web.Request) -> web.Response:
    """Let them see these no longer."""
    history, key = await history_of(request), whom(request)
    check_own(request, key)
    try:
        await history.unshare(key, request.app[KEYS].of(_id(request.match_info["coach"])))
        return web.json_response(await _shares(request, history, key))
    except (DatabaseAway, Overloaded) as error:
        raise busy(error) from error


async def _shares(request: web.Request, history: History, key: str) -> dict[str, list[str]]:
    keys = request.app[KEYS]
    shared = await history.ask(history.reader.shares, key) or []
    return {"shared_with": [keys.id_of(each) for each in shared]}


async def delete(request: web.Request) -> web.Response:
    """Delete everything of one person."""
    history, key = await history_of(request), whom(request)
    check_own(request, key)
    try:
        deleted = await history.forget(key)
    except (DatabaseAway, Overloaded) as error:
        raise busy(error) from error
    return web.json_response({"trainings": deleted.trainings, "wiped": deleted.is_wiped})


def _limit(request: web.Request) -> int:
    asked = request.query.get("limit", str(_PAGE))
    if not (asked.isascii() and asked.isdigit() and 1 <= len(asked) <= 3 and int(asked) >= 1):
        raise BadMessage(f"limit: give a number, 1 to {_LARGEST_PAGE}")
    return min(int(asked), _LARGEST_PAGE)
