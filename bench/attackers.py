"""Clients that mean no good, in a process of their own: bench/attacks.py starts it.

Prints one JSON object when its time is over: how many connections it opened, how many were open at
the end, and how many the server had ended.
"""

import argparse
import asyncio
import json
import socket
import struct
from collections.abc import Callable, Coroutine
from dataclasses import asdict, dataclass
from typing import Any

# What a slow client sends, a line of it at a time.
TRICKLE_S = 1.0
# A client that is cut off comes back after this.
AGAIN_AFTER_S = 0.1
CROWD = 10_000
HANDSHAKE = (
    "GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)
QUESTION = b'{"type": "ice-servers"}'


@dataclass(slots=True)
class Tally:
    """What the attackers saw."""

    opened: int = 0
    ended_by_server: int = 0
    failed: int = 0
    open_at_end: int = 0


def source(number: int) -> str:
    """The address of an attacker: all of 127.0.0.0/8 is this machine's."""
    return f"127.1.{number // 250}.{number % 250 + 1}"


async def connect(port: int, address: str) -> socket.socket:
    """A connection with a small receive buffer, which nobody reads unless told to."""
    client = socket.socket()
    client.setblocking(False)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.bind((address, 0))
    await asyncio.get_running_loop().sock_connect(client, ("127.0.0.1", port))
    return client


async def slow_loris(port: int, number: int, tally: Tally) -> None:
    """Send a head of a request a line a second, for ever, and come back when cut off."""
    loop = asyncio.get_running_loop()
    while True:
        try:
            with await connect(port, source(number // 4)) as client:
                tally.opened += 1
                tally.open_at_end += 1
                try:
                    await loop.sock_sendall(client, b"GET /health HTTP/1.1\r\nHost: x\r\n")
                    while True:
                        await asyncio.sleep(TRICKLE_S)
                        await loop.sock_sendall(client, b"X-Line: more\r\n")
                finally:
                    tally.open_at_end -= 1
        except OSError:
            tally.ended_by_server += 1
            await asyncio.sleep(AGAIN_AFTER_S)


async def never_read(port: int, number: int, tally: Tally) -> None:
    """Ask over a WebSocket as fast as possible, and never read an answer."""
    loop = asyncio.get_running_loop()
    question = b"\x81" + bytes([0x80 | len(QUESTION)]) + struct.pack(">I", 0) + QUESTION
    while True:
        try:
            with await connect(port, source(number)) as client:
                tally.opened += 1
                tally.open_at_end += 1
                try:
                    await loop.sock_sendall(client, HANDSHAKE.format(path="/signaling").encode())
                    while True:
                        await loop.sock_sendall(client, question * 500)
                finally:
                    tally.open_at_end -= 1
        except OSError:
            tally.ended_by_server += 1
            await asyncio.sleep(AGAIN_AFTER_S)


async def crowd(port: int, number: int, tally: Tally) -> None:
    """Open 10 000 connections in a row from one address, and leave them open."""
    held: list[socket.socket] = []
    try:
        while len(held) + tally.failed < CROWD:
            try:
                held.append(await connect(port, source(0)))
            except OSError:
                tally.failed += 1
        await asyncio.Event().wait()
    finally:
        tally.opened = len(held)
        tally.ended_by_server = sum(map(is_ended, held))
        tally.open_at_end = tally.opened - tally.ended_by_server
        for client in held:
            client.close()


def is_ended(client: socket.socket) -> bool:
    """Whether the server has hung up."""
    try:
        return not client.recv(1)
    except BlockingIOError:
        return False
    except ConnectionError:
        return True


Attack = Callable[[int, int, Tally], Coroutine[Any, Any, None]]
ATTACKS: dict[str, tuple[Attack, int]] = {
    "slow-loris": (slow_loris, 2000),
    "never-read": (never_read, 50),
    "crowd": (crowd, 1),
}
"""Each with the number of clients."""


async def attack(name: str, port: int, seconds: float) -> Tally:
    """Let the attackers loose."""
    tally = Tally()
    client, count = ATTACKS[name]
    tasks = [asyncio.create_task(client(port, number, tally)) for number in range(count)]
    await asyncio.wait(tasks, timeout=seconds)
    still_open = tally.open_at_end
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    tally.open_at_end = max(tally.open_at_end, still_open)
    return tally


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=ATTACKS)
    parser.add_argument("port", type=int)
    parser.add_argument("seconds", type=float)
    arguments = parser.parse_args()
    tally = asyncio.run(attack(arguments.name, arguments.port, arguments.seconds))
    print(json.dumps(asdict(tally)))


if __name__ == "__main__":
    main()
