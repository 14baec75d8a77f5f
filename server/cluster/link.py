"""The way to another node: HTTP and WebSockets to its inner port, for whoever asks here."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any

import aiohttp
from aiohttp import hdrs, web

from server.cluster.network import Way
from server.http.errors import TooSlow
from server.security.identity import Identity, Scope
from signaling.errors import Busy, SignalingError, TooMany

IDENTITY_HEADER = "X-Kinecast-Identity"
CONNECT_S = 2.0
# For what is asked of all nodes together: one that stands still is left out.
ASK_S = 2.0
# A node that stands still says no goodbye.
GOODBYE_S = 1.0
RETRY_AFTER_S = 1
# Hop by hop (RFC 9110, section 7.6.1), and what each server says for itself.
_OWN = frozenset(
    {
        "connection",
        "keep-alive",
        "transfer-encoding",
        "upgrade",
        "te",
        "trailer",
        "date",
        "server",
        "content-encoding",
        "host",
        "content-length",
        "expect",
        IDENTITY_HEADER.lower(),
    }
)


class Refused(SignalingError):
    """What another node has refused, in its words."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code  # type: ignore[misc]


class Link:
    """To one node.

    Parameters
    ----------
    number
        Which one.
    way
        How it is reached.
    """

    def __init__(self, number: int, way: Way) -> None:
        self.number = number
        self.way = way
        self._session: aiohttp.ClientSession | None = None

    @property
    def session(self) -> aiohttp.ClientSession:
        """Made when it is first used, on the event loop."""
        if self._session is None:
            self._session = aiohttp.ClientSession(
                self.way.url,
                connector=self.way.connector(),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_S),
                auto_decompress=False,
            )
        return self._session

    async def close(self) -> None:
        """Let go of its connections."""
        if self._session is not None:
            await self._session.close()

    async def forward(
        self,
        request: web.Request,
        by: Identity,
        body: bytes | None = None,
        raise_for: Collection[int] = (),
    ) -> web.StreamResponse:
        """Have the node answer a request.

        Parameters
        ----------
        request
            Passed the guards here.
        by
            Who asks.
        body
            What was read of it already; None passes it on as it comes.
        raise_for
            Statuses of an answer that the client is not to get, since another node may have a
            better one.

        Raises
        ------
        Busy
            The node is gone.
        SignalingError
            What the node says, by one of those statuses.
        TooSlow
            The client did not send all of it in time.
        """
        data: Any = body if body is not None else request.content if request.can_read_body else None
        headers = _passed_on(request.headers) | {IDENTITY_HEADER: write_identity(by)}
        try:
            answer = await self.session.request(
                request.method,
                request.rel_url,
                data=data,
                headers=headers,
                allow_redirects=False,
            )
        except aiohttp.ClientError as error:
            if isinstance(slow := request.content.exception(), TooSlow):
                raise slow from error
            raise starting_again() from error
        async with answer:
            if answer.status in raise_for:
                # To HEAD nothing is said.
                told = await answer.json() or {"message": answer.reason or ""}
                raise refusal(answer.status, told["message"])
            response = web.StreamResponse(status=answer.status, reason=answer.reason)
            for name, value in answer.headers.items():
                if name.lower() not in _OWN:
                    response.headers.add(name, value)
            if length := answer.headers.get(hdrs.CONTENT_LENGTH):
                response.headers[hdrs.CONTENT_LENGTH] = length
            await response.prepare(request)
            try:
                async for chunk in answer.content.iter_any():
                    await response.write(chunk)
            except aiohttp.ClientError as error:
                # The client sees a response that breaks off, as the node's own would have.
                raise ConnectionError(f"node {self.number} is gone") from error
            await response.write_eof()
            return response

    async def get(self, path: str, by: Identity) -> bytes | None:
        """What the node answers to GET; None if it does not in time."""
        try:
            async with self.session.get(
                path,
                headers={IDENTITY_HEADER: write_identity(by)},
                timeout=aiohttp.ClientTimeout(total=ASK_S),
            ) as answer:
                return await answer.read() if answer.status == 200 else None
        except (aiohttp.ClientError, TimeoutError):
            return None

    async def ask(self, path: str, by: Identity) -> Any:
        """The JSON that the node answers to GET.

        Raises
        ------
        SignalingError
            What it refuses; Busy if it is gone, or stands still.
        """
        try:
            async with self.session.get(
                path,
                headers={IDENTITY_HEADER: write_identity(by)},
                timeout=aiohttp.ClientTimeout(total=ASK_S),
            ) as answer:
                told = await answer.json()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise starting_again() from error
        if answer.status != 200:
            raise refusal(answer.status, told["message"])
        return told

    async def open_socket(self, path: str, by: Identity) -> aiohttp.ClientWebSocketResponse:
        """A WebSocket to the node.

        Raises
        ------
        Busy
            The node is gone.
        """
        try:
            return await self.session.ws_connect(
                path,
                headers={IDENTITY_HEADER: write_identity(by)},
                max_msg_size=0,
                timeout=aiohttp.ClientWSTimeout(ws_close=GOODBYE_S),
            )
        except aiohttp.ClientError as error:
            raise starting_again() from error


def starting_again() -> Busy:
    """What a client is told while a node is not there."""
    return Busy("a part of the server is starting again: try again", retry_after_s=RETRY_AFTER_S)


def refusal(code: int, message: str) -> SignalingError:
    """What another node has refused; for whoever may come again, with when."""
    for later in (Busy, TooMany):
        if code == later.code:
            return later(message, retry_after_s=RETRY_AFTER_S)
    return Refused(code, message)


def write_identity(by: Identity) -> str:
    """For a header; JSON escapes what does not fit in one."""
    return json.dumps([by.subject, sorted(by.scopes), by.client])


def read_identity(text: str) -> Identity:
    """What `write_identity` wrote."""
    subject, scopes, client = json.loads(text)
    return Identity(subject, frozenset(map(Scope, scopes)), client)


def _passed_on(headers: Mapping[str, str]) -> dict[str, str]:
    """Without what is between the client and this door: its token, too."""
    left_out = _OWN | {"authorization", "cookie", "origin"}
    return {name: value for name, value in headers.items() if name.lower() not in left_out}
