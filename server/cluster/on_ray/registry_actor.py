"""The actor that has the registry. When it dies, Ray starts it again, and nodes register anew."""

from __future__ import annotations

import asyncio
import logging
import os
import threading
from typing import Any

import ray.util

from server.cluster.on_ray.names import check_tokens
from server.cluster.registry_server import RegistryServer
from server.cluster.secure_port import SecurePort, bind, write_address
from server.config import BadSettings, parse_settings
from server.security.cluster_certificate import contexts

LEASE_S = 3.0
# By then all nodes that are there have connected again (server/cluster/member.py).
SETTLE_S = 2.0
PORTS = 10


class RegistryActor:
    """Serves the registry from a thread with an event loop of its own.

    An actor's methods have none, or Ray's.

    Parameters
    ----------
    flags
        The server's.
    """

    def __init__(self, flags: list[str]) -> None:
        logging.basicConfig(level=logging.INFO)
        self._flags = flags
        self._address = ""
        self._problem = ""
        self._places: dict[tuple[int, str], int] = {}
        self._server: RegistryServer | None = None
        self._loop = asyncio.new_event_loop()
        try:
            self._begin(flags)
        except (BadSettings, OSError, SystemExit) as error:
            self._problem = str(error)

    def _begin(self, flags: list[str]) -> None:
        settings = parse_settings(flags)
        address = settings.cluster_address or ray.util.get_node_ip_address()
        check_tokens(address, os.environ)
        secret = settings.cluster_secret.get_secret_value()
        if not secret:
            raise BadSettings(f"the machine {address} has no CLUSTER_SECRET")
        port = settings.cluster_port
        listening = bind(address, port, PORTS if port else 1)
        self._server = RegistryServer(
            SecurePort(listening, contexts(secret)[0]),
            settings.expensive_per_minute,
            lease_s=LEASE_S,
            settle_s=SETTLE_S,
        )
        threading.Thread(target=self._loop.run_forever, name="registry", daemon=True).start()
        asyncio.run_coroutine_threadsafe(self._server.start(), self._loop).result()
        self._address = write_address(listening)

    def address(self) -> str:
        """Where nodes reach it."""
        return self._address

    def flags(self) -> list[str]:
        """What further nodes are to be started with."""
        return self._flags

    def remember_place(self, number: int, machine: str, place: int) -> None:
        """Which of its machine's nodes one is: clients know its ports."""
        self._places[number, machine] = place

    def place_of(self, number: int, machine: str) -> int:
        """What was remembered; 0 if nothing was."""
        return self._places.get((number, machine), 0)

    def status(self) -> dict[str, Any]:
        """What nodes have told, by their number."""
        table = {}
        if self._server is not None:
            table = asyncio.run_coroutine_threadsafe(self._table(), self._loop).result()
        return {"pid": os.getpid(), "problem": self._problem, "nodes": table}

    async def _table(self) -> dict[str, Any]:
        assert self._server is not None
        nodes: dict[str, Any] = self._server.registry.table()["nodes"]
        return nodes
