"""Nodes that are forked by their server's parent process, where that was forked itself.

Each of them would take three seconds of a core to import what their parent has imported.
"""

import asyncio
import contextlib
import gc
import json
import logging
import os
import runpy
import signal
import subprocess
import sys
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from server.cluster.node import VARIABLE, tag_of

_DEFAULTS = {
    signal.SIGINT: signal.default_int_handler,
    signal.SIGTERM: signal.SIG_DFL,
    signal.SIGCHLD: signal.SIG_DFL,
}


def name_of(number: int) -> str:
    """What a forked node is called in lists of processes: /proc has its parent's environment."""
    return f"node {tag_of(number)}"


def fork_nodes() -> None:
    """From now on this process forks the nodes that it starts; whatever else is started as ever."""
    start_anew = subprocess.Popen._execute_child

    def start(
        self: Any, args: Any, executable: Any, prepare: Any, close: Any, *more: Any, **named: Any
    ) -> None:
        passed, _, env, *_ = more
        is_node = list(args[1:3]) == ["-m", "server"] and VARIABLE in (env or ())
        if not is_node:
            start_anew(self, args, executable, prepare, close, *more, **named)
            return
        self.pid = os.fork()
        if self.pid == 0:
            # A node starts none.
            subprocess.Popen._execute_child = start_anew
            _become(args, set(passed), env)
        self._child_created = True

    subprocess.Popen._execute_child = start


def _become(command: Sequence[str], descriptors: set[int], env: Mapping[str, str]) -> NoReturn:
    """Run a node in this process, which ends with it.

    Parameters
    ----------
    command
        ``python -m server`` and its flags.
    descriptors
        What it gets of its parent's, beside the standard ones.
    """
    status = 1
    try:
        asyncio._set_running_loop(None)
        signal.set_wakeup_fd(-1)
        for number, handler in _DEFAULTS.items():
            signal.signal(number, handler)
        logging.getLogger().handlers.clear()
        # What closes itself when it is collected would close another one's descriptor.
        gc.freeze()
        for descriptor in {int(name) for name in os.listdir("/proc/self/fd")} - descriptors:
            with contextlib.suppress(OSError):
                if descriptor > 2:
                    os.close(descriptor)
        os.environ.clear()
        os.environ.update(env)
        Path("/proc/self/comm").write_text(name_of(json.loads(env[VARIABLE])["number"]))
        sys.argv = list(command[2:])
        runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
        status = 0
    except SystemExit as ended:
        status = ended.code if isinstance(ended.code, int) else 0 if ended.code is None else 1
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
