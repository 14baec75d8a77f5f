"""What WHIP and WHEP have in common: an offer for an answer, and a resource for what follows it.

RFC 9725 (WHIP) and draft-ietf-wish-whep.
"""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from aiohttp import web

from server.api.context import SETTINGS
from server.api.json_body import read_body
from server.rtc import InvalidStateError
from server.security.identity import IDENTITY
from signaling import ice, trickle
from signaling.errors import (
    BadMessage,
    NotAllowed,
    NotFound,
    PreconditionFailed,
    PreconditionRequired,
    TooLarge,
    Unprocessable,
    UnsupportedMediaType,
)
from signaling.messages import IceCandidate
from signaling.sdp import MAX_SDP_CHARS

SDP = "application/sdp"
_USERNAME = re.compile(r"^a=ice-ufrag:(\S+)", re.MULTILINE)


class AnsweredPeer(Protocol):
    """A peer connection that was answered."""

    @property
    def ended(self) -> bool:
        """Whether it is over."""

    @property
    def why_ended(self) -> str:
        """Why, where there is something to say."""

    async def add_candidate(self, candidate: IceCandidate | None) -> None: ...


@dataclass(slots=True)
class _Resource:
    """What a client is known by."""

    peer: AnsweredPeer
    path: str
    owner: str | None
    etag: str
    username: str
    """The client's ICE user name."""
    end: Callable[[], None]
    candidates: int = 0
    """How many came later."""


class SdpResources:
    """The clients that were answered by one protocol.

    Parameters
    ----------
    what
        What such a client does, for messages: "watches".
    tag
        Begins each resource's name, where several nodes are one server.
    """

    def __init__(self, what: str, tag: str = "") -> None:
        self._what = what
        self._tag = tag
        self._resources: dict[str, _Resource] = {}

    def create(
        self,
        request: web.Request,
        offer: str,
        answer: str,
        peer: AnsweredPeer,
        end: Callable[[], None],
    ) -> web.Response:
        """The response to an offer that was answered.

        Parameters
        ----------
        request
            Brought the offer; the resource lies below its path.
        offer, answer
            SDP.
        peer
            Takes candidates that come later.
        end
            Ends it, when the client deletes the resource.
        """
        self._forget_ended()
        sid, etag = self._tag + secrets.token_urlsafe(16), f'"{secrets.token_urlsafe(8)}"'
        found = _USERNAME.search(offer)
        path = f"{request.path.rstrip('/')}/{sid}"
        self._resources[sid] = _Resource(
            peer, path, request[IDENTITY].subject, etag, found[1] if found else "", end
        )
        headers = {"Location": path, "ETag": etag, "Accept-Patch": trickle.CONTENT_TYPE}
        response = web.Response(status=201, text=answer, content_type=SDP, headers=headers)
        _add_ice_links(request, response)
        return response

    async def patch(self, request: web.Request) -> web.Response:
        """Take candidates that came later."""
        resource = self._own(request)
        if request.content_type != trickle.CONTENT_TYPE:
            raise UnsupportedMediaType(f"the body must be {trickle.CONTENT_TYPE}")
        etag = request.headers.get("If-Match")
        if etag is None:
            raise PreconditionRequired("send If-Match with the ETag of the answer")
        fragment = trickle.parse_fragment(await _read_text(request))
        if etag == "*" or (fragment.username and fragment.username != resource.username):
            raise Unprocessable("ICE can not be restarted here: send a new offer")
        if etag != resource.etag:
            raise PreconditionFailed("the ETag is not that of the answer")
        # Each is paired with ours, sorted, and sent checks to: thousands hold up the event loop.
        resource.candidates += len(fragment.candidates)
        if resource.candidates > ice.MAX_CANDIDATES:
            raise BadMessage(
                f"too many candidates: the limit is {ice.MAX_CANDIDATES} for one offer"
            )
        try:
            for line, mid in fragment.candidates:
                await resource.peer.add_candidate(
                    IceCandidate(candidate=line, sdpMid=mid, sdpMLineIndex=0)
                )
        except (ValueError, InvalidStateError) as error:
            raise BadMessage("a candidate does not fit the answered offer") from error
        return web.Response(status=204, headers={"ETag": resource.etag})

    async def delete(self, request: web.Request) -> web.Response:
        """End it."""
        resource = self._own(request)
        del self._resources[request.match_info["id"]]
        resource.end()
        return web.Response(status=200)

    def _own(self, request: web.Request) -> _Resource:
        resource = self._resources.get(request.match_info["id"])
        if resource is not None and resource.path == request.path and resource.peer.why_ended:
            raise NotFound(f"nobody {self._what} under this address: {resource.peer.why_ended}")
        if resource is None or resource.path != request.path or resource.peer.ended:
            raise NotFound(f"nobody {self._what} under this address: it has ended, or never was")
        if not request[IDENTITY].may_touch(resource.owner):
            raise NotAllowed("this belongs to another token: it takes one with the scope control")
        return resource

    def _forget_ended(self) -> None:
        for sid in [sid for sid, known in self._resources.items() if known.peer.ended]:
            del self._resources[sid]


async def read_offer(request: web.Request) -> str:
    """The SDP that a client has sent; what it says of its charset does not count (RFC 8866)."""
    if request.content_type != SDP:
        raise UnsupportedMediaType(f"the body must be {SDP}")
    text = await _read_text(request)
    if len(text) > MAX_SDP_CHARS:
        raise TooLarge(f"the offer is longer than {MAX_SDP_CHARS} characters")
    return text


def describe(request: web.Request) -> web.Response:
    """Which STUN and TURN servers to use, and what may be sent here."""
    response = web.Response(status=204, headers={"Accept-Post": SDP, "Allow": "OPTIONS, POST"})
    _add_ice_links(request, response)
    return response


async def _read_text(request: web.Request) -> str:
    try:
        return (await read_body(request)).decode()
    except UnicodeDecodeError:
        raise BadMessage("the body is not UTF-8") from None


def _add_ice_links(request: web.Request, response: web.Response) -> None:
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
