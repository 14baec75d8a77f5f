"""The process that the user starts with `--nodes`: starts the nodes, and starts again what dies.

It binds the HTTP ports, so that all nodes accept from the same sockets and none of them is missed,
and holds the registry. Each node is a whole `kinecast` of its own, with its own supervisor, that
knows from a variable which one it is. When this process is killed, they end as after SIGTERM.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from socket import socket

from server.backoff import Backoff
from server.cluster.node import REGISTRY, VARIABLE, Node, directory_prefix, places
from server.cluster.registry_server import RegistryServer
from server.cluster.rollout import Rollout
from server.config import Settings
from server.http.listener import listen, refusal
from server.security import development_certificate, keys
from server.tasks import Tasks
from server.watchdog import systemd
from server.watchdog.supervisor import BAD_SETTINGS

logger = logging.getLogger(__name__)

FIRST_PAUSE_S = 0.5
# A node that has run for so long is started again as if it had never ended.
STEADY_S = 60.0
READY_POLL_S = 0.2
# What they were told by whoever started us is for us alone.
_OURS = ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID")
_ENCRYPTION_KEY = "ENCRYPTION_KEY"


class Parent:
    """Runs the nodes of one server.

    Parameters
    ----------
    settings
        All of them.
    command
        What starts one, as we were started.
    """

    def __init__(self, settings: Settings, command: Sequence[str]) -> None:
        self._settings = settings
        self._command = list(command)
        self._stopping = asyncio.Event()
        self._status = 0
        self._processes: dict[int, asyncio.subprocess.Process] = {}
        self._shared: dict[str, str] = {}
        self._rollout = Rollout(self._terminate)

    async def run(self) -> int:
        """Run until asked to stop; returns the exit status.

        Raises
        ------
        BadSettings
            A port is in use.
        """
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._stop)
        next_port = self._listen(self._settings.port + 1)
        main = [] if self._settings.websocket_only else self._listen(self._settings.port)
        self._make_shared()
        ends, held = os.pipe()
        prefix = directory_prefix(self._settings.port)
        with tempfile.TemporaryDirectory(prefix=prefix, dir=places()[0]) as directory:
            server = RegistryServer(
                str(Path(directory) / REGISTRY), self._settings.expensive_per_minute
            )
            self._rollout.count = self._settings.nodes
            self._rollout.states = lambda: server.registry.states
            server.on_command, server.on_report = self._rollout.command, self._rollout.heard
            await server.start()
            tasks = Tasks("nodes")
            try:
                nodes = [
                    Node(
                        number,
                        self._settings.nodes,
                        directory,
                        tuple(each.fileno() for each in next_port),
                        tuple(each.fileno() for each in main),
                        ends,
                    )
                    for number in range(self._settings.nodes)
                ]
                telling = tasks.spawn(self._tell_systemd(server), "systemd")
                await asyncio.gather(*(self._keep(node) for node in nodes))
                telling.cancel()
            finally:
                await tasks.cancel()
                await server.close()
                os.close(held)
                os.close(ends)
        return self._status

    def _listen(self, port: int) -> list[socket]:
        try:
            return listen(self._settings.host, port)
        except OSError as error:
            raise refusal(self._settings.host, port, error) from error

    def _make_shared(self) -> None:
        """Make what nodes that start at the same moment would each make for themselves."""
        if self._settings.self_signed:
            # If it can not be kept, they say so.
            with contextlib.suppress(OSError):
                development_certificate.ensure()
        if not self._settings.encryption_keys():
            # What one has sealed another opens, where no key can be kept, too.
            self._shared[_ENCRYPTION_KEY] = ",".join(keys.kept())

    def _stop(self) -> None:
        if not self._stopping.is_set():
            systemd.notify("STOPPING=1")
        self._stopping.set()
        for process in self._processes.values():
            _end(process)

    def _terminate(self, number: int) -> bool:
        process = self._processes.get(number)
        if process is not None:
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGTERM)
        return process is not None

    async def _keep(self, node: Node) -> None:
        """Have a node run until we stop."""
        backoff, has_run = Backoff(FIRST_PAUSE_S), False
        while not self._stopping.is_set():
            began_s = time.monotonic()
            try:
                process = await self._start(node)
            except OSError as error:
                # There is no memory or no process to be had, for the moment: others serve on.
                await self._pause(node, f"can not be started ({error})", backoff.pause_s())
                continue
            self._processes[node.number] = process
            if self._stopping.is_set():
                _end(process)
            status = await process.wait()
            del self._processes[node.number]
            was_asked = self._rollout.has_ended(node.number)
            if self._stopping.is_set():
                return
            if was_asked:
                if self._rollout.stays_off(node.number):
                    return
                logger.info("Node %s has drained: started again", node.tag)
                has_run = True
                continue
            if status == BAD_SETTINGS and not has_run:
                # It has said what is wrong.
                self._status = BAD_SETTINGS
                self._stop()
                return
            has_run = True
            if time.monotonic() - began_s >= STEADY_S:
                backoff.reset()
            await self._pause(node, f"ended (status {status})", backoff.pause_s())

    async def _pause(self, node: Node, why: str, pause_s: float) -> None:
        """Wait before a node is started again, unless we stop."""
        logger.error("Node %s %s: started again in %.1f s", node.tag, why, pause_s)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(pause_s):
                await self._stopping.wait()

    async def _start(self, node: Node) -> asyncio.subprocess.Process:
        env = {name: value for name, value in os.environ.items() if name not in _OURS}
        return await asyncio.create_subprocess_exec(
            *self._command,
            env=env | self._shared | {VARIABLE: node.write()},
            pass_fds=(*node.next_port, *node.main_port, node.parent),
        )

    async def _tell_systemd(self, server: RegistryServer) -> None:
        while len(server.registry.states) < self._settings.nodes:
            await asyncio.sleep(READY_POLL_S)
            systemd.notify("WATCHDOG=1")
        systemd.notify("READY=1\nSTATUS=serving")
        await systemd.keep_alive()


def _end(process: asyncio.subprocess.Process) -> None:
    """End a node's process with its sessions, as all others end."""
    with contextlib.suppress(ProcessLookupError):
        # SIGTERM would have it wait until its sessions have gone elsewhere.
        process.send_signal(signal.SIGINT)


def run(settings: Settings) -> int:
    """Be the parent; returns the exit status.

    Raises
    ------
    BadSettings
        A port is in use.
    """
    # A console script is one, and so is python -m.
    command = [sys.executable, *sys.orig_argv[1:]]
    return asyncio.run(_run(settings, command))


async def _run(settings: Settings, command: Sequence[str]) -> int:
    return await Parent(settings, command).run()
