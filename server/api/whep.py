"""WHEP: watch by one HTTP request (draft-ietf-wish-whep), with trickled candidates and an end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass

from aiohttp import web

from server.broadcast.broadcast import Broadcast
from server.broadcast.peer import WatchPeer
from server.camera.source import CameraUnavailable
from server.config import Settings
from server.context import CAMERA, NO_CAMERA, SETTINGS
from server.safety.identity import IDENTITY
from server.tasks import Tasks
from signaling import ice, trickle
from signaling.errors import BadMessage, Busy, NotAllowed, NotFound, SignalingError
from signaling.sdp import check_offer_sdp

logger = logging.getLogger(__name__)

CAMERA_NAME = "camera"
SDP = "application/sdp"
RETRY_AFTER_S = 5
_USERNAME = re.compile(r"^a=ice-ufrag:(\S+)", re.MULTILINE)


class UnsupportedMediaType(SignalingError):
    """The body is of another kind."""

    code = 415


class PreconditionFailed(SignalingError):
    """The ETag is of another ICE session."""

    code = 412


class PreconditionRequired(SignalingError):
    """Without an ETag nobody knows which ICE session is meant."""

    code = 428


class CanNotRestart(SignalingError):
    """ICE can not be restarted here."""

    code = 422


@dataclass(frozen=True, slots=True)
class _Resource:
    """What a client that watches is known by."""

    peer: WatchPeer
    name: str
    owner: str | None
    etag: str
    username: str
    """The client's ICE user name."""


class Watching:
    """Everyone who watches.

    Parameters
    ----------
    broadcasts
        What there is to be seen, by name.
    max_viewers
        At once.
    """

    def __init__(self, broadcasts: dict[str, Broadcast], max_viewers: int) -> None:
        self.broadcasts = broadcasts
        self.max_viewers = max_viewers
        self.resources: dict[str, _Resource] = {}
        self._arriving = 0
        self._tasks = Tasks("viewers")

    @contextlib.contextmanager
    def place(self) -> Iterator[None]:
        """Keep a place for someone whose offer is being answered.

        Raises
        ------
        Busy
            There is none.
        """
        if len(self.resources) + self._arriving >= self.max_viewers:
            raise Busy(
                f"all {self.max_viewers} places of viewers are taken", retry_after_s=RETRY_AFTER_S
            )
        self._arriving += 1
        try:
            yield
        finally:
            self._arriving -= 1

    def forget(self, peer: WatchPeer) -> None:
        """Someone has left."""
        for sid, resource in list(self.resources.items()):
            if resource.peer is peer:
                del self.resources[sid]
        self._tasks.spawn(peer.close(), "close")

    async def close(self) -> None:
        """Hang up on all."""
        for broadcast in self.broadcasts.values():
            broadcast.close()
        peers = [resource.peer for resource in self.resources.values()]
        self.resources.clear()
        await asyncio.gather(*(peer.close() for peer in peers))
        await self._tasks.join()


WATCHING = web.AppKey("watching", Watching)


def set_up(app: web.Application, settings: Settings) -> None:
    """Have the camera watched, if there is one."""
    broadcasts = {CAMERA_NAME: Broadcast(app[CAMERA])} if CAMERA in app else {}
    app[WATCHING] = Watching(broadcasts, settings.max_viewers)
    app.on_shutdown.append(_close)


async def _close(app: web.Application) -> None:
    await app[WATCHING].close()


async def watch(request: web.Request) -> web.Response:
    """Answer an offer to watch."""
    watching, name = request.app[WATCHING], request.match_info["name"]
    broadcast = _broadcast(request, name)
    if request.content_type != SDP:
        raise UnsupportedMediaType(f"the body must be {SDP}")
    with watching.place():
        return await _answer(request, watching, broadcast, name)


