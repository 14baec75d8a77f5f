"""A pool of worker processes: starts them, shares sessions out, replaces those that die or hang.

Knows processes and nothing of video. A session stays with its worker, since analyzers keep state
per session; a replaced worker's sessions are started anew on the replacement.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import pickle
import socket
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

from analyzers.registry import AnalyzerSpec
from server.backoff import Backoff
from server.tasks import Tasks
from server.workers.messages import LENGTH, Heartbeat, Ready, Refused, pack

logger = logging.getLogger(__name__)

# A worker, or a lane in it, that does not answer for this long is replaced.
ANSWER_WITHIN_S = 5.0
# Loading models (MediaPipe: 2 to 4 s, more on a Pi) may take longer than answering.
LOAD_WITHIN_S = 120.0
WATCH_EVERY_S = 0.25
# Before a worker that died while it loaded is started again; twice as long each time.
FIRST_PAUSE_S = 0.5
# After hanging this often in one session, a lane is left out of it.
HANGS_TO_LEAVE_OUT = 2


class WorkerRefused(RuntimeError):
    """The analyzers that were asked for can not be loaded: nothing to do but tell the user."""


class PinnedSession(Protocol):
    """What the pool needs of a session."""

    sid: str

    @property
    def streaming(self) -> bool:
        """Whether it has frames to analyze now."""

    def on_worker_message(self, message: object) -> None:
        """Take a message that names this session."""

    def worker_restarted(self, reason: str, left_out: Sequence[str]) -> None:
        """Start anew on the replacement, without the analyzers that were left out."""


@dataclass(slots=True)
class WorkerHandle:
    """One worker process and the sessions pinned to it."""

    index: int
    process: asyncio.subprocess.Process | None = None
    writer: asyncio.StreamWriter | None = None
    started_s: float = 0.0
    heard_s: float = 0.0
    ready: bool = False
    restarts: int = 0
    hung: str | None = None
    stuck: set[tuple[str, str]] = field(default_factory=set)
    sessions: dict[str, PinnedSession] = field(default_factory=dict)

    @property
    def pid(self) -> int | None:
        """Process id, None while there is no process."""
        return self.process.pid if self.process else None

    @property
    def load(self) -> int:
        """How many of its sessions have frames to analyze now."""
        return sum(session.streaming for session in self.sessions.values())

    def send(self, message: object) -> None:
        """Send without waiting. What a dead worker does not get, its replacement is told anew."""
        if self.writer is not None and not self.writer.is_closing():
            self.writer.write(pack(message))


class WorkerPool:
    """The worker processes of this server.

    Parameters
    ----------
    size
        How many processes.
    specs
        The analyzers each of them loads.
    settings
        For each analyzer, by name, what its constructor is given.
    verbose, quiet
        Debug logging in the workers, or nothing but warnings.
    """

    def __init__(
        self,
        size: int,
        specs: Sequence[AnalyzerSpec],
        *,
        settings: dict[str, dict[str, Any]] | None = None,
        verbose: bool = False,
        quiet: bool = False,
    ) -> None:
        self.workers = [WorkerHandle(index) for index in range(size)]
        # What each is called: a class may name itself otherwise than the specification guessed.
        self.names = {spec.name: spec.name for spec in specs}
        self.unavailable: dict[str, str] = {}
        self.refused: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._setup = json.dumps(
            {
                "specs": [asdict(spec) for spec in specs],
                "settings": settings or {},
                "log_level": "DEBUG" if verbose else "WARNING" if quiet else "INFO",
            }
        )
        self._hangs: Counter[tuple[str, str]] = Counter()
        self._tasks = Tasks("workers")
        self.became_ready = asyncio.Event()

    def start(self) -> None:
        """Start all processes; does not wait until they are ready."""
        for worker in self.workers:
            self._tasks.spawn(self._keep(worker), f"worker {worker.index}")

    async def stop(self) -> None:
        """End all processes and wait until they are gone."""
        await self._tasks.cancel()

    # ---- sessions

    def assign(self, session: PinnedSession) -> WorkerHandle:
        """Pin a session to the worker that has the fewest streaming; ready ones come first."""
        worker = min(self.workers, key=lambda w: (not w.ready, w.load, len(w.sessions), w.index))
        worker.sessions[session.sid] = session
        return worker

    def release(self, worker: WorkerHandle, sid: str) -> None:
        """Forget a session that has ended."""
        worker.sessions.pop(sid, None)
        for key in [key for key in self._hangs if key[0] == sid]:
            del self._hangs[key]

    @property
    def ready(self) -> bool:
        """Whether at least one worker takes frames."""
        return any(worker.ready for worker in self.workers)

    # ---- one worker's life

    async def _keep(self, worker: WorkerHandle) -> None:
        """Keep one worker process alive: start, serve, and start again when it ends."""
        backoff = Backoff(FIRST_PAUSE_S)
        while True:
            try:
                reason = await self._live(worker)
            except WorkerRefused as refusal:
                if not self.became_ready.is_set():
                    if not self.refused.done():
                        self.refused.set_result(str(refusal))
                    return
                # It could be loaded before: someone is working on the model's file.
                reason = f"can not load its analyzers ({refusal})"
            except Exception as error:
                logger.exception("Worker %d could not be served", worker.index)
                reason = f"could not be served ({type(error).__name__})"
            was_ready, worker.ready = worker.ready, False
            worker.stuck.clear()
            worker.restarts += 1
            logger.warning("Worker %d %s: starting another", worker.index, reason)
            hung_lane, worker.hung = worker.hung, None
            self._restart_sessions(worker, reason, hung_lane)
            if was_ready:
                backoff.reset()
            else:
                await asyncio.sleep(backoff.pause_s())

    async def _live(self, worker: WorkerHandle) -> str:
        """Run one process from its start to its end; says why it ended."""
        ours, theirs = socket.socketpair()
        with theirs, contextlib.ExitStack() as undo:
            undo.enter_context(ours)
            worker.process = await asyncio.create_subprocess_exec(
                sys.executable,
                # Modules are found where we find them: not first in the working directory, where
                # someone's own package "server" may be.
                "-P",
                "-m",
                "server.workers.worker",
                "--fd",
                str(theirs.fileno()),
                "--setup",
                self._setup,
                pass_fds=[theirs.fileno()],
                env={
                    **os.environ,
                    "PYTHONUNBUFFERED": "1",
                    "PYTHONPATH": os.pathsep.join(path or os.getcwd() for path in sys.path),
                },
            )
            undo.pop_all()
        reader, worker.writer = await asyncio.open_connection(sock=ours)
        worker.started_s = worker.heard_s = time.monotonic()
        watch = asyncio.create_task(self._watch(worker), name=f"watch worker {worker.index}")
        listen = asyncio.create_task(self._listen(worker, reader))
        try:
            await listen
            return await self._cause_of_death(worker)
        finally:
            for task in (watch, listen):
                task.cancel()
            await asyncio.gather(watch, listen, return_exceptions=True)
            worker.writer.close()
            await _end(worker.process)
            worker.process = None

    async def _listen(self, worker: WorkerHandle, reader: asyncio.StreamReader) -> None:
        """Take messages until the connection closes."""
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                (length,) = LENGTH.unpack(await reader.readexactly(LENGTH.size))
                message = pickle.loads(await reader.readexactly(length))
                worker.heard_s = time.monotonic()
                self._receive(worker, message)

    def _receive(self, worker: WorkerHandle, message: Any) -> None:
        match message:
            case Ready(names, unavailable):
                worker.ready = True
                self.names, self.unavailable = names, unavailable
                self.became_ready.set()
                logger.info(
                    "Worker %d is ready after %.1f s",
                    worker.index,
                    time.monotonic() - worker.started_s,
                )
                for session in list(worker.sessions.values()):
                    _guarded(session, session.on_worker_message, message)
            case Refused(text):
                raise WorkerRefused(text)
            case Heartbeat(busy):
                stuck = {(lane, sid) for lane, sid, s in busy if s > ANSWER_WITHIN_S}
                # Twice: a worker that was stopped and goes on says so of what it was at.
                for lane, sid in stuck & worker.stuck:
                    if worker.hung is None:
                        self._hang(worker, lane, sid)
                worker.stuck = stuck
            case _:
                if (addressed := worker.sessions.get(message.sid)) is not None:
                    _guarded(addressed, addressed.on_worker_message, message)

    async def _watch(self, worker: WorkerHandle) -> None:
        """End a process that has stopped answering."""
        while True:
            asleep_s = time.monotonic()
            await asyncio.sleep(WATCH_EVERY_S)
            # When we were late ourselves (a stopped process, a laptop whose lid was closed), what
            # the worker said meanwhile still waits for us.
            late_s = time.monotonic() - asleep_s - WATCH_EVERY_S
            if late_s > WATCH_EVERY_S:
                worker.heard_s += late_s
                worker.stuck.clear()
            silent_s = time.monotonic() - worker.heard_s
            if silent_s > (ANSWER_WITHIN_S if worker.ready else LOAD_WITHIN_S):
                worker.hung = worker.hung or ""
                _kill(worker.process)
                return

    def _hang(self, worker: WorkerHandle, lane: str, sid: str) -> None:
        logger.warning("Lane %s is stuck in session %s", lane, sid)
        worker.hung = lane
        self._hangs[sid, lane] += 1
        _kill(worker.process)

    async def _cause_of_death(self, worker: WorkerHandle) -> str:
        assert worker.process is not None
        if worker.hung is not None:
            where = f" in {worker.hung}" if worker.hung else ""
            return f"did not answer within {ANSWER_WITHIN_S:.0f} s{where}"
        code = await worker.process.wait()
        return f"died (signal {-code})" if code < 0 else f"ended with status {code}"

    def _restart_sessions(self, worker: WorkerHandle, reason: str, hung_lane: str | None) -> None:
        for sid, session in list(worker.sessions.items()):
            hangs = self._hangs[sid, hung_lane] if hung_lane else 0
            left_out = hung_lane.split("+") if hung_lane and hangs >= HANGS_TO_LEAVE_OUT else ()
            _guarded(session, session.worker_restarted, reason, left_out)


def _guarded(session: PinnedSession, method: Callable[..., None], *arguments: Any) -> None:
    """Call a session; a fault in one must not cost the worker and its other sessions."""
    try:
        method(*arguments)
    except Exception:
        logger.exception("Session %s failed to take what its worker sent", session.sid)


def _kill(process: asyncio.subprocess.Process | None) -> None:
    if process is not None and process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.kill()


async def _end(process: asyncio.subprocess.Process) -> None:
    """Wait for a process that ends when its connection closes; kill it if it does not."""
    try:
        await asyncio.wait_for(process.wait(), timeout=1.0)
    except TimeoutError:
        _kill(process)
        await process.wait()
