"""A pool of worker processes: starts them, shares sessions out, replaces those that die or hang.

Knows processes and nothing of video. A session stays with its worker, since analyzers keep state
per session; a replaced worker's sessions are started anew on the replacement.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import pickle
import signal
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

from analyzers.registry import AnalyzerSpec
from server.backoff import Backoff
from server.tasks import Tasks
from server.workers.black_box import BlackBox
from server.workers.blame import ONE_AT_A_TIME_S, Blame, Fault
from server.workers.memory import default_bound, look_again_s, private_bytes
from server.workers.messages import DECODING, LENGTH, Fork, Heartbeat, Ready, Refused, pack
from server.workers.process import Template, WorkerProcess

logger = logging.getLogger(__name__)

# A worker, or a lane in it, that does not answer for this long is replaced.
ANSWER_WITHIN_S = 5.0
# Loading models (MediaPipe: 2 to 4 s, more on a Pi) may take longer than answering.
LOAD_WITHIN_S = 120.0
WATCH_EVERY_S = 0.25
DEFAULT_MAX_PIXELS = 4096 * 4096
# A worker takes at once what it is sent. When it has not for so long, it stands still, or starves.
LAGS_AFTER_S = 0.15
# Some pictures of the largest kind that is taken.
MAX_WAITING_BYTES = 32 * 2**20
_SILENT = f"did not answer within {ANSWER_WITHIN_S:.0f} s"
# Before a worker that died while it loaded is started again; twice as long each time.
FIRST_PAUSE_S = 0.5
# What ends a process from outside; nothing that it was at is to blame.
_FROM_OUTSIDE = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class WorkerRefused(RuntimeError):
    """The analyzers that were asked for can not be loaded: nothing to do but tell the user."""


class PinnedSession(Protocol):
    """What the pool needs of a session."""

    sid: str
    client: str
    """What whoever opened it is counted by."""

    @property
    def streaming(self) -> bool:
        """Whether it has frames to analyze now."""

    def on_worker_message(self, message: object) -> None:
        """Take a message that names this session."""

    def worker_restarted(self, fault: Fault, left_out: Sequence[str]) -> None:
        """Start anew on the replacement, without the analyzers that are left out for the fault."""


@dataclass(slots=True)
class WorkerHandle:
    """One worker process and the sessions pinned to it."""

    index: int
    process: WorkerProcess | None = None
    writer: asyncio.StreamWriter | None = None
    started_s: float = 0.0
    heard_s: float = 0.0
    ready: bool = False
    restarts: int = 0
    fault: Fault | None = None
    """Why it is being ended, if it is."""
    one_at_a_time_s: float = 0.0
    """How long its next process runs lanes one at a time."""
    stuck: set[tuple[str, str]] = field(default_factory=set)
    sent_bytes: int = 0
    waits_for: tuple[int, float] | None = None
    """How much is to be taken for it to keep up, and since when that waits."""
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
            data = pack(message)
            self.sent_bytes += len(data)
            self.writer.write(data)

    @property
    def is_full(self) -> bool:
        """Whether so much waits to be taken that pictures are left out."""
        waiting = self.writer.transport.get_write_buffer_size() if self.writer else 0
        return waiting > MAX_WAITING_BYTES

    def lags(self, now_s: float, after_s: float = LAGS_AFTER_S) -> bool:
        """Whether it has not taken what it was sent for a while: what is sent now comes late."""
        waiting = self.writer.transport.get_write_buffer_size() if self.writer else 0
        if not waiting:
            self.waits_for = None
        elif self.waits_for is None or self.sent_bytes - waiting >= self.waits_for[0]:
            self.waits_for = (self.sent_bytes, now_s)
        return self.waits_for is not None and now_s - self.waits_for[1] > after_s


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
    memory_bytes
        What a worker may take for itself; 0 is half of what the machine has, shared by all.
    max_pixels
        Videos with larger pictures are not decoded.
    verbose, quiet
        Debug logging in the workers, or nothing but warnings.
    """

    def __init__(
        self,
        size: int,
        specs: Sequence[AnalyzerSpec],
        *,
        settings: dict[str, dict[str, Any]] | None = None,
        memory_bytes: int = 0,
        max_pixels: int = DEFAULT_MAX_PIXELS,
        verbose: bool = False,
        quiet: bool = False,
    ) -> None:
        self.workers = [WorkerHandle(index) for index in range(size)]
        # What each is called: a class may name itself otherwise than the specification guessed.
        self.names = {spec.name: spec.name for spec in specs}
        self.unavailable: dict[str, str] = {}
        self.consecutive: dict[str, tuple[str, ...]] = {}
        self.refused: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._setup = json.dumps(
            {
                "specs": [asdict(spec) for spec in specs],
                "settings": settings or {},
                "max_pixels": max_pixels,
                "log_level": "DEBUG" if verbose else "WARNING" if quiet else "INFO",
            }
        )
        self._memory_bytes = memory_bytes or default_bound(size)
        self._template = Template([spec.target.partition(":")[0] for spec in specs])
        self._blame = Blame()
        self._tasks = Tasks("workers")
        self.became_ready = asyncio.Event()
        self.idle_replaced: Callable[[int, str], None] | None = None
        """Is told of a worker that was replaced while it had no session: which one, and why."""

    def start(self) -> None:
        """Start all processes; does not wait until they are ready."""
        for worker in self.workers:
            self._tasks.spawn(self._keep(worker), f"worker {worker.index}")

    async def stop(self) -> None:
        """End all processes and wait until they are gone."""
        await self._tasks.cancel()
        await self._template.close()

    # ---- sessions

    def assign(self, session: PinnedSession) -> WorkerHandle:
        """Pin a session to the worker that has the fewest streaming; ready ones come first."""
        worker = min(self.workers, key=lambda w: (not w.ready, w.load, len(w.sessions), w.index))
        worker.sessions[session.sid] = session
        return worker

    def release(self, worker: WorkerHandle, sid: str) -> None:
        """Forget a session that has ended."""
        worker.sessions.pop(sid, None)
        self._blame.forget(sid)

    def left_out_for(self, client: str) -> list[str]:
        """Analyzers that are left out of a client's new sessions, for what they did in others."""
        lanes = self._blame.lanes_of(client, time.monotonic())
        return [name for lane in lanes for name in lane.split("+")]

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
                fault = await self._live(worker)
            except WorkerRefused as refusal:
                if not self.became_ready.is_set():
                    if not self.refused.done():
                        self.refused.set_result(str(refusal))
                    return
                # It could be loaded before: someone is working on the model's file.
                fault = Fault("", f"can not load its analyzers ({refusal})")
            except Exception as error:
                logger.exception("Worker %d could not be served", worker.index)
                fault = Fault("", f"could not be served ({type(error).__name__})")
            was_ready, worker.ready = worker.ready, False
            worker.stuck.clear()
            worker.restarts += 1
            logger.warning("Worker %d %s: starting another", worker.index, fault.reason)
            worker.fault = None
            again = fault.phase and worker.one_at_a_time_s
            worker.one_at_a_time_s = ONE_AT_A_TIME_S if fault.is_uncertain or again else 0.0
            if was_ready and not worker.sessions and self.idle_replaced is not None:
                self.idle_replaced(worker.index, fault.reason)
            self._restart_sessions(worker, fault)
            if was_ready:
                backoff.reset()
            else:
                await asyncio.sleep(backoff.pause_s())

    async def _live(self, worker: WorkerHandle) -> Fault:
        """Run one process from its start to its end; says why it ended."""
        with contextlib.closing(BlackBox()) as black_box:
            connection = await self._start_process(worker, black_box)
            return await self._serve(worker, connection, black_box)

    async def _start_process(self, worker: WorkerHandle, black_box: BlackBox) -> socket.socket:
        """Have a process forked; returns the connection to it."""
        ours, theirs = socket.socketpair()
        with theirs, contextlib.ExitStack() as undo:
            undo.enter_context(ours)
            asked = Fork(self._setup, worker.one_at_a_time_s)
            worker.process = await self._template.fork(asked, theirs.fileno(), black_box.fd)
            undo.pop_all()
        return ours

    async def _serve(
        self, worker: WorkerHandle, connection: socket.socket, black_box: BlackBox
    ) -> Fault:
        reader, worker.writer = await asyncio.open_connection(sock=connection)
        worker.sent_bytes, worker.waits_for = 0, None
        worker.started_s = worker.heard_s = time.monotonic()
        name = f"watch worker {worker.index}"
        watch = asyncio.create_task(self._watch(worker), name=name)
        weigh = asyncio.create_task(self._weigh(worker, black_box), name=f"{name}'s memory")
        listen = asyncio.create_task(self._listen(worker, reader))
        try:
            await listen
            return worker.fault or await _cause_of_death(worker, black_box)
        finally:
            for task in (tasks := (watch, weigh, listen)):
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            worker.writer.close()
            if worker.process is not None:
                await worker.process.end()
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
            case Ready(names, unavailable, consecutive):
                worker.ready = True
                self.names, self.unavailable = names, unavailable
                self.consecutive = consecutive
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
                    logger.warning("Lane %s is stuck in session %s", lane, sid)
                    _replace(worker, Fault("hang", f"{_SILENT} in {lane}", [(sid, lane)]))
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
                _replace(worker, Fault("", _SILENT))
                return

    async def _weigh(self, worker: WorkerHandle, black_box: BlackBox) -> None:
        """End a process that takes too much memory."""
        while worker.pid is not None:
            takes = private_bytes(worker.pid)
            if takes > self._memory_bytes:
                may = f"{self._memory_bytes / 1e6:.0f} MB"
                reason = f"took {takes / 1e6:.0f} MB of memory, and may take {may}"
                # Decoders keep no memory, and are at work so often that they would be found here.
                suspects = [each for each in black_box.busy() if each[1] != DECODING]
                _replace(worker, Fault("memory", reason, suspects))
                return
            await asyncio.sleep(look_again_s(takes, self._memory_bytes))

    def _restart_sessions(self, worker: WorkerHandle, fault: Fault) -> None:
        clients = {sid: session.client for sid, session in worker.sessions.items()}
        left_out = self._blame.charge(fault, clients, time.monotonic())
        for sid, session in list(worker.sessions.items()):
            lane = left_out[1] if left_out and left_out[0] == sid else ""
            names = lane.split("+") if lane else ()
            _guarded(session, session.worker_restarted, fault, names)


async def _cause_of_death(worker: WorkerHandle, black_box: BlackBox) -> Fault:
    assert worker.process is not None
    code = await worker.process.wait()
    reason = f"died (signal {-code})" if code < 0 else f"ended with status {code}"
    if not worker.ready or -code in _FROM_OUTSIDE:
        return Fault("", reason)
    return Fault("crash", reason, black_box.busy())


def _guarded(session: PinnedSession, method: Callable[..., None], *arguments: Any) -> None:
    """Call a session; a fault in one must not cost the worker and its other sessions."""
    try:
        method(*arguments)
    except Exception:
        logger.exception("Session %s failed to take what its worker sent", session.sid)


def _replace(worker: WorkerHandle, fault: Fault) -> None:
    """End a worker's process for a fault; of several the first is told."""
    worker.fault = worker.fault or fault
    if worker.process is not None:
        worker.process.kill()
