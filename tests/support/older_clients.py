"""What older clients send and read, with another WebSocket library than the server's."""

import asyncio
import json
from collections.abc import Iterable
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

from tests.support.server import Server

ANSWER_WITHIN_S = 60.0


def socket_to(server: Server, path: str, **options: Any) -> connect:
    """A WebSocket to a path of the server; an asynchronous context."""
    # No proxy of this machine's: everything stays on it.
    return connect(f"ws://127.0.0.1:{server.port}{path}", proxy=None, **options)


async def receive(socket: ClientConnection) -> dict[str, Any]:
    """The next message, as JSON in text."""
    async with asyncio.timeout(ANSWER_WITHIN_S):
        text = await socket.recv()
    assert isinstance(text, str), "older clients parse what they get as text"
    return json.loads(text)


async def ask(socket: ClientConnection, message: str | bytes) -> dict[str, Any]:
    """Send a message and get the next one."""
    await socket.send(message)
    return await receive(socket)


async def ask_each(socket: ClientConnection, pictures: Iterable[bytes]) -> list[dict[str, Any]]:
    """Send each picture when the one before it is answered."""
    return [await ask(socket, picture) for picture in pictures]


def nose_of(answer: dict[str, Any]) -> tuple[float, float]:
    """Where the nose is, in 0..1 of the picture."""
    return answer["landmarks"][0]["x"], answer["landmarks"][0]["y"]
