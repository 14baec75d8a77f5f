"""The worker process: takes frames out of mailboxes, runs the analyzers, sends results.

Forked from `server.workers.template` for the pool. The main thread takes messages; each lane has a
thread of its own that runs one job at a time, so that no analyzer is ever called twice at once and
a slow lane holds up no other.
"""

from __future__ import annotations

import contextlib
import gc
import json
import logging
import os
import pickle
import queue
import selectors
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import cv2

from analyzers.base_model import AnalyzerUnavailable, BaseModel
from analyzers.chain import arrange
from analyzers.lane import Lane, LaneReport
from analyzers.ordering import ChainError, is_consecutive
from analyzers.registry import AnalyzerLoadError, AnalyzerSpec, load
from server.workers.analyzed import LaneJob
from server.workers.black_box import BlackBox, LaneNote
from server.workers.decoding import Decoding
from server.workers.dispatch import PATIENCE_S, Dispatcher
from server.workers.drawing import Drawing
from server.workers.lane_frame import LaneFrame
from server.workers.messages import (
    DECODING,
    LENGTH,
    Heartbeat,
    KeyFrameNeeded,
    Ready,
    Refused,
    is_of_video,
    pack,
)
from server.workers.newest_frame import STALE_S

logger = logging.getLogger(__name__)

# Below the server's: media is received and sent on time even when inference takes every core.
NICENESS = 10
# How often the pool hears that this process lives.
ALIVE_EVERY_S = 1.0
# Python's default of 5 ms lets a busy pure-Python analyzer hold up all other threads for that long
# each time they need the interpreter.
SWITCH_INTERVAL_S = 0.0005
# How often the main thread looks around; when it is so late, the process was stopped, or starved.
AWAKE_EVERY_S = 0.25
STOPPED_AFTER_S = 0.5


class Turns:
    """Lets lanes run one at a time for some seconds, and as they like from then on."""

    def __init__(self, seconds: float) -> None:
        self._until_s = time.monotonic() + seconds
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for a lane's turn."""
        if time.monotonic() >= self._until_s:
            yield
            return
        with self._lock:
            yield


class LaneThread:
    """Runs a lane's jobs, one at a time, in the order they were given.

    Parameters
    ----------
    lane
        What it runs.
    done
        Called on this thread with itself, the job, its report and its duration in seconds.
    note
        Where it notes the session it works for.
    turns
        Waits for this lane's turn, where lanes run one at a time.
    """

    def __init__(
        self,
        lane: Lane,
        done: Callable[[LaneThread, LaneJob, LaneReport, float], None],
        note: LaneNote,
        turns: Turns,
    ) -> None:
        self.lane = lane
        self._note = note
        self._turns = turns
        self.outstanding = 0
        self._jobs: queue.SimpleQueue[LaneJob] = queue.SimpleQueue()
        self._done = done
        self._busy: tuple[str, float] | None = None
        threading.Thread(target=self._run, name=f"lane {lane.name}", daemon=True).start()

    def submit(self, job: LaneJob) -> None:
        """Queue a job."""
        self.outstanding += 1
        self._jobs.put(job)

    def busy(self, now: float) -> tuple[str, str, float] | None:
        """Lane, session and seconds of the job that runs, None while idle."""
        running = self._busy
        return (self.lane.name, running[0], now - running[1]) if running else None

    def _run(self) -> None:
        while True:
            job = self._jobs.get()
            with self._turns.turn():
                began = time.monotonic()
                self._busy = (job.sid, began)
                self._note.begin(job.sid)
                report = self._report(job)
                self._note.done()
                self._busy = None
            self._done(self, job, report, time.monotonic() - began)

    def _report(self, job: LaneJob) -> LaneReport:
        try:
            return job.run(self.lane)
        except Exception:
            # Analyzers' exceptions are reports already; this is a fault of ours.
            logger.exception("Lane %s failed in session %s", self.lane.name, job.sid)
            return LaneReport()


