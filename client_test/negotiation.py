"""Takes an offer to the server and brings back the answer, by whichever door is open."""

import asyncio
import json
import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlsplit, urlunsplit

import aiohttp

from client_test.errors import ClientError, DoorMissing, Rejected

Use = Literal["auto", "websocket", "legacy", "http"]

# A WebSocket handshake answered with one of these was understood and turned down; any other
# status means that the server has no WebSocket at this address.
_TURNED_DOWN = {401, 403, 429, 500, 503}


@dataclass(frozen=True, slots=True)
class OpenedSession:
    """The server's name for a session, and the token that continues it after a lost connection."""

    id: str
    resume: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server answered.

    Attributes
    ----------
    sdp
        The session description, of type "answer".
    session
        None from a server that names none.
    url
        The door that answered.
    websocket
        The open signaling socket; None when HTTP was used.
    """

    sdp: str
    session: OpenedSession | None
    url: str
    websocket: aiohttp.ClientWebSocketResponse | None


async def negotiate(
    http: aiohttp.ClientSession,
    base_url: str,
    offer: dict[str, Any],
    *,
    use: Use = "auto",
    insecure: bool = False,
    timeout_s: float = 10.0,
) -> Answer:
    """Try the doors in order until one answers.

    Parameters
    ----------
    http
        Carries the bearer token, if there is one, in its default headers.
    base_url
        Such as ``http://127.0.0.1:8083``.
    offer
        ``{"sdp", "type": "offer"}`` and the optional keys.
    use
        One door, or "auto": the WebSocket on ``/signaling``, the WebSocket on the next port
        (where older servers have it), then ``POST /offer``.
    insecure
        Accept a certificate that nobody vouches for.
    timeout_s
        For each door.

    Raises
    ------
    DoorMissing
        No door answered; the text lists what was tried.
    Rejected
        A door answered with an error, which ends the search.
    """
    missing = []
    for url, ask in _doors(base_url, use):
        try:
            async with asyncio.timeout(timeout_s):
                return await ask(http, url, offer, not insecure)
        except DoorMissing as error:
            missing.append(str(error))
        except TimeoutError:
            missing.append(f"{url}: no answer within {timeout_s:g} s")
    raise DoorMissing(
        "; ".join(missing) + ". Is the server running, and are host, port and --secure right?"
    )


Door = Callable[[aiohttp.ClientSession, str, dict[str, Any], bool], Awaitable[Answer]]


def _doors(base_url: str, use: Use) -> list[tuple[str, Door]]:
    parts = urlsplit(base_url)
    websocket = "wss" if parts.scheme == "https" else "ws"
    port = parts.port or (443 if parts.scheme == "https" else 80)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    doors: dict[str, tuple[str, Door]] = {
        "websocket": (
            urlunsplit((websocket, f"{host}:{port}", "/signaling", "", "")),
            _ask_websocket,
        ),
        "legacy": (urlunsplit((websocket, f"{host}:{port + 1}", "/", "", "")), _ask_websocket),
        "http": (urlunsplit((parts.scheme, f"{host}:{port}", "/offer", "", "")), _ask_http),
    }
    return list(doors.values()) if use == "auto" else [doors[use]]


async def _ask_websocket(
    http: aiohttp.ClientSession, url: str, offer: dict[str, Any], verify: bool
) -> Answer:
    try:
        websocket = await http.ws_connect(url, ssl=verify, heartbeat=20.0)
    except aiohttp.WSServerHandshakeError as error:
        if error.status in _TURNED_DOWN:
            raise Rejected(error.status, error.message, _retry_after(error.headers)) from error
        raise DoorMissing(f"{url}: no WebSocket there (HTTP {error.status})") from error
    except (aiohttp.ClientError, OSError) as error:
        raise DoorMissing(f"{url}: {_reason(error)}") from error
    try:
        await websocket.send_json({"type": "offer", "data": offer})
        data = await _answer_data(websocket, url)
        return _answer(data, url, websocket)
    except BaseException:
        await websocket.close()
        raise


async def _answer_data(websocket: aiohttp.ClientWebSocketResponse, url: str) -> dict[str, Any]:
    """The data of the first "answer"; other messages that come before it are passed over."""
    async for message in websocket:
        if message.type is not aiohttp.WSMsgType.TEXT:
            continue
        body = _json_object(message.data, url)
        data = body.get("data") or {}
        if body.get("type") == "answer":
            return data
        if body.get("type") == "error":
            raise Rejected(
                int(data.get("code", 500)), str(data.get("message")), data.get("retry_after")
            )
    raise ClientError(f"{url}: closed (code {websocket.close_code}) before it answered the offer")


async def _ask_http(
    http: aiohttp.ClientSession, url: str, offer: dict[str, Any], verify: bool
) -> Answer:
    try:
        async with http.post(url, json=offer, ssl=verify) as response:
            text = await response.text()
    except (aiohttp.ClientError, OSError) as error:
        raise DoorMissing(f"{url}: {_reason(error)}") from error
    if response.status in (404, 405):
        raise DoorMissing(f"{url}: no such path (HTTP {response.status})")
    if response.status != 200:
        raise Rejected(
            response.status, _message(text, response.reason), _retry_after(response.headers)
        )
    return _answer(_json_object(text, url), url, None)


def _answer(
    data: dict[str, Any], url: str, websocket: aiohttp.ClientWebSocketResponse | None
) -> Answer:
    if data.get("type") != "answer" or not isinstance(data.get("sdp"), str):
        raise ClientError(f"{url}: what it answered is no session description: {str(data)[:200]}")
    named = data.get("session")
    session = OpenedSession(named["id"], named["resume"]) if named else None
    return Answer(data["sdp"], session, url, websocket)


def _json_object(text: str, url: str) -> dict[str, Any]:
    try:
        body = json.loads(text)
    except ValueError as error:
        raise ClientError(f"{url}: answered what is no JSON: {text[:200]!r}") from error
    if not isinstance(body, dict):
        raise ClientError(f"{url}: answered JSON that is no object: {text[:200]!r}")
    return body


def _message(text: str, reason: str | None) -> str:
    """The "message" of an error body, or whatever else the body says."""
    try:
        return str(json.loads(text)["message"])
    except (ValueError, KeyError, TypeError):
        return text[:200] or reason or "no reason given"


def _retry_after(headers: Any) -> float | None:
    value = (headers or {}).get("Retry-After")
    return float(value) if value and value.isdecimal() else None


def _reason(error: Exception) -> str:
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return "its certificate is not trusted (--insecure accepts it)"
    if isinstance(error, aiohttp.ClientConnectorSSLError):
        return "TLS failed; does it speak plain HTTP?"
    if isinstance(error, aiohttp.ClientConnectorError):
        errno = error.os_error.errno
        return os.strerror(errno) if errno else str(error.os_error)
    return str(error) or type(error).__name__
