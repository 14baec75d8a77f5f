"""Which node answers a request, where several are one server (`server.cluster`).

Most requests are answered where they arrive. Those that are about something which one node has go
there, as they are: the guards have let them in here, and the node is told who asks. An offer goes
to the node that will have its media, which makes the answer, so that media goes straight there.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from typing import Any, TypeVar

import aiohttp
import orjson
from aiohttp import hdrs, web

from server.api.context import CLUSTER
from server.api.json_body import READ_BODY, read_body
from server.api.merged import MERGED, merge
from server.api.sdp_resources import SDP
from server.cluster.link import (
    IDENTITY_HEADER,
    Link,
    Refused,
    read_identity,
    refusal,
    starting_again,
)
from server.cluster.member import Member
from server.cluster.node import number_of
from server.http.route import Handler
from server.security.identity import IDENTITY, Identity
from server.tasks import Tasks
from server.watching.elsewhere import node_with
from server.watching.names import ANNOTATED, FIRST
from signaling.errors import Busy, Conflict, NotFound, SignalingError, quote
from signaling.messages import (
    Answer,
    IceCandidate,
    Offer,
    SessionInfo,
    check_published_name,
)
from signaling.sdp import sends_video

OF_THE_FIRST = ("/camera", "/frame", "/stream.mjpg", "/record/", "/lookouts")
# STUN may take it five seconds; one that stands still takes for ever.
ANSWER_WITHIN_S = 6.0
# No room there: for anybody, or for whoever asks.
_FULL = (503, 429)
_NO_ROOM = (503,)
_NOT_THERE = (404, 503)

Local = Callable[[], Awaitable[Any]]
T = TypeVar("T")


@web.middleware
async def relay(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Have the node answer that a request is for."""
    member = request.app[CLUSTER]
    if request.match_info.http_exception is not None:
        # There is nothing there, at any node, and nobody has asked who this is (`check_access`).
        return await handler(request)
    if request.headers.get(hdrs.UPGRADE, "").lower() == "websocket":
        # What it says goes elsewhere, if need be, and not the socket.
        return await handler(request)
    number = await _node_of(request, member)
    if number is not None and number != member.node.number:
        return await _link(member, number).forward(request, request[IDENTITY])
    if request.method == "POST" and request.path.startswith(("/whip/", "/whep/")):
        return await _place(request, handler, member)
    try:
        response = await handler(request)
    except NotFound as nowhere:
        # Each machine has its own disk.
        if not (member.node.spans_machines and request.path.startswith("/recordings/")):
            raise
        return await _at_another_machine(request, member, nowhere)
    member.report()
    if request.method == "GET" and request.path in MERGED and isinstance(response, web.Response):
        await merge(response, request.path, member, request[IDENTITY])
    return response