class Worker:
    """Messages in, jobs to lanes, reports out.

    The dispatcher has one lock. A lane that has finished takes it, sends its result and gets its
    next frame on its own thread: handing over to the main thread and back would leave the lane idle
    for two waits for a processor, on a machine that has none to spare.
    """

    def __init__(
        self,
        connection: socket.socket,
        analyzers: list[BaseModel],
        black_box: BlackBox,
        turns: Turns,
        max_pixels: int,
    ) -> None:
        self._connection = connection
        self._lock = threading.Lock()
        self._outbox: list[bytes] = []
        self._lanes = [
            LaneThread(lane, self._lane_done, black_box.note_for(lane.name), turns)
            for lane in arrange(analyzers)
        ]
        self._drawing = Drawing(self._send)
        self._decoding = Decoding(
            self._show,
            lambda sid: self._send(KeyFrameNeeded(sid)),
            black_box.note_for(DECODING),
            max_pixels,
            turns.turn,
        )
        names = [a.name for a in analyzers]
        self._dispatcher = Dispatcher(
            *(self._lanes, names, self._post, self._drawing, self._decoding),
            max_pixels=max_pixels,
        )
        # One lane waits for nobody; of several, one may have to be given up.
        self._wait_s = AWAKE_EVERY_S if len(self._lanes) < 2 else PATIENCE_S / 3
        self._awake_s = time.monotonic()

    def run(self) -> None:
        """Serve until the server closes the connection."""
        try:
            self._serve()
        finally:
            self._drawing.close()

    def _serve(self) -> None:
        selector = selectors.DefaultSelector()
        selector.register(self._connection, selectors.EVENT_READ)
        next_alive = dispatched_s = 0.0
        buffer = bytearray()
        while True:
            if selector.select(self._wait_s):
                data = self._connection.recv(1 << 16)
                if not data:
                    return
                buffer += data
            with self._lock:
                self._notice_stop()
                messages = _messages(buffer)
                for message in messages:
                    self._dispatcher.receive(message)
                now = time.monotonic()
                if now >= next_alive:
                    busy = [lane.busy(now) for lane in self._lanes]
                    busy += [self._drawing.busy(now), self._decoding.busy(now)]
                    self._post(Heartbeat(tuple(each for each in busy if each is not None)))
                    next_alive = now + ALIVE_EVERY_S
                # A video's frames are there for a lane when they are decoded.
                if now - dispatched_s > self._wait_s or not all(map(is_of_video, messages)):
                    self._dispatcher.dispatch(now)
                    dispatched_s = now
                self._flush()
                self._awake_s = now

    def _notice_stop(self) -> None:
        """See whether the process has stood still; the first thread that goes on does."""
        now_s = time.monotonic()
        if now_s - self._awake_s > self._wait_s + STOPPED_AFTER_S:
            self._dispatcher.was_stopped(now_s - STALE_S)
            self._awake_s = now_s

    def _show(self, sid: str, frame: LaneFrame) -> None:
        # When the server is gone, the main thread sees to the end.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError), self._lock:
            self._notice_stop()
            self._dispatcher.show(sid, frame)
            if any(not lane.outstanding for lane in self._lanes):
                self._dispatcher.dispatch(time.monotonic())
            self._flush()

    def _lane_done(
        self, runner: LaneThread, job: LaneJob, report: LaneReport, duration_s: float
    ) -> None:
        try:
            with self._lock:
                self._notice_stop()
                runner.outstanding -= 1
                self._dispatcher.finished(runner, job, report, duration_s)
                # The next frame first: the lane's time is what is scarce.
                self._dispatcher.dispatch(time.monotonic())
                self._flush()
        except (BrokenPipeError, ConnectionResetError):
            self._drawing.close()
            os._exit(0)  # The server is gone.
        except Exception:
            # Without its lane this process is of no use; the pool starts another.
            logger.exception("Lane %s can not go on", runner.lane.name)
            os._exit(1)

    def _send(self, message: object) -> None:
        # When the server is gone, the main thread sees to the end.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError), self._lock:
            self._post(message)
            self._flush()

    def _post(self, message: object) -> None:
        self._outbox.append(pack(message))

    def _flush(self) -> None:
        if self._outbox:
            self._connection.sendall(b"".join(self._outbox))
            self._outbox.clear()
        self._dispatcher.draw()


def _messages(buffer: bytearray) -> list[Any]:
    """Take the whole messages out of what has arrived."""
    messages = []
    while len(buffer) >= LENGTH.size:
        (length,) = LENGTH.unpack_from(buffer)
        if len(buffer) < LENGTH.size + length:
            break
        messages.append(pickle.loads(buffer[LENGTH.size : LENGTH.size + length]))
        del buffer[: LENGTH.size + length]
    return messages


def load_analyzers(
    specs: list[AnalyzerSpec], settings: dict[str, dict[str, Any]]
) -> tuple[dict[str, BaseModel], dict[str, str]]:
    """Load what can run here, by the name it was asked for with, and say why the rest can not."""
    loaded: dict[str, BaseModel] = {}
    unavailable: dict[str, str] = {}
    for spec in specs:
        try:
            loaded[spec.name] = load(spec, settings.get(spec.name, {}))
        except AnalyzerUnavailable as reason:
            unavailable[spec.name] = str(reason)
    # What requires an analyzer that is unavailable is unavailable too.
    for name, analyzer in list(loaded.items()):
        missing = next((m for m in analyzer.requires if m in unavailable), None)
        if missing is not None:
            del loaded[name]
            unavailable[name] = f"it requires {missing}: {unavailable[missing]}"
    return loaded, unavailable


def run(connection_fd: int, black_box_fd: int, setup: str, one_at_a_time_s: float) -> None:
    """Serve in this process until the server closes the connection.

    Parameters
    ----------
    connection_fd, black_box_fd
        File descriptors of the two.
    setup
        JSON: specs, settings, log_level, max_pixels.
    one_at_a_time_s
        For how long its lanes run one at a time.
    """
    told = json.loads(setup)
    logging.basicConfig(
        level=told["log_level"],
        format="%(asctime)s %(levelname)s worker %(process)d %(name)s: %(message)s",
    )
    # Ctrl-C reaches the whole process group; the server ends its workers when it is done with them.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.nice(NICENESS)
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    # A picture is converted in 0.1 ms; waiting until a second thread gets a processor takes longer.
    cv2.setNumThreads(1)
    connection = socket.socket(fileno=connection_fd)
    connection.setblocking(True)
    # When the server goes away meanwhile, there is nobody to tell.
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        _serve(connection, told, BlackBox(black_box_fd), Turns(one_at_a_time_s))


def _serve(
    connection: socket.socket, setup: dict[str, Any], black_box: BlackBox, turns: Turns
) -> None:
    try:
        specs = [AnalyzerSpec(**spec) for spec in setup["specs"]]
        analyzers, unavailable = load_analyzers(specs, setup["settings"])
        worker = Worker(connection, list(analyzers.values()), black_box, turns, setup["max_pixels"])
    except (AnalyzerLoadError, ChainError) as error:
        connection.sendall(pack(Refused(str(error))))
        return
    # What the models brought along stays; the collector need not look at it again and again.
    gc.collect()
    gc.freeze()
    names = {asked: analyzer.name for asked, analyzer in analyzers.items()}
    consecutive = {asked: a.requires for asked, a in analyzers.items() if is_consecutive(a)}
    connection.sendall(pack(Ready(names, unavailable, consecutive)))
    worker.run()
