"""A node that somebody else's program keeps: started, started again when it ends, ended in order.

The program is a worker of Ray's, whose threads, signals, niceness and environment are its own: the
node is a child that has none of them. It ends by itself when the program does, however that ends,
since a pipe closes then. PR_SET_PDEATHSIG would not do: it goes by the thread that has started it.
"""

from __future__ import annotations

import logging
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from socket import socket

from server.backoff import Backoff
from server.cluster.node import MAX_NODES, VARIABLE, Node
from server.cluster.secure_port import bind, write_address
from server.config import BadSettings, Settings
from server.http.listener import listen, refusal
from server.watchdog.supervisor import BAD_SETTINGS

logger = logging.getLogger(__name__)

# A machine that has other nodes already: the next one takes the next two ports.
MAX_NODES_A_MACHINE = 16
CLUSTER_PORTS = 10
_TRY_EVERY_S = 0.2
FIRST_PAUSE_S = 0.5
# A node that has run for so long is started again as if it had never ended.
STEADY_S = 60.0
# Sessions get their final results, recordings are closed: what the server allows itself, and more.
ENDS_WITHIN_S = 100.0
# Raw pictures of a few sessions.
LEAST_SHM_BYTES = 256 << 20
SHM = "/dev/shm"
# What a worker of Ray's has been given, and its node is not to know: tokens, one thread for all
# arithmetic, no GPU, a debugger that listens on the network.
_OF_RAY = frozenset({"OMP_NUM_THREADS", "PYTHONBREAKPOINT", "SPT_NOENV", "NOTIFY_SOCKET"})


@dataclass(frozen=True, slots=True)
class Doors:
    """The sockets that clients connect to.

    Attributes
    ----------
    place
        Which node of its machine it is.
    main, next_port
        As `Node` has them; the first is empty with --websocket-only.
    """

    place: int
    main: list[socket]
    next_port: list[socket]


class KeptNode:
    """One node, as a child of this process.

    Parameters
    ----------
    number
        Which one.
    flags
        The server's.
    settings
        What they mean on this machine.
    address
        At which other machines reach this one.
    patience_s, place
        See `open_doors`.

    Raises
    ------
    BadSettings
        A port can not be had.
    """

    def __init__(
        self,
        number: int,
        flags: Sequence[str],
        settings: Settings,
        address: str,
        patience_s: float = 0.0,
        place: int = 0,
    ) -> None:
        self.number = number
        self.starts = 0
        self.problem = ""
        self._doors = open_doors(settings, patience_s, place)
        try:
            port = settings.cluster_port
            self._inner = bind(address, port, CLUSTER_PORTS if port else 1)
        except OSError as error:
            raise BadSettings(
                f"other nodes can not be let in at {address}, port {port or 'any'}: {error}"
                " (see --cluster-address and --cluster-port)"
            ) from error
        scheme = "https" if settings.self_signed or settings.cert_file else "http"
        self.port = settings.port + 2 * self._doors.place
        self.url = f"{scheme}://{address if _is_open(settings) else settings.host}:{self.port}"
        self.inner_address = write_address(self._inner)
        own = ["--port", str(self.port)]
        if settings.ice_port is not None:
            own += ["--ice-port", str(settings.ice_port + self._doors.place)]
        self._command = [sys.executable, "-m", "server", *flags, *own]
        self._directory = tempfile.mkdtemp(prefix="kinecast-")
        self._ends, self._held = os.pipe()
        self._stopping = threading.Event()
        self._child: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._keep, name="node", daemon=True)

    def start(self) -> None:
        """Have it run from now on."""
        self._thread.start()

    @property
    def place(self) -> int:
        """Which node of its machine it is."""
        return self._doors.place

    @property
    def pid(self) -> int | None:
        """Of its supervisor."""
        child = self._child
        return child.pid if child is not None else None

    def tell_registry(self, address: str) -> None:
        """Where the registry is from now on."""
        path = Path(self._directory) / "registry.sock"
        new = path.with_suffix(".new")
        new.write_text(address)
        new.replace(path)

    def drain(self) -> None:
        """End it in order, and start it again; waits until it has ended."""
        with self._lock:
            child = self._child
            if child is not None:
                _end(child)

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """End it in order, for good.

        Parameters
        ----------
        how
            SIGINT where all nodes end at the same time, and none is there for another one's
            sessions.
        """
        self._stopping.set()
        with self._lock:
            child = self._child
            if child is not None:
                _end(child, how)
        if self._thread.is_alive():
            self._thread.join(ENDS_WITHIN_S)
        for each in (*self._doors.main, *self._doors.next_port, self._inner):
            each.close()
        os.close(self._held)
        os.close(self._ends)
        shutil.rmtree(self._directory, ignore_errors=True)

    def _keep(self) -> None:
        _be_as_urgent_as_others()
        backoff = Backoff(FIRST_PAUSE_S)
        while not self._stopping.is_set():
            began_s = time.monotonic()
            try:
                with self._lock:
                    if self._stopping.is_set():
                        return
                    self._child = child = self._start()
            except OSError as error:
                self.problem = f"it can not be started: {error}"
                self._stopping.wait(backoff.pause_s())
                continue
            self.starts += 1
            status = child.wait()
            self._child = None
            if self._stopping.is_set():
                return
            self.problem = f"it ended with status {status}"
            if status == BAD_SETTINGS:
                self.problem += ": a setting can not be used, its log says which"
            if time.monotonic() - began_s >= STEADY_S:
                backoff.reset()
            pause_s = backoff.pause_s()
            logger.error("Node %02x: %s, again in %.1f s", self.number, self.problem, pause_s)
            self._stopping.wait(pause_s)

    def _start(self) -> subprocess.Popen[bytes]:
        node = Node(
            self.number,
            MAX_NODES,
            self._directory,
            tuple(each.fileno() for each in self._doors.next_port),
            tuple(each.fileno() for each in self._doors.main),
            self._ends,
            (self._inner.fileno(),),
        )
        return subprocess.Popen(
            self._command,
            env=without_ray(os.environ) | {VARIABLE: node.write()},
            pass_fds=(*node.next_port, *node.main_port, node.parent, *node.inner_port),
            stdin=subprocess.DEVNULL,
            # What is sent to whoever is at a terminal is not for it.
            start_new_session=True,
        )


