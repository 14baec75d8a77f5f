"""The registry on its socket: lines of JSON, one connection for each node.

A node that dies is known at once, since the kernel closes its connection. One that is only late
stays, on one machine: nobody else can tell whether it will go on. A machine that is lost closes
nothing, so that with several of them a node has a lease, which each of its lines renews.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

from server.cluster.node import MAX_NODES
from server.cluster.placing import NodeState
from server.cluster.registry import Registry
from server.cluster.secure_port import SecurePort
from server.security.budget import expensive
from server.tasks import Tasks
from signaling.errors import TooMany

logger = logging.getLogger(__name__)

# One node's names and figures.
MAX_LINE_BYTES = 1 << 20
# Those of all nodes, as each is told them.
MAX_TABLE_BYTES = MAX_NODES * MAX_LINE_BYTES
# What waits for a node that does not read: it is told everything anew when it does.
MAX_WAITING_BYTES = 1 << 20
# Nodes report each second.
LOOK_EVERY_S = 0.5


class CommandRefused(Exception):
    """What the command line asks for can not be done: one sentence that says why."""


class RegistryServer:
    """Serves a registry.

    Parameters
    ----------
    path
        Of the Unix socket; its directory lets in nobody else.
        With several machines the port at which they come.
    expensive_per_minute
        Requests for something expensive of one client, at all nodes together; 0 is no limit.
    lease_s
        A node that has said nothing for so long is gone; None: as long as it is connected, it is
        there.
    settle_s
        So long after the start names are not given: nodes of an earlier registry have not all come
        yet to say what is published.

    Attributes
    ----------
    on_command
        Carries out what the command line asks for; yields what is to be printed.
    on_report
        Is told of each node that has said how it does.
    """

    def __init__(
        self,
        path: str | SecurePort,
        expensive_per_minute: int = 0,
        *,
        lease_s: float | None = None,
        settle_s: float = 0.0,
    ) -> None:
        self.on_report: Callable[[int], None] = lambda _: None
        self.on_command: Callable[[dict[str, Any]], AsyncIterator[str]] | None = None
        self.registry = Registry()
        self._expensive = expensive(expensive_per_minute)
        self._path = path
        self._lease_s = lease_s
        self._settles_s = settle_s
        self._server: asyncio.Server | None = None
        self._writers: dict[int, asyncio.StreamWriter] = {}
        self._silent_looks: dict[int, int] = {}
        self._tasks = Tasks("registry")

    async def start(self) -> None:
        """Listen."""
        self._settles_s += time.monotonic()
        if isinstance(self._path, SecurePort):
            await self._path.start(self._serve, MAX_LINE_BYTES)
        else:
            self._server = await asyncio.start_unix_server(
                self._serve, self._path, limit=MAX_LINE_BYTES
            )
        if self._lease_s is not None:
            self._tasks.spawn(self._end_leases(self._lease_s), "leases")

    async def close(self) -> None:
        """Hang up on all."""
        await self._tasks.cancel()
        if self._server is not None:
            self._server.close()
        if isinstance(self._path, SecurePort):
            await self._path.close()
        for writer in self._writers.values():
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        number: int | None = None
        try:
            while line := await reader.readline():
                told = json.loads(line)
                if "command" in told:
                    await self._command(told, writer)
                    break
                number = int(told["node"])
                self._silent_looks[number] = 0
                self._writers[number] = writer
                await self._take(number, told, writer)
        except ConnectionError:
            pass  # It was killed.
        except (ValueError, KeyError, TypeError):
            # Nobody but a node gets here: a newer one, while an older parent runs.
            logger.exception("The registry did not understand a node")
        finally:
            if number is not None and self._writers.get(number) is writer:
                del self._writers[number]
                self.registry.leave(number)
                self._tell_all()
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    async def _take(self, number: int, told: dict[str, Any], writer: asyncio.StreamWriter) -> None:
        if "state" in told:
            self.registry.report(number, NodeState.read(told["state"]))
            self._tell_all(number)
            self.on_report(number)
        if "name" in told:
            name, wish, full = told["name"], told["wish"], told["full"]
            if wish is None:
                holder = self.registry.holder(name)
            elif self._is_settling:
                holder = None
            else:
                holder = self.registry.give(name, wish, full)
            writer.write(_line({"call": told["call"], "holder": holder}))

        if "drain" in told:
            granted = self.registry.let_drain(number)
            writer.write(_line({"call": told["call"], "granted": granted}))

        if "charge" in told:
            refused = await self._charge(told["charge"])
            writer.write(_line({"call": told["call"], "refused": refused}))

    @property
    def _is_settling(self) -> bool:
        return time.monotonic() < self._settles_s

    async def _end_leases(self, lease_s: float) -> None:
        """Counted in looks, not in time: when we ourselves stood still, that is one look."""
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            for number, writer in list(self._writers.items()):
                looks = self._silent_looks.get(number, 0) + 1
                self._silent_looks[number] = looks
                if looks * LOOK_EVERY_S > lease_s:
                    logger.warning("Node %02x has said nothing for %.0f s", number, lease_s)
                    writer.transport.abort()

    async def _command(self, told: dict[str, Any], writer: asyncio.StreamWriter) -> None:
        if self.on_command is None:
            raise ValueError("nothing can be asked for here")
        try:
            async for text in self.on_command(told):
                # Whoever asked may have gone; it is carried out all the same.
                with contextlib.suppress(ConnectionError):
                    writer.write(_line({"said": text}))
            writer.write(_line({"done": True}))
        except CommandRefused as refusal:
            writer.write(_line({"refused": str(refusal)}))

    async def _charge(self, client: str) -> list[Any] | None:
        """Why a client gets nothing more, and for how long; None if it does."""
        try:
            await self._expensive.charge(client)
        except TooMany as error:
            return [error.message, error.retry_after_s]
        return None

    def _tell_all(self, news_of: int | None = None) -> None:
        # Written once: there are as many readers as nodes, and as many reports.
        table = _line(self.registry.table() | {"news_of": news_of, "settling": self._is_settling})
        for writer in self._writers.values():
            # One that is closed, by TLS, can not even say how much waits.
            if writer.is_closing():
                continue
            if writer.transport.get_write_buffer_size() < MAX_WAITING_BYTES:
                writer.write(table)


def _line(message: dict[str, Any]) -> bytes:
    return json.dumps(message).encode() + b"\n"