async def _answer(
    request: web.Request, watching: Watching, broadcast: Broadcast, name: str
) -> web.Response:
    offer = await _read_text(request)
    check_offer_sdp(offer, play=True)
    settings = request.app[SETTINGS]
    peer = WatchPeer(broadcast, settings.ice_servers, watching.forget)
    try:
        answer = await peer.answer(offer)
    except CameraUnavailable as error:
        await peer.close()
        raise Busy(f"no camera: {error}", retry_after_s=RETRY_AFTER_S) from error
    except BaseException:
        await peer.close()
        raise
    sid, etag = secrets.token_urlsafe(16), f'"{secrets.token_urlsafe(8)}"'
    found = _USERNAME.search(offer)
    watching.resources[sid] = _Resource(
        peer, name, request[IDENTITY].subject, etag, found[1] if found else ""
    )
    headers = {
        "Location": f"/whep/{name}/{sid}",
        "ETag": etag,
        "Accept-Patch": trickle.CONTENT_TYPE,
    }
    response = web.Response(status=201, text=answer, content_type=SDP, headers=headers)
    _add_links(request, response)
    return response


async def options(request: web.Request) -> web.Response:
    """Which STUN and TURN servers to use, and what may be sent here."""
    _broadcast(request, request.match_info["name"])
    response = web.Response(status=204, headers={"Accept-Post": SDP, "Allow": "OPTIONS, POST"})
    _add_links(request, response)
    return response


async def patch(request: web.Request) -> web.Response:
    """Take candidates that came later."""
    resource = _own(request)
    if request.content_type != trickle.CONTENT_TYPE:
        raise UnsupportedMediaType(f"the body must be {trickle.CONTENT_TYPE}")
    etag = request.headers.get("If-Match")
    if etag is None:
        raise PreconditionRequired("send If-Match with the ETag of the answer")
    fragment = trickle.parse_fragment(await _read_text(request))
    if etag == "*" or (fragment.username and fragment.username != resource.username):
        raise CanNotRestart("ICE can not be restarted here: send a new offer")
    if etag != resource.etag:
        raise PreconditionFailed("the ETag is not that of the answer")
    try:
        for line, mid in fragment.candidates:
            if not ice.is_mdns_name(line.split()[4]):
                await resource.peer.add_candidate(line, mid)
    except ValueError as error:
        raise BadMessage("a candidate does not fit the answered offer") from error
    return web.Response(status=204, headers={"ETag": resource.etag})


async def leave(request: web.Request) -> web.Response:
    """Watch no longer."""
    resource = _own(request)
    request.app[WATCHING].forget(resource.peer)
    return web.Response(status=200)


async def _read_text(request: web.Request) -> str:
    """The body; what it says of its charset does not count (RFC 8866, section 5)."""
    try:
        return (await request.read()).decode()
    except UnicodeDecodeError:
        raise BadMessage("the body is not UTF-8") from None


def _broadcast(request: web.Request, name: str) -> Broadcast:
    broadcast = request.app[WATCHING].broadcasts.get(name)
    if broadcast is not None:
        return broadcast
    if name == CAMERA_NAME:
        raise Busy(f"no camera: {request.app[NO_CAMERA]}", retry_after_s=RETRY_AFTER_S)
    raise NotFound(f"nothing is published as {name!r}")


def _own(request: web.Request) -> _Resource:
    resource = request.app[WATCHING].resources.get(request.match_info["id"])
    if resource is None or resource.name != request.match_info["name"]:
        raise NotFound("nobody watches under this address: it has ended, or never was")
    if not request[IDENTITY].may_touch(resource.owner):
        raise NotAllowed("this belongs to another token: it takes one with the scope control")
    return resource


def _add_links(request: web.Request, response: web.Response) -> None:
    """Name STUN and TURN servers, as RFC 9725, section 4.6, has it."""
    settings = request.app[SETTINGS]
    for server in ice.client_ice_servers(
        settings.ice_servers,
        secret=settings.turn_secret.get_secret_value() or None,
        ttl_s=settings.turn_ttl,
        user=request.remote or "client",
        now=time.time(),
    ):
        for url in server["urls"]:
            link = f'<{url}>; rel="ice-server"'
            if server.get("username"):
                link += (
                    f'; username="{server["username"]}"; credential="{server["credential"]}"'
                    '; credential-type="password"'
                )
            response.headers.add("Link", link)
