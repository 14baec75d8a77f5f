"""Takes an offer to the server's signaling WebSocket and brings back the answer."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import aiohttp
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from server.publisher.destination import Destination, Trust
from server.publisher.errors import NotConnected, ServerRefused, Untrusted
from signaling.messages import Answer

WITHIN_S = 10.0
_MAX_MESSAGE_BYTES = 1024 * 1024


class OfferedIceServer(BaseModel):
    """A STUN or TURN server that the server names."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    urls: list[str]
    username: str | None = None
    credential: str | None = None


_ice_servers: TypeAdapter[list[OfferedIceServer]] = TypeAdapter(list[OfferedIceServer])

MakeOffer = Callable[[Sequence[OfferedIceServer]], Awaitable[dict[str, Any]]]


async def negotiate(
    destination: Destination, trust: Trust, token: str, make_offer: MakeOffer
) -> Answer:
    """Ask for STUN and TURN servers, offer, and return the answer.

    Names are resolved on a thread, as aiohttp does.

    Parameters
    ----------
    destination, trust
        The server, and whom to take for it.
    token
        Bearer token; empty for none.
    make_offer
        Gets the servers; returns an offer's data.

    Raises
    ------
    NotConnected
        With one line that says why.
    """
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        async with (
            asyncio.timeout(WITHIN_S),
            aiohttp.ClientSession(headers=headers) as http,
            http.ws_connect(destination.url, ssl=trust, max_msg_size=_MAX_MESSAGE_BYTES) as socket,
        ):
            # Without TURN, a camera behind a strict firewall reaches no server behind another one.
            await socket.send_json({"type": "ice-servers", "data": None})
            servers = _ice_servers.validate_python(await _receive(socket, "ice-servers"))
            await socket.send_json({"type": "offer", "data": await make_offer(servers)})
            return Answer.model_validate(await _receive(socket, "answer"))
    except aiohttp.WSServerHandshakeError as error:
        raise ServerRefused(error.status, error.message) from error
    except TimeoutError as error:
        raise NotConnected(f"no answer from {destination} within {WITHIN_S:.0f} s") from error
    except (aiohttp.ClientError, OSError) as error:
        raise _unreachable(destination, error) from error
    except ValidationError as error:
        raise NotConnected(f"{destination} answers what is no Kinecast's answer") from error


async def _receive(socket: aiohttp.ClientWebSocketResponse, kind: str) -> Any:
    """The data of the next message of a kind; others are passed over.

    Raises
    ------
    ServerRefused
        The server says that it is an error.
    NotConnected
        It hung up.
    """
    async for message in socket:
        if message.type is not aiohttp.WSMsgType.TEXT:
            continue
        try:
            said = json.loads(message.data)
            kind_said, data = said["type"], said.get("data")
        except (ValueError, TypeError, KeyError, AttributeError):
            continue
        if kind_said == "error":
            told = data if isinstance(data, dict) else {}
            code = told.get("code")
            raise ServerRefused(
                code if isinstance(code, int) else 500, str(told.get("message", ""))[:300]
            )
        if kind_said == kind:
            return data
    raise NotConnected(f"the server hung up before it answered (code {socket.close_code})")


def _unreachable(destination: Destination, error: Exception) -> NotConnected:
    match error:
        case aiohttp.ServerFingerprintMismatch():
            got = error.got.hex(":").upper()
            return Untrusted(
                f"the certificate of {destination} has another fingerprint than --fingerprint says:"
                f" {got}. Was it renewed? Then compare it with what the server logs"
            )
        case aiohttp.ClientConnectorCertificateError():
            return Untrusted(
                f"the certificate of {destination} is not trusted"
                f" ({_one_line(error.certificate_error)}). If it is the server's --self-signed one,"
                " give --fingerprint as the server logs it, or --ca-file"
            )
        case aiohttp.ClientConnectorSSLError():
            return Untrusted(
                f"TLS with {destination} failed ({_one_line(error.os_error)}): does the server"
                " speak plain HTTP? Then --to must begin with ws://"
            )
        case aiohttp.ClientConnectorDNSError():
            return NotConnected(f"the name of {destination} can not be resolved")
        case aiohttp.ClientConnectorError():
            number = error.os_error.errno
            why = os.strerror(number) if number else _one_line(error.os_error)
            return NotConnected(f"{destination} can not be reached: {why}")
    return NotConnected(f"{destination}: {_one_line(error)}")


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__