def open_doors(settings: Settings, patience_s: float = 0.0, place: int = 0) -> Doors:
    """The first two ports from --port on that no other node of this machine has.

    Parameters
    ----------
    settings
        The server's.
    patience_s
        So long it is waited for those of `place`: a predecessor may be about to end.
    place
        Whose ports are tried first.

    Raises
    ------
    BadSettings
        There are none.
    """
    until_s = time.monotonic() + patience_s
    others = [each for each in range(MAX_NODES_A_MACHINE) if each != place]
    for each in (place, *others):
        while True:
            try:
                return _open_at(settings, each)
            except OSError as error:
                if time.monotonic() < until_s:
                    time.sleep(_TRY_EVERY_S)
                    continue
                if each == others[-1]:
                    raise refusal(settings.host, settings.port + 2 * each, error) from error
                break
    raise AssertionError("there is always a last one")


def _open_at(settings: Settings, place: int) -> Doors:
    port = settings.port + 2 * place
    main = [] if settings.websocket_only else listen(settings.host, port)
    try:
        return Doors(place, main, listen(settings.host, port + 1))
    except OSError:
        for each in main:
            each.close()
        raise


def without_ray(environ: Mapping[str, str]) -> dict[str, str]:
    """An environment without what Ray has put there for its workers."""
    kept = {
        name: value
        for name, value in environ.items()
        if name not in _OF_RAY and not name.startswith("RAY_")
    }
    if not kept.get("CUDA_VISIBLE_DEVICES", "all"):
        del kept["CUDA_VISIBLE_DEVICES"]
    return kept


def warnings_of_machine(pid: int) -> list[str]:
    """What is not as it should be for a node on this machine, and what to do about it.

    Parameters
    ----------
    pid
        Of the node; 0 is this process.
    """
    told = []
    niceness = 0
    with suppress(OSError):
        niceness = os.getpriority(os.PRIO_PROCESS, pid)
    if niceness > 0:
        told.append(
            f"it runs at niceness {niceness}, behind all else on its machine:"
            " set RAY_worker_niceness=0 where ray start is called"
        )
    with suppress(OSError):
        free = shutil.disk_usage(SHM).free
        if free < LEAST_SHM_BYTES:
            told.append(
                f"{SHM} has {free >> 20} MB left for pictures: give ray start"
                " --object-store-memory=100000000, or the container more of it"
            )
    return told


def _be_as_urgent_as_others() -> None:
    """Undo Ray's niceness for this thread and what it starts; needs a right that few have."""
    with suppress(OSError):
        if os.getpriority(os.PRIO_PROCESS, 0) > 0:
            os.setpriority(os.PRIO_PROCESS, 0, 0)


def _end(child: subprocess.Popen[bytes], how: signal.Signals = signal.SIGTERM) -> None:
    with suppress(ProcessLookupError):
        child.send_signal(how)
    try:
        child.wait(ENDS_WITHIN_S)
    except subprocess.TimeoutExpired:
        # Its own child notices, and ends.
        child.kill()
        child.wait()


def _is_open(settings: Settings) -> bool:
    return settings.host in ("0.0.0.0", "::")
