"""The process that workers are forked from: it has imported what each of them needs.

Started by the pool as ``python -m server.workers.template``. Importing takes a second or two of a
processor, which a worker that replaces a dead one would have its sessions wait for; a fork is there
at once, and shares the memory. No model is loaded here, and no thread runs: a fork has only the one
that made it. Ends with the pool.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import pickle
import selectors
import signal
import socket
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from analyzers.base_model import AnalyzerUnavailable
from analyzers.networks.runtime import import_openvino
from server.workers import memory, worker
from server.workers.messages import MAX_FORK_BYTES, Ended, Fork, Forked

# What a worker is called in lists of processes, whose command line is its template's.
NAME = "kinecast-worker"
# Of our own analyzers it is known that importing them starts no thread.
_OURS = "analyzers."
_NEEDS_OPENVINO = ("analyzers.pose", "analyzers.reid")


def main() -> None:
    """Fork a worker for each request, until nobody asks any more."""
    pool = socket.socket(fileno=int(sys.argv[1]))
    modules = [module for module in sys.argv[2:] if module.startswith(_OURS)]
    # Ctrl-C reaches the whole process group; the server ends its workers when it is done with them.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _import(modules)
    gc.collect()
    # Memory that the collector never looks at stays shared.
    gc.freeze()
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        _serve(pool)


def _import(modules: Sequence[str]) -> None:
    for module in modules:
        # What is wrong with one is told by the worker that loads it.
        with contextlib.suppress(Exception):
            importlib.import_module(module)
    if any(module.startswith(_NEEDS_OPENVINO) for module in modules):
        with contextlib.suppress(AnalyzerUnavailable):
            import_openvino()


def _serve(pool: socket.socket) -> None:
    ended, woken = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    # A handler of Python's own is needed for the descriptor to be written to.
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(woken, warn_on_full_buffer=False)
    selector = selectors.DefaultSelector()
    selector.register(pool, selectors.EVENT_READ)
    selector.register(ended, selectors.EVENT_READ)
    while True:
        ready = {key.fileobj for key, _ in selector.select()}
        if ended in ready:
            os.read(ended, 4096)
            _tell_of_the_ended(pool)
        if pool not in ready:
            continue
        data, descriptors, *_ = socket.recv_fds(pool, MAX_FORK_BYTES, 2)
        if not data:
            return
        child = os.fork()
        if child == 0:
            signal.set_wakeup_fd(-1)
            for descriptor in (ended, woken):
                os.close(descriptor)
            selector.close()
            pool.close()
            _become_worker(pickle.loads(data), *descriptors)
        for descriptor in descriptors:
            os.close(descriptor)
        pool.send(pickle.dumps(Forked(child)))


def _tell_of_the_ended(pool: socket.socket) -> None:
    with contextlib.suppress(ChildProcessError):
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                return
            pool.send(pickle.dumps(Ended(pid, os.waitstatus_to_exitcode(status))))


def _become_worker(asked: Fork, connection: int, black_box: int) -> None:
    """Run a worker in this process, which ends with it."""
    status = 1
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        with contextlib.suppress(OSError):
            Path("/proc/self/comm").write_text(NAME)
        memory.be_first_to_go()
        # Python's own generator is seeded anew by itself.
        np.random.seed()
        worker.run(connection, black_box, asked.setup, asked.one_at_a_time_s)
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        # A lane that is stuck in an analyzer must not hold up the exit.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


if __name__ == "__main__":
    main()
    sys.stdout.flush()
    os._exit(0)
