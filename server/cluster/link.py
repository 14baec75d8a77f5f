"""The way to another node: HTTP and WebSockets to its inner port, for whoever asks here."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import aiohttp
from aiohttp import hdrs, web

from server.cluster.network import Way
from server.http.errors import TooSlow
from server.security.identity import Identity, Scope
from signaling.errors import Busy

IDENTITY_HEADER = "X-Kinecast-Identity"
CONNECT_S = 2.0
# For what is asked of all nodes together: one that stands still is left out.
ASK_S = 2.0
# A node that stands still says no goodbye.
GOODBYE_S = 1.0
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
        self, request: web.Request, by: Identity, body: bytes | None = None
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

        Raises
        ------
        Busy
            The node is gone.
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
            raise self._gone() from error
        async with answer:
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
            raise self._gone() from error

    def _gone(self) -> Busy:
        return Busy("a part of the server is starting again: try again", retry_after_s=1)


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
