"""Processes of the server's that are forked from one which has imported it already.

To import it takes two seconds of a core, and tests start it a hundred times. What runs is the same
``python -m`` in a process of its own, with its own command line, environment, output and sockets.
"""

import atexit
import contextlib
import functools
import gc
import json
import os
import runpy
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

from tests.support.forked_nodes import fork_nodes

ROOT = Path(__file__).parents[2]
# OpenCV reads it when it is imported, and not again: the default of --max-pixels.
MAX_PIXELS = str(4096 * 4096)
_MAX_REQUEST_BYTES = 1 << 20


class Forked:
    """A process, as `subprocess.Popen` tells of one.

    Parameters
    ----------
    watcher
        A socket to its parent, from where its process id comes first, then its exit status.
    """

    def __init__(self, watcher: socket.socket) -> None:
        self._watcher = watcher
        self.pid = self._next_number()
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """Its exit status; None while it runs."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.wait(0.0)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait some seconds for its end; returns its exit status, negative for a signal's number.

        Raises
        ------
        subprocess.TimeoutExpired
            It runs on.
        """
        if self.returncode is None:
            self._watcher.settimeout(timeout)
            try:
                self.returncode = self._next_number()
            except (TimeoutError, BlockingIOError):
                raise subprocess.TimeoutExpired(str(self.pid), timeout or 0.0) from None
            self._watcher.close()
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Send it a signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it at once."""
        self.send_signal(signal.SIGKILL)

    def _next_number(self) -> int:
        data = self._watcher.recv(4)
        if len(data) < 4:
            raise RuntimeError("who watches the process is gone")
        return int.from_bytes(data, "little", signed=True)


class Command:
    """A module that runs to its end, and what it prints.

    Parameters
    ----------
    command
        ``server`` and its flags, as they follow ``python -m``.
    env
        What its environment has beside this process's.
    """

    def __init__(self, *command: str, env: Mapping[str, str] | None = None) -> None:
        self._out, self._err = _written(), _written()
        self._process = start(command, {**os.environ, **(env or {})}, self._out, self._err)

    @property
    def returncode(self) -> int | None:
        """Its exit status, once it was waited for."""
        return self._process.returncode

    def communicate(self, timeout: float) -> tuple[str, str]:
        """Wait some seconds for its end; returns what it printed, and what of it to stderr."""
        try:
            self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            self._process.kill()
            raise
        with self._out, self._err:
            for each in (self._out, self._err):
                each.seek(0)
            return self._out.read(), self._err.read()


def _written() -> IO[str]:
    return tempfile.TemporaryFile("w+")


def start(
    command: Sequence[str],
    env: Mapping[str, str],
    output: IO[str],
    errors: IO[str] | None = None,
) -> Forked:
    """Start a module.

    Parameters
    ----------
    command
        ``server`` and its flags, as they follow ``python -m``.
    env
        Its whole environment.
    output, errors
        The files that it writes to; one for both where only one is given.
    """
    written = [output.fileno(), (errors or output).fileno()]
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        request = json.dumps([list(command), dict(env)]).encode()
        socket.send_fds(_parent(), [request], [theirs.fileno(), *written])
    return Forked(ours)


@functools.cache
def _parent() -> socket.socket:
    """The process that forks, and where to ask it."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    # A fork has none of its parent's threads, OpenBLAS's neither.
    env = {**os.environ, "OPENCV_IO_MAX_IMAGE_PIXELS": MAX_PIXELS, "OPENBLAS_NUM_THREADS": "1"}
    command = [sys.executable, "-m", __name__, str(theirs.fileno())]
    with theirs:
        process = subprocess.Popen(command, cwd=ROOT, env=env, pass_fds=[theirs.fileno()])
    atexit.register(process.wait)
    atexit.register(ours.close)
    return ours


def _fork_when_asked(asked: socket.socket) -> None:
    """Start a module for each request, until nobody asks any more."""
    while True:
        request, descriptors, *_ = socket.recv_fds(asked, _MAX_REQUEST_BYTES, 3)
        _forget_the_ended()
        if not request:
            return
        if os.fork() == 0:
            asked.close()
            _start_and_watch(*json.loads(request), *descriptors)
            return
        for descriptor in descriptors:
            os.close(descriptor)


def _forget_the_ended() -> None:
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _start_and_watch(
    command: Sequence[str], env: Mapping[str, str], told: int, out: int, err: int
) -> None:
    """Run a module in a child, and tell of the child; only the child returns."""
    if child := os.fork():
        with socket.socket(fileno=told) as watcher:
            watcher.send(child.to_bytes(4, "little", signed=True))
            _, status = os.waitpid(child, 0)
            watcher.send(os.waitstatus_to_exitcode(status).to_bytes(4, "little", signed=True))
        os._exit(0)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.dup2(out, 1)
    os.dup2(err, 2)
    for descriptor in (out, err, told):
        os.close(descriptor)
    os.environ.clear()
    os.environ.update(env)
    sys.argv = list(command)
    # By which a server of several nodes starts them.
    sys.orig_argv[:] = [sys.executable, "-m", *command]
    fork_nodes()
    runpy.run_module(command[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    # Imported for those that are forked.
    import server.app
    import server.cli.drain
    import server.cluster.parent
    import server.publisher.__main__  # noqa: F401

    # No fork looks at it, nor takes it down object by object when it ends: that took half a second.
    gc.collect()
    gc.freeze()
    # Ctrl-C is for them.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _fork_when_asked(socket.socket(fileno=int(sys.argv[1])))
