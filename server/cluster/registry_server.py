"""The registry on its Unix socket: lines of JSON, one connection for each node.

A node that dies is known at once, since the kernel closes its connection. One that is only late
stays: nobody else can tell whether it will go on.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import AsyncIterator, Callable
from typing import Any

from server.cluster.placing import NodeState
from server.cluster.registry import Registry
from server.security.budget import expensive
from signaling.errors import TooMany

logger = logging.getLogger(__name__)

# One node's names and figures.
MAX_LINE_BYTES = 1 << 20
# What waits for a node that does not read: it is told everything anew when it does.
MAX_WAITING_BYTES = 1 << 20


class CommandRefused(Exception):
    """What the command line asks for can not be done: one sentence that says why."""


class RegistryServer:
    """Serves a registry.

    Parameters
    ----------
    path
        Of the Unix socket; its directory lets in nobody else.
    expensive_per_minute
        Requests for something expensive of one client, at all nodes together; 0 is no limit.

    Attributes
    ----------
    on_command
        Carries out what the command line asks for; yields what is to be printed.
    on_report
        Is told of each node that has said how it does.
    """

    def __init__(self, path: str, expensive_per_minute: int = 0) -> None:
        self.on_report: Callable[[int], None] = lambda _: None
        self.on_command: Callable[[dict[str, Any]], AsyncIterator[str]] | None = None
        self.registry = Registry()
        self._expensive = expensive(expensive_per_minute)
        self._path = path
        self._server: asyncio.Server | None = None
        self._writers: dict[int, asyncio.StreamWriter] = {}

    async def start(self) -> None:
        """Listen."""
        self._server = await asyncio.start_unix_server(
            self._serve, self._path, limit=MAX_LINE_BYTES
        )

    async def close(self) -> None:
        """Hang up on all."""
        assert self._server is not None
        self._server.close()
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
            else:
                holder = self.registry.give(name, wish, full)
            writer.write(_line({"call": told["call"], "holder": holder}))

        if "charge" in told:
            refused = await self._charge(told["charge"])
            writer.write(_line({"call": told["call"], "refused": refused}))

    async def _command(self, told: dict[str, Any], writer: asyncio.StreamWriter) -> None:
        assert self.on_command is not None
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
        table = _line(self.registry.table() | {"news_of": news_of})
        for writer in self._writers.values():
            if writer.transport.get_write_buffer_size() < MAX_WAITING_BYTES:
                writer.write(table)


def _line(message: dict[str, Any]) -> bytes:
    return json.dumps(message).encode() + b"\n"
