"""Worker processes as the pool sees them: forked from a template, which tells when they end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import pickle
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence

from server.workers.messages import MAX_FORK_BYTES, Ended, Fork, Forked

logger = logging.getLogger(__name__)

# To import what workers need; OpenVINO alone takes some seconds on a Pi. From then on it is quick.
IMPORTS_WITHIN_S = 120.0
FORKS_WITHIN_S = 5.0
ENDS_WITHIN_S = 1.0
# How a process has ended, by its template; from one that is stopped nothing comes.
TOLD_WITHIN_S = 1.0
_LOOK_EVERY_S = 0.05


class TemplateGone(RuntimeError):
    """The template has ended, or does not answer; the next request starts another."""


class WorkerProcess:
    """One worker's process.

    Attributes
    ----------
    pid
        Its process id.
    """

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._is_orphan = False
        self._ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        # Readable once it has ended.
        self._descriptor: int | None = None
        with contextlib.suppress(ProcessLookupError):
            self._descriptor = os.pidfd_open(pid)

    @property
    def returncode(self) -> int | None:
        """Its exit status, negative for a signal's number; None while it runs."""
        return self._ended.result() if self._ended.done() else None

    async def wait(self) -> int:
        """Wait for its end; returns its exit status."""
        untold_s = 0.0
        while not self._ended.done():
            await asyncio.wait([self._ended], timeout=_LOOK_EVERY_S)
            if self._runs():
                continue
            untold_s += _LOOK_EVERY_S
            if self._is_orphan or untold_s > TOLD_WITHIN_S:
                self.has_ended(-signal.SIGKILL)
        return self._ended.result()

    def kill(self) -> None:
        """End it at once."""
        if self._descriptor is not None:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._descriptor, signal.SIGKILL)

    async def end(self) -> None:
        """Wait for it to end, as it does when its connection closes; kill it if it does not."""
        try:
            await asyncio.wait_for(self.wait(), ENDS_WITHIN_S)
        except TimeoutError:
            self.kill()
            await self.wait()

    def has_ended(self, status: int) -> None:
        """Take note of its end."""
        if self._ended.done():
            return
        self._ended.set_result(status)
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def is_orphaned(self) -> None:
        """Its template is gone: it runs on, and nobody tells how it ends."""
        self._is_orphan = True

    def _runs(self) -> bool:
        if self._descriptor is None:
            return False
        # Not select(), which knows none above 1024: a full server's are.
        poll = select.poll()
        poll.register(self._descriptor, select.POLLIN)
        return not poll.poll(0)


class Template:
    """The template, started when the first worker is asked for, and again when it has died.

    Parameters
    ----------
    modules
        Of the analyzers.
    """

    def __init__(self, modules: Sequence[str]) -> None:
        self._modules = list(modules)
        self._socket: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._has_forked = False
        self._asked: list[asyncio.Future[WorkerProcess]] = []
        self._running: dict[int, WorkerProcess] = {}

    async def fork(self, asked: Fork, connection: int, black_box: int) -> WorkerProcess:
        """Start a worker.

        Parameters
        ----------
        asked
            What it is told.
        connection, black_box
            File descriptors that it gets.

        Raises
        ------
        TemplateGone
            It could not be started.
        """
        if self._socket is None:
            self._start()
        # Also who asks second waits for its imports.
        within_s = FORKS_WITHIN_S if self._has_forked else IMPORTS_WITHIN_S
        assert self._socket is not None
        forked: asyncio.Future[WorkerProcess] = asyncio.get_running_loop().create_future()
        # Nobody may be left whom its exception could tell.
        forked.add_done_callback(lambda done: done.cancelled() or done.exception())
        self._asked.append(forked)
        try:
            socket.send_fds(self._socket, [pickle.dumps(asked)], [connection, black_box])
            async with asyncio.timeout(within_s):
                return await asyncio.shield(forked)
        except (OSError, TimeoutError) as error:
            self._lost()
            raise TemplateGone(f"workers can not be forked ({error or 'no answer'})") from error

    async def close(self) -> None:
        """End it; its workers have ended."""
        if self._socket is None or self._process is None:
            return
        process = self._process
        self._lost()
        await asyncio.to_thread(process.wait)

    def _start(self) -> None:
        self._has_forked = False
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [
                    sys.executable,
                    # Modules are found where we find them: not first in the working directory,
                    # where someone's own package "server" may be.
                    "-P",
                    "-m",
                    "server.workers.template",
                    str(theirs.fileno()),
                    *self._modules,
                ],
                pass_fds=[theirs.fileno()],
                env={
                    # Its threads would not be in a fork, and a lane computes on one.
                    "OPENBLAS_NUM_THREADS": "1",
                    **os.environ,
                    "PYTHONUNBUFFERED": "1",
                    "PYTHONPATH": os.pathsep.join(path or os.getcwd() for path in sys.path),
                },
            )
        ours.setblocking(False)
        self._socket = ours
        asyncio.get_running_loop().add_reader(ours, self._read, ours)

    def _read(self, ours: socket.socket) -> None:
        try:
            data = ours.recv(MAX_FORK_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            logger.warning("What workers are forked from has ended: the next one starts another")
            self._lost()
            return
        match pickle.loads(data):
            case Forked(pid):
                self._has_forked = True
                process = self._running[pid] = WorkerProcess(pid)
                forked = self._asked.pop(0)
                if not forked.done():
                    forked.set_result(process)
            case Ended(pid, status):
                self._running.pop(pid).has_ended(status)

    def _lost(self) -> None:
        """The template is of no more use; its workers run on."""
        if self._socket is None or self._process is None:
            return
        asyncio.get_running_loop().remove_reader(self._socket)
        self._socket.close()
        self._socket = None
        self._process.kill()
        for process in self._running.values():
            process.is_orphaned()
        self._running.clear()
        for forked in self._asked:
            if not forked.done():
                forked.set_exception(TemplateGone("what workers are forked from has ended"))
        self._asked.clear()
