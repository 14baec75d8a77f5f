"""A real server process for tests."""

import contextlib
import json
import os
import random
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any

from tests.support import forked
from tests.support.forked import ROOT

COUNTER = "tests.support.models:Counter"
FAULTY = "tests.support.models:Faulty"
READY_WITHIN_S = 60.0
FIRST_PORT, PORT_SLICES, PORTS_IN_SLICE = 12000, 8, 2000
MODULE = (sys.executable, "-m", "server")
Process = subprocess.Popen[str] | forked.Forked
CONSOLE_SCRIPT = (str(Path(sys.executable).with_name("kinecast")),)


def free_port() -> int:
    """A port that is free, and the next one too.

    Below those that the system gives to connections, and of a range that each process which runs
    tests has for itself: nobody else takes it between now and its use.
    """
    slice_of = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % PORT_SLICES
    first_port = FIRST_PORT + slice_of * PORTS_IN_SLICE
    while True:
        port = first_port + random.randrange(0, PORTS_IN_SLICE - 1)
        with socket.socket() as first, socket.socket() as second, contextlib.suppress(OSError):
            first.bind(("127.0.0.1", port))
            second.bind(("127.0.0.1", port + 1))
            return port


class Server:
    """A running ``python -m server``."""

    def __init__(self, process: Process, port: int, log: Path, scheme: str) -> None:
        self.process = process
        self.port = port
        self.url = f"{scheme}://127.0.0.1:{port}"
        self._log = log

    @property
    def log(self) -> str:
        """All it has logged so far."""
        return self._log.read_text()

    def get(self, path: str) -> Any:
        """The JSON, or else the text, at a path."""
        with urllib.request.urlopen(self.url + path, timeout=60) as response:
            text = response.read().decode()
        return json.loads(text) if text.startswith(("{", "[")) else text

    def delete(self, path: str) -> None:
        """Ask for something to be ended."""
        request = urllib.request.Request(self.url + path, method="DELETE")
        urllib.request.urlopen(request, timeout=60).close()

    def metric(self, name: str) -> float:
        """One value of /metrics; labels belong to the name."""
        match = re.search(rf"^{re.escape(name)} (\S+)$", self.get("/metrics"), re.MULTILINE)
        assert match, f"no metric {name}"
        return float(match[1])

    def wait_until(self, path: str, condition: Any, within_s: float = 60.0) -> Any:
        """Ask for a path until its answer fulfils a condition."""
        deadline = time.monotonic() + within_s
        while True:
            answer = self.get(path)
            if condition(answer):
                return answer
            assert time.monotonic() < deadline, f"{path} still says {answer}\n{self.log}"
            time.sleep(0.05)

    def wait_until_logged(self, pattern: str, within_s: float = 60.0) -> None:
        """Wait until the log has what matches a pattern."""
        deadline = time.monotonic() + within_s
        while not re.search(pattern, self.log):
            assert time.monotonic() < deadline, f"no {pattern!r} in\n{self.log}"
            time.sleep(0.05)

    def stop(self, number: signal.Signals = signal.SIGINT) -> int:
        """Stop it as Ctrl-C does; returns the exit status."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(60)


@contextlib.contextmanager
def running_server(
    log_dir: Path,
    *flags: str,
    scheme: str = "http",
    command: Sequence[str] = MODULE,
    cwd: Path = ROOT,
    path: str = "",
    until_ready: bool = True,
    port: int | None = None,
    watched: bool = False,
    anew: bool = False,
) -> Iterator[Server]:
    """A server on a free port, its media on 127.0.0.1, with workers that are ready.

    Parameters
    ----------
    log_dir
        Where its log goes.
    flags
        Further ones.
    command
        How it is started.
    cwd
        Where it runs.
    path
        Where else it finds modules.
    until_ready
        Whether to wait until its workers are.
    port
        In place of a free one.
    watched
        Whether it has a supervisor; without one, its process is the media process.
    anew
        Whether Python starts for it: a supervisor has then imported nothing but itself, and is
        there long before its media process.
    """
    unwatched = () if watched else ("--no-watchdog",)
    port = free_port() if port is None else port
    log = log_dir / f"server-{port}.log"
    with log.open("w") as output:
        # Keys and certificates are made in a directory of the test's.
        env = {**os.environ, "PYTHONPATH": path, "XDG_DATA_HOME": str(log_dir / "data")}
        line = [*command, "--port", str(port), "--ice-address", "127.0.0.1", *unwatched, *flags]
        process = start_process(line, cwd, env, output, anew=anew)
    server = Server(process, port, log, scheme)
    try:
        if until_ready and scheme == "http" and "--websocket-only" not in flags:
            wait_until_ready(server)
        yield server
    finally:
        try:
            server.stop()
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise AssertionError(f"the server did not stop\n{server.log}") from None


def start_process(
    command: Sequence[str],
    cwd: Path,
    env: dict[str, str],
    output: IO[str],
    *,
    anew: bool = False,
) -> Process:
    """Start a module of the server's, by a fork where that makes no difference."""
    is_forked = (
        not anew
        and tuple(command[:2]) == (sys.executable, "-m")
        and cwd == ROOT
        and not env.get("PYTHONPATH")
        and "--max-pixels" not in command
    )
    if is_forked:
        return forked.start(command[2:], env, output)
    return subprocess.Popen(
        command, cwd=cwd, env=env, stdout=output, stderr=subprocess.STDOUT, text=True
    )


def wait_until_ready(server: Server) -> None:
    """Wait until its workers take frames; it may be down meanwhile."""
    deadline = time.monotonic() + READY_WITHIN_S
    while time.monotonic() < deadline:
        assert server.process.poll() is None, f"the server ended\n{server.log}"
        with contextlib.suppress(OSError):
            if server.get("/health")["ready"]:
                return
        time.sleep(0.05)
    raise AssertionError(f"the server did not get ready\n{server.log}")


def run_until_exit(*flags: str, env: dict[str, str] | None = None) -> tuple[int, str]:
    """Run a server that should refuse to start; returns its status and what it printed."""
    process = forked.Command("server", *flags, env=env)
    _, printed = process.communicate(timeout=60)
    assert process.returncode is not None
    return process.returncode, printed
