"""A real ``python -m server.publisher`` for tests."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.support.server import ROOT, Process, start_process

COMMAND = (sys.executable, "-m", "server.publisher")
SMALL_PATTERN = ("--camera", "pattern", "--camera-size", "320x240", "--camera-fps", "15")


class CameraPeer:
    """A running one, and what it has logged."""

    def __init__(self, process: Process, log: Path) -> None:
        self.process = process
        self._log = log

    @property
    def log(self) -> str:
        """All of it so far."""
        return self._log.read_text()

    def wait_until_logged(self, pattern: str, within_s: float = 60.0) -> re.Match[str]:
        """Wait until the log has what matches a pattern; returns the last match."""
        deadline = time.monotonic() + within_s
        while not (found := list(re.finditer(pattern, self.log))):
            assert time.monotonic() < deadline, f"no {pattern!r} in\n{self.log}"
            time.sleep(0.05)
        return found[-1]

    def wait_until_published(self, how: str = "") -> str:
        """Wait until it is; returns the session's id."""
        return self.wait_until_logged(rf"is published to \S+: session (\w+), .*{how}")[1]

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Ask it to end; returns the exit status."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(60)


@contextlib.contextmanager
def running_camera_peer(
    log_dir: Path,
    to: str,
    *flags: str,
    env: dict[str, str] | None = None,
    camera: Sequence[str] = SMALL_PATTERN,
    ice_address: str = "127.0.0.1",
    within: Sequence[str] = (),
    command: Sequence[str] = COMMAND,
) -> Iterator[CameraPeer]:
    """Publishes a pattern; killed in the end if it does not stop by itself.

    Parameters
    ----------
    to
        The server.
    flags, env
        Further ones.
    within
        A command that runs it somewhere, ``ip netns exec NAME`` say.
    command
        How it is started.
    """
    log = log_dir / f"camera-{time.monotonic_ns()}.log"
    ice = ("--ice-address", ice_address) if ice_address else ()
    with log.open("w") as output:
        line = [*within, *command, "--to", to, *camera, *ice, *flags]
        process = start_process(line, ROOT, {**os.environ, **(env or {})}, output)
    peer = CameraPeer(process, log)
    try:
        yield peer
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGCONT)
        try:
            peer.stop()
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise AssertionError(f"the camera did not stop\n{peer.log}") from None
