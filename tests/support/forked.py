"""Processes of the server's that are forked from one which has imported it already.

To import it takes two seconds of a core, and tests start it a hundred times. What runs is the same
``python -m`` in a process of its own, with its own command line, environment, output and sockets.
"""

import atexit
import contextlib
import functools
import json
import os
import runpy
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

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

    def kill(self) -> None:
        """End it at once."""
        self.send_signal(signal.SIGKILL)

    def _next_number(self) -> int:
        data = self._watcher.recv(4)
        if len(data) < 4:
            raise RuntimeError("who watches the process is gone")
        return int.from_bytes(data, "little", signed=True)


def start(command: Sequence[str], env: Mapping[str, str], output: IO[str]) -> Forked:
    """Start a module.

    Parameters
    ----------
    command
        ``server`` and its flags, as they follow ``python -m``.
    env
        Its whole environment.
    output
        The file that it writes to.
    """
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        request = json.dumps([list(command), dict(env)]).encode()
        socket.send_fds(_parent(), [request], [theirs.fileno(), output.fileno()])
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
        request, descriptors, *_ = socket.recv_fds(asked, _MAX_REQUEST_BYTES, 2)
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


def _start_and_watch(command: Sequence[str], env: Mapping[str, str], told: int, out: int) -> None:
    """Run a module in a child, and tell of the child; only the child returns."""
    if child := os.fork():
        with socket.socket(fileno=told) as watcher:
            watcher.send(child.to_bytes(4, "little", signed=True))
            _, status = os.waitpid(child, 0)
            watcher.send(os.waitstatus_to_exitcode(status).to_bytes(4, "little", signed=True))
        os._exit(0)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for standard in (1, 2):
        os.dup2(out, standard)
    os.close(out)
    os.close(told)
    os.environ.clear()
    os.environ.update(env)
    sys.argv = list(command)
    runpy.run_module(command[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    # Imported for those that are forked.
    import server.app
    import server.publisher.__main__  # noqa: F401

    # Ctrl-C is for them.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _fork_when_asked(socket.socket(fileno=int(sys.argv[1])))
