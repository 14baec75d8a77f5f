"""What the supervisor knows of a media process, and how the two of them part."""

from __future__ import annotations

import contextlib
import os
import signal
import time

# The media process beats every second (heartbeat.py).
SILENT_WITHIN_S = 10.0
# Until its ports are bound it only imports: 1 to 2 s, on a Pi with a slow card some 20. The models
# load in its workers, while it beats. Below the 90 s that systemd waits for READY=1.
START_WITHIN_S = 60.0
LOOK_EVERY_S = 0.5
# Workers end when their connection closes, and give shared memory back; then they are killed.
GROUP_ENDS_WITHIN_S = 2.0
# One that crashes sooner than this after its first beat is started again after a growing pause.
STEADY_AFTER_S = 10.0


class MediaProcess:
    """A media process, which leads a process group of its own.

    Parameters
    ----------
    pid
        Its process id.
    pipe
        Where its beats and books arrive.
    """

    def __init__(self, pid: int, pipe: int) -> None:
        self.pid = pid
        self.pipe: int | None = pipe
        self.beating_since_s: float | None = None
        self.silent_looks = 0
        self.hung = False
        self._unfinished = b""
        os.set_blocking(pipe, False)

    @property
    def is_overdue(self) -> bool:
        """Whether it has been silent for too long.

        Counted in looks, not in time: when the supervisor itself was stopped, or the machine slept,
        that is one look.
        """
        within_s = START_WITHIN_S if self.beating_since_s is None else SILENT_WITHIN_S
        return self.silent_looks * LOOK_EVERY_S >= within_s

    @property
    def was_steady(self) -> bool:
        """Whether it ran for a while before it ended."""
        since_s = self.beating_since_s
        return since_s is not None and time.monotonic() - since_s >= STEADY_AFTER_S

    def hear(self) -> bytes | None:
        """Take what it has written, a line a beat; returns the newest book in it."""
        assert self.pipe is not None
        with contextlib.suppress(BlockingIOError):
            while data := os.read(self.pipe, 1 << 16):
                self.silent_looks = 0
                self.beating_since_s = self.beating_since_s or time.monotonic()
                self._unfinished += data
            self.close()
        *lines, self._unfinished = self._unfinished.split(b"\n")
        return next((line for line in reversed(lines) if line), None)

    def close(self) -> None:
        """Let go of the pipe."""
        if self.pipe is not None:
            os.close(self.pipe)
            self.pipe = None

    def cause(self, status: int = 0) -> str:
        """Why it is no longer there; `status` is that of `end_group`."""
        if self.hung and self.beating_since_s is None:
            return f"The media process did not come up within {START_WITHIN_S:.0f} s"
        if self.hung:
            return f"The event loop did not turn for {SILENT_WITHIN_S:.0f} s"
        how = f"died (signal {-status})" if status < 0 else f"ended with status {status}"
        return f"The media process {how}"

    def end_group(self) -> int:
        """It has ended: end its workers; returns its status, negative for a signal.

        SIGTERM ends those that hang, too. What gives their shared memory back ignores it, and ends
        when they have.
        """
        self._signal_group(signal.SIGTERM)
        self._signal_group(signal.SIGCONT)
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])

    def await_end_of_group(self) -> None:
        """Wait until all of it is gone, or kill it."""
        until_s = time.monotonic() + GROUP_ENDS_WITHIN_S
        while self._signal_group(0):
            if time.monotonic() > until_s:
                self.kill_group()
                return
            # Nobody tells of the end of other processes' children.
            time.sleep(0.01)
            with contextlib.suppress(ChildProcessError):
                os.waitpid(-self.pid, os.WNOHANG)

    def kill_group(self) -> None:
        """Kill what is left of it."""
        self._signal_group(signal.SIGKILL)

    def _signal_group(self, number: int) -> bool:
        """Signal all of it; returns whether there is anybody."""
        try:
            os.killpg(self.pid, number)
        except OSError:
            return False
        return True