@web.middleware
async def trust_node(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Take a door's word for who asks; nobody else can reach the socket."""
    request[IDENTITY] = read_identity(request.headers[IDENTITY_HEADER])
    return await handler(request)


async def open_at_node(member: Member, offer: Offer, by: Identity, here: Local) -> Any:
    """Have an offer answered by the node that will have its media.

    Parameters
    ----------
    here
        Answers it on this one.

    Returns
    -------
    What `here` returns, or the answer of another node with its `RemotePeer`.

    Raises
    ------
    SignalingError
        As the node says; Conflict if the name to publish under is another's, Busy if no node takes
        it.
    """

    async def there(number: int) -> Any:
        return await open_remotely(member, number, offer, by)

    keeps = _only_watches(offer) or _takes_name_along(member, offer)
    publish = None if keeps else offer.publish
    return await _first_that_takes(
        *(member, _nodes_for(member, offer), publish, _FULL, here, there),
        may_be_elsewhere=member.of_token(offer.resume) is None,
    )


async def open_remotely(
    member: Member, number: int, offer: Offer, by: Identity
) -> tuple[RemotePeer, str, SessionInfo | None]:
    """Have another node answer an offer."""
    link, socket = _link(member, number), None
    try:
        async with asyncio.timeout(ANSWER_WITHIN_S):
            # Whoever stands still does not even accept.
            socket = await link.open_socket("/signaling", by)
            # Not longer than it came: json would write six characters for one that is not ASCII.
            await socket.send_str(
                orjson.dumps({"type": "offer", "data": offer.model_dump()}).decode()
            )
            told = await socket.receive_json()
        data = told["data"]
        if told["type"] != "answer":
            raise refusal(data["code"], data["message"])
        answer = Answer.model_validate(data)
    except BaseException as error:
        if socket is not None:
            await socket.close()
        if isinstance(error, TypeError | ConnectionError | TimeoutError):
            # It has closed the socket: what came is no text.
            raise starting_again() from error
        raise
    return RemotePeer(socket), answer.sdp, answer.session


class RemotePeer:
    """A peer whose media another node has.

    Parameters
    ----------
    socket
        The signaling that opened it, at that node.
    """

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._tasks = Tasks("remote peer")
        self._said: asyncio.Queue[str | None] = asyncio.Queue()
        self._reading = self._tasks.spawn(self._read(), "read")

    @property
    def ended(self) -> bool:
        """Whether its node has nothing more to say of it, or is gone."""
        return self._reading.done()

    async def add_candidate(self, candidate: IceCandidate | None) -> None:
        """Pass on a candidate; None says that no more come."""
        with contextlib.suppress(ConnectionError):
            data = candidate.model_dump() if candidate is not None else {}
            await self._socket.send_json({"type": "ice-candidate", "data": data})

    async def says(self) -> AsyncIterator[str]:
        """What its node says of it, until that ends the conversation or dies."""
        while (text := await self._said.get()) is not None:
            yield text

    async def close(self) -> None:
        """Let go of it; its session goes on."""
        await self._tasks.cancel()
        await self._socket.close()

    async def _read(self) -> None:
        try:
            async for message in self._socket:
                self._said.put_nowait(message.data)
        finally:
            self._said.put_nowait(None)


async def link_to(app: web.Application, name: str) -> Link | None:
    """The way to what is to be watched by a name; None if it is here, or nowhere."""
    if CLUSTER not in app:
        return None
    member = app[CLUSTER]
    number = await node_with(member, name.removesuffix(ANNOTATED))
    return None if number in (None, member.node.number) else _link(member, number)


# ---- where to


async def _node_of(request: web.Request, member: Member) -> int | None:
    """The node that has what a request is about; None where any can answer, or nobody can."""
    path = request.path
    if path.startswith(OF_THE_FIRST) or (path == "/sessions" and request.method == "POST"):
        return FIRST
    match request.match_info:
        case {"id": identifier} if path.startswith("/sessions/"):
            return member.of_session(identifier)
        case {"id": identifier} if path.startswith(("/whip/", "/whep/")):
            return number_of(identifier)
        case {"name": name} if path.startswith("/recordings/"):
            return member.recording_at(name)
    return None


async def _at_another_machine(
    request: web.Request, member: Member, nowhere: NotFound
) -> web.StreamResponse:
    """Have the node answer that has something which is not on this machine's disk.

    Raises
    ------
    NotFound
        None has it.
    """
    for link in member.others:
        with contextlib.suppress(Refused, Busy):
            return await link.forward(request, request[IDENTITY], b"", raise_for=_NOT_THERE)
    raise nowhere


def _nodes_for(member: Member, offer: Offer) -> list[int]:
    """The node that an offer is for, and those to ask when it refuses."""
    resumed = member.of_token(offer.resume)
    if resumed is not None and not _moves(member, resumed):
        return [resumed]
    if _only_watches(offer):
        return member.placer.choose_for_viewer(member.lively)
    chosen = member.placer.choose(member.lively)
    if offer.publish is None or resumed is not None:
        member.placer.placed(chosen[0])
    return chosen


def _moves(member: Member, number: int) -> bool:
    """Whether sessions of a node go on at another one that is there."""
    return member.states[number].draining and any(n != number for n in member.lively)


def _takes_name_along(member: Member, offer: Offer) -> bool:
    """Whether a session moves that has the name which it is to be published under."""
    resumed = member.of_token(offer.resume)
    if resumed is None or not _moves(member, resumed):
        return False
    return offer.publish in member.states[resumed].names


def _only_watches(offer: Offer) -> bool:
    return offer.play is not None and not sends_video(offer.sdp)


async def _first_that_takes(
    member: Member,
    wishes: Sequence[int],
    publish: str | None,
    full: Collection[int],
    here: Callable[[], Awaitable[T]],
    there: Callable[[int], Awaitable[T]],
    *,
    may_be_elsewhere: bool,
) -> T:
    """Have the first of some nodes answer that does not refuse for want of room.

    Parameters
    ----------
    wishes
        The nodes, the best first.
    publish
        A name that the one that answers must have; None needs none.
    full
        The codes of refusals after which the next one is asked.
    here, there
        Have this node, or another one, answer.
    may_be_elsewhere
        Whether a name's holder may answer instead.
    """
    refused: SignalingError | None = None
    asked: list[int] = []
    for wish in wishes:
        number = wish
        if publish is not None:
            number = await _give(member, publish, wish, asked, may_be_elsewhere=may_be_elsewhere)
        if number in asked:
            # The name is in use there, and so nowhere else.
            break
        asked.append(number)
        try:
            return await (here() if number == member.node.number else there(number))
        except SignalingError as error:
            if error.code not in full:
                raise
            refused = error
    raise refused or starting_again()


async def _give(
    member: Member, name: str, wish: int, asked: list[int], *, may_be_elsewhere: bool
) -> int:
    """The node that a name belongs to from now on."""
    full = {number for number, state in member.states.items() if not state.room}
    holder = await member.give(name, wish, full | set(asked))
    if may_be_elsewhere:
        member.placer.placed(holder)
    if holder != wish and not may_be_elsewhere:
        raise Conflict(
            f"something is published as {quote(name)} already: choose another name, or try again"
            " when it has ended"
        )
    return holder


async def _place(request: web.Request, handler: Handler, member: Member) -> web.StreamResponse:
    """WHIP and WHEP: to a node with room; of a name that is published, to the one that has it."""
    publish: str | None = None
    if request.path.startswith("/whip/"):
        publish = request.match_info["name"]
        try:
            check_published_name(publish)
        except ValueError:
            # Which says so; nobody is to remember it.
            return await handler(request)
    if request.content_type != SDP:
        return await handler(request)
    body = request[READ_BODY] = await read_body(request)

    async def there(number: int) -> web.StreamResponse:
        link = _link(member, number)
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                return await link.forward(request, request[IDENTITY], body, raise_for=_NO_ROOM)
        except TimeoutError:
            raise starting_again() from None

    async def here() -> web.StreamResponse:
        response = await handler(request)
        member.report()
        return response

    placer = member.placer
    choose = placer.choose_for_viewer if publish is None else placer.choose
    wishes = choose(member.lively)
    return await _first_that_takes(
        member, wishes, publish, _NO_ROOM, here, there, may_be_elsewhere=True
    )


def _link(member: Member, number: int) -> Link:
    if number not in member.states:
        if not member.may_come(number):
            raise NotFound("there is nothing under this address: it has ended, or never was")
        raise starting_again()
    return member.links[number]
