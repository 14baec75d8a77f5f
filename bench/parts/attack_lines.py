"""What an attack of bench/attacks.py is: a function, and what it is given to attack with.

A row of the table is made by `line`: the modules that are called `..._lines` have them. They run in
a process of their own, `attacker`.
"""

import asyncio
import contextlib
import os
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import aiohttp
import psutil
from aiortc import RTCConfiguration, RTCPeerConnection

from bench.parts.hostile_peer import HostilePeer
from client_test.ice_hosts import offering
from server.security.identity import Scope
from server.security.tokens import issue

SECRET = "known to the bench, and to nobody else"
ATTACKER, SOMEBODY = "attacker", "somebody"
# All of 127.0.0.0/8 is this machine's; the bystander streams from 127.0.0.1.
ADDRESSES = {ATTACKER: "127.1.0.1", SOMEBODY: "127.2.0.1"}
TOKEN_S = 3600.0
CAMERA = ("--camera", "pattern", "--camera-size", "320x240")
ANSWER_WITHIN_S = 30.0


@dataclass
class Attacker:
    """What an attack has at hand, and what it tells.

    Attributes
    ----------
    url, pid
        The server's.
    folder
        Is there as long as the server: for recordings, say.
    seconds
        How long the attack should take.
    seen
        What came of it: by what it was, how often.
    checks
        What has to be so, and whether it is.
    """

    url: str
    pid: int
    folder: Path
    seconds: float
    seen: Counter[str] = field(default_factory=Counter)
    checks: dict[str, bool] = field(default_factory=dict)

    async def rounds(self, a_second: float) -> AsyncIterator[int]:
        """Number rounds at a steady rate, until the time is over."""
        began_s, number = time.monotonic(), 0
        while (now_s := time.monotonic()) < began_s + self.seconds:
            yield number
            number += 1
            await asyncio.sleep(max(began_s + number / a_second - now_s, 0.0))

    def peer(self, subject: str = ATTACKER, *scopes: Scope, **settings: Any) -> HostilePeer:
        """A peer that may publish and view, unless other scopes are named."""
        return HostilePeer(self.url, token=token(subject, *scopes), **settings)

    @contextlib.asynccontextmanager
    async def http(
        self, subject: str | None = ATTACKER, *scopes: Scope
    ) -> AsyncIterator[aiohttp.ClientSession]:
        """HTTP from an address of the subject's; None has no token."""
        address = ADDRESSES.get(subject or ATTACKER, ADDRESSES[SOMEBODY])
        headers = {"Authorization": f"Bearer {token(subject, *scopes)}"} if subject else {}
        async with aiohttp.ClientSession(
            self.url,
            connector=aiohttp.TCPConnector(local_addr=(address, 0), limit=0),
            timeout=aiohttp.ClientTimeout(total=ANSWER_WITHIN_S),
            headers=headers,
        ) as session:
            yield session

    async def ask(
        self, http: aiohttp.ClientSession, method: str, path: str, what: str = "", **more: Any
    ) -> tuple[int, bytes]:
        """Send a request; its status is counted. Returns it with the body; 0 without an answer."""
        name = f"{what} " if what else ""
        try:
            async with http.request(method, path, **more) as answer:
                body = await answer.read()
        except (aiohttp.ClientError, OSError, TimeoutError):
            self.seen[f"{name}no answer"] += 1
            return 0, b""
        self.seen[f"{name}{answer.status}"] += 1
        return answer.status, body

    @property
    def log_bytes(self) -> int:
        """How much the server has logged."""
        return os.stat(f"/proc/{self.pid}/fd/2").st_size

    @property
    def media_ports(self) -> list[int]:
        """UDP ports that the server listens at."""
        connections = psutil.Process(self.pid).net_connections("udp")
        return sorted({each.laddr.port for each in connections})

    async def workers(self) -> list[tuple[int, int]]:
        """Each worker's process id and how often it was replaced."""
        async with self.http(None) as http, http.get("/health") as answer:
            told = await answer.json()
        return [(worker["pid"], worker["restarts"]) for worker in told["workers"]]


@dataclass(frozen=True, slots=True)
class Line:
    """One attack.

    Attributes
    ----------
    name
        As ``--only`` takes it.
    what
        Half a line.
    attack
        Goes on for `Attacker.seconds`.
    flags
        The server's, beside the usual ones; FOLDER in them is a folder of this attack's.
    analyzers
        Beside the bystander's.
    asks_for_tokens
        Whether the server does.
    judged
        When the bystander is looked at. ``"after"``: what is done to the server stops everybody,
        and how it comes back is the question.
    """

    name: str
    what: str
    attack: Callable[[Attacker], Coroutine[Any, Any, None]]
    flags: tuple[str, ...] = ()
    analyzers: tuple[str, ...] = ()
    asks_for_tokens: bool = True
    judged: Literal["during", "after"] = "during"


LINES: dict[str, Line] = {}


def line(what: str, **more: Any) -> Callable[[Any], Any]:
    """Make a function a line of the table, under its name with dashes."""

    def register(attack: Callable[[Attacker], Coroutine[Any, Any, None]]) -> Any:
        name = attack.__name__.replace("_", "-")
        LINES[name] = Line(name, what, attack, **more)
        return attack

    return register


def token(subject: str | None = ATTACKER, *scopes: Scope) -> str:
    """A token of the server's."""
    return issue(SECRET, scopes or (Scope.PUBLISH, Scope.VIEW), TOKEN_S, subject)


async def an_offer(direction: str = "sendonly") -> tuple[RTCPeerConnection, str]:
    """An honest offer of video, and the connection that it is of."""
    connection = RTCPeerConnection(RTCConfiguration([]))
    connection.addTransceiver("video", direction)
    connection.createDataChannel("data")
    with offering(("127.0.0.1",)):
        await connection.setLocalDescription(await connection.createOffer())
    return connection, connection.localDescription.sdp
