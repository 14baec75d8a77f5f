"""The worker process: takes frames out of mailboxes, runs the analyzers, sends results.

Started by the pool as ``python -m server.workers.worker``. The main thread owns all state and never
computes; each lane has a thread of its own that runs one job at a time, so that no analyzer is ever
called twice at once and a slow lane holds up no other.
"""

from __future__ import annotations

import argparse
import contextlib
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
from collections import deque
from collections.abc import Callable
from typing import Any

from analyzers.base_model import AnalyzerUnavailable, BaseModel
from analyzers.chain import ChainError, Lane, LaneReport, arrange
from analyzers.registry import AnalyzerLoadError, AnalyzerSpec, load
from server.workers.dispatch import Dispatcher
from server.workers.messages import LENGTH, Alive, Ready, Refused, pack

logger = logging.getLogger(__name__)

# Below the server's: media is received and sent on time even when inference takes every core.
NICENESS = 5
# How often the pool hears that this process lives.
ALIVE_EVERY_S = 1.0
# Python's default of 5 ms lets a busy pure-Python analyzer hold up all other threads for that long
# each time they need the interpreter.
SWITCH_INTERVAL_S = 0.0005


class LaneThread:
    """Runs a lane's jobs, one at a time, in the order they were given."""

    def __init__(self, lane: Lane, done: Callable[[], None]) -> None:
        self.lane = lane
        self._jobs: queue.SimpleQueue[tuple[str, Callable[[], LaneReport], Any]] = (
            queue.SimpleQueue()
        )
        self.finished: deque[tuple[Any, LaneReport, float]] = deque()
        self._done = done
        self.outstanding = 0
        self._busy: tuple[str, float] | None = None
        threading.Thread(target=self._run, name=f"lane {lane.name}", daemon=True).start()

    def submit(self, sid: str, job: Callable[[], LaneReport], ticket: Any) -> None:
        """Queue a job; ``ticket`` comes back with its report in ``finished``."""
        self.outstanding += 1
        self._jobs.put((sid, job, ticket))

    def busy(self, now: float) -> tuple[str, str, float] | None:
        """Lane, session and seconds of the job that runs, None while idle."""
        running = self._busy
        return (self.lane.name, running[0], now - running[1]) if running else None

    def _run(self) -> None:
        while True:
            sid, job, ticket = self._jobs.get()
            began = time.monotonic()
            self._busy = (sid, began)
            try:
                report = job()
            except Exception:
                # Analyzers' exceptions are reports already; this is a fault of ours.
                logger.exception("Lane %s failed in session %s", self.lane.name, sid)
                report = LaneReport({}, {}, ())
            self._busy = None
            self.finished.append((ticket, report, time.monotonic() - began))
            self._done()


class Worker:
    """The main thread: messages in, jobs to lanes, reports out."""

    def __init__(self, connection: socket.socket, analyzers: list[BaseModel]) -> None:
        self._connection = connection
        self._wake_in, self._wake_out = socket.socketpair()
        self._wake_in.setblocking(False)
        self._wake_out.setblocking(False)
        self._lanes = [LaneThread(lane, self._wake) for lane in arrange(analyzers)]
        self._dispatcher = Dispatcher(
            self._lanes, [a.name for a in analyzers], lambda message: self._send(message)
        )

    def run(self) -> None:
        """Serve until the server closes the connection."""
        selector = selectors.DefaultSelector()
        selector.register(self._connection, selectors.EVENT_READ)
        selector.register(self._wake_in, selectors.EVENT_READ)
        next_alive = 0.0
        buffer = bytearray()
        while True:
            now = time.monotonic()
            if now >= next_alive:
                busy = tuple(b for lane in self._lanes if (b := lane.busy(now)))
                self._send(Alive(busy))
                next_alive = now + ALIVE_EVERY_S
            wait_s = min(next_alive - now, self._dispatcher.seconds_to_deadline(now))
            for key, _ in selector.select(max(wait_s, 0.0)):
                if key.fileobj is self._wake_in:
                    with contextlib.suppress(BlockingIOError):
                        self._wake_in.recv(4096)
                    continue
                data = self._connection.recv(1 << 16)
                if not data:
                    return
                buffer += data
            for message in _messages(buffer):
                self._dispatcher.receive(message)
            for lane in self._lanes:
                while lane.finished:
                    ticket, report, duration_s = lane.finished.popleft()
                    lane.outstanding -= 1
                    self._dispatcher.finished(lane, ticket, report, duration_s)
            self._dispatcher.dispatch(time.monotonic())

    def _send(self, message: object) -> None:
        self._connection.sendall(pack(message))

    def _wake(self) -> None:
        with contextlib.suppress(BlockingIOError):
            self._wake_out.send(b".")


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


def main() -> None:
    """Serve the connection whose file descriptor is given, until it closes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fd", type=int, required=True)
    parser.add_argument("--setup", required=True, help="JSON: specs, settings, verbose")
    arguments = parser.parse_args()
    setup = json.loads(arguments.setup)
    logging.basicConfig(
        level=logging.DEBUG if setup["verbose"] else logging.INFO,
        format="%(asctime)s %(levelname)s worker %(process)d %(name)s: %(message)s",
    )
    # Ctrl-C reaches the whole process group; the server ends its workers when it is done with them.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.nice(NICENESS)
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    connection = socket.socket(fileno=arguments.fd)
    connection.setblocking(True)
    # When the server goes away meanwhile, there is nobody to tell.
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        _serve(connection, setup)


def _serve(connection: socket.socket, setup: dict[str, Any]) -> None:
    try:
        specs = [AnalyzerSpec(**spec) for spec in setup["specs"]]
        analyzers, unavailable = load_analyzers(specs, setup["settings"])
        worker = Worker(connection, list(analyzers.values()))
    except (AnalyzerLoadError, ChainError) as error:
        connection.sendall(pack(Refused(str(error))))
        return
    connection.sendall(pack(Ready({k: a.name for k, a in analyzers.items()}, unavailable)))
    worker.run()


if __name__ == "__main__":
    main()
    # A lane that is stuck in an analyzer must not hold up the exit.
    sys.stdout.flush()
    os._exit(0)
