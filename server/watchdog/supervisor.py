"""The process that the user starts: runs the media process as its child and watches over it.

It stays as long as the server runs, on a Raspberry Pi too, so it imports a few small modules of the
standard library only. The media process is a fork of it: a successor gets the book of its
predecessor's sessions, resume tokens and all, from memory, and nobody else can read it.
"""

from __future__ import annotations

import contextlib
import faulthandler
import logging
import os
import select
import signal
import time

from server.backoff import Backoff
from server.watchdog import systemd

logger = logging.getLogger(__name__)

# The media process beats every second (heartbeat.py).
SILENT_WITHIN_S = 10.0
# Until its ports are bound it only imports: 1 to 2 s, on a Pi with a slow card some 20. The models
# load in its workers, while it beats. Below the 90 s that systemd waits for READY=1.
START_WITHIN_S = 60.0
LOOK_EVERY_S = 0.5
# A process that can run at all writes where its threads are in milliseconds.
TRACE_WITHIN_S = 0.5
# Workers end when their connection closes, and give shared memory back; then they are killed.
GROUP_ENDS_WITHIN_S = 2.0
# One that crashes sooner than this after its first beat is started again after a growing pause.
STEADY_AFTER_S = 10.0
FIRST_PAUSE_S = 1.0
# What the media process says with it: `kinecast: --port: ...`
BAD_SETTINGS = 2

_STOP = (signal.SIGINT, signal.SIGTERM)
_TRACE = signal.SIGUSR2
_STDERR = 2


class Watched:
    """What a media process gets from its supervisor.

    Attributes
    ----------
    pipe
        File descriptor, for beats and books.
    book
        The last book of the media process before; empty for the first.
    """

    __slots__ = ("book", "pipe")

    def __init__(self, pipe: int, book: bytes) -> None:
        self.pipe = pipe
        self.book = book


def supervise() -> Watched:
    """Start the media process and watch over it; returns in the media process only.

    Raises
    ------
    SystemExit
        In the supervisor: the media process has ended, with this status.
    """
    return _Supervisor().run()


class _MediaProcess:
    """What is known of the media process."""

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


class _Supervisor:
    def __init__(self) -> None:
        self._book = b""
        self._came_up = False
        self._former_group: int | None = None
        self._stopping = False
        self._signals: list[int] = []
        self._handlers: dict[int, object] = {}
        self._woken, self._waker = -1, -1

    def run(self) -> Watched:
        """See `supervise`."""
        self._listen()
        backoff = Backoff(FIRST_PAUSE_S)
        while True:
            media = self._start()
            if isinstance(media, Watched):
                return media
            status = self._watch(media)
            if self._stopping or status in (0, BAD_SETTINGS) or not self._came_up:
                _await_end_of_group(media.pid)
                raise SystemExit(status if status >= 0 else 128 - status)
            self._former_group = media.pid
            pause_s = 0.0 if media.was_steady else backoff.pause_s()
            if media.was_steady:
                backoff.reset()
            why = _cause(media, status)
            again = f"started again in {pause_s:.0f} s" if pause_s else "started again"
            logger.error("%s: %s", why, again)
            systemd.notify(f"STATUS={why}: {again}")
            self._pause(pause_s)
            if self._stopping:
                raise SystemExit(0)

    # ---- signals

    def _listen(self) -> None:
        _log_to_stderr()
        self._woken, self._waker = os.pipe()
        for end in (self._woken, self._waker):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(self._waker, warn_on_full_buffer=False)
        for number in (*_STOP, signal.SIGCHLD):
            self._handlers[number] = signal.signal(number, lambda n, _: self._signals.append(n))

    def _pass_signals_on(self, media: _MediaProcess | None) -> None:
        with contextlib.suppress(BlockingIOError):
            os.read(self._woken, 1 << 12)
        while self._signals:
            number = self._signals.pop(0)
            if number not in _STOP:
                continue
            if not self._stopping:
                systemd.notify("STOPPING=1\nSTATUS=stopping")
            self._stopping = True
            if media is not None:
                os.kill(media.pid, number)

    # ---- the media process

    def _start(self) -> _MediaProcess | Watched:
        """Fork; returns the child in the parent, and in the child what that is given."""
        ours, theirs = os.pipe()
        before = signal.pthread_sigmask(signal.SIG_BLOCK, _STOP)
        pid = os.fork()
        if pid == 0:
            os.close(ours)
            self._become_media()
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
            return Watched(theirs, self._book)
        os.close(theirs)
        with contextlib.suppress(OSError):
            os.setpgid(pid, pid)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        return _MediaProcess(pid, ours)

    def _become_media(self) -> None:
        # A terminal's Ctrl-C is for the supervisor, which passes it on.
        os.setpgid(0, 0)
        signal.set_wakeup_fd(-1)
        os.close(self._woken)
        os.close(self._waker)
        for number, handler in self._handlers.items():
            signal.signal(number, handler)  # type: ignore[arg-type]
        # A terminal that closes ends the supervisor. A group whose leader dies while a worker is
        # stopped gets it too, and so would the process that gives shared memory back.
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        # These write even while the interpreter hangs or is damaged.
        faulthandler.enable(_STDERR)
        faulthandler.register(_TRACE, _STDERR)

    def _watch(self, media: _MediaProcess) -> int:
        """Watch until the process has ended; returns its status, negative for a signal."""
        while not self._has_ended(media):
            self._pass_signals_on(media)
            self._look(media)
            if media.is_overdue:
                self._end_hung(media)
        if media.pipe is not None:
            self._hear(media)
            media.close()
        return _end_group(media.pid)

    def _has_ended(self, media: _MediaProcess) -> bool:
        """Whether it has; as process 1 of a container we get orphans too, and reap them."""
        how = os.WEXITED | os.WNOHANG | os.WNOWAIT
        while (ended := os.waitid(os.P_ALL, 0, how)) is not None:
            if ended.si_pid == media.pid:
                return True
            os.waitpid(ended.si_pid, 0)
        return False

    def _look(self, media: _MediaProcess) -> None:
        """Wait for a beat, but not for long."""
        waits = [self._woken] if media.pipe is None else [self._woken, media.pipe]
        ready, _, _ = select.select(waits, [], [], LOOK_EVERY_S)
        if not ready:
            media.silent_looks += 1
        if media.pipe in ready:
            self._hear(media)
        if media.beating_since_s is None:
            systemd.notify("WATCHDOG=1")

    def _hear(self, media: _MediaProcess) -> None:
        was_beating = media.beating_since_s is not None
        self._book = media.hear() or self._book
        if media.beating_since_s is None:
            return
        self._came_up = True
        if self._former_group is not None:
            # Its workers have had the time that a start takes.
            _signal_group(self._former_group, signal.SIGKILL)
            self._former_group = None
        systemd.notify("WATCHDOG=1" if was_beating else "READY=1\nSTATUS=serving\nWATCHDOG=1")

    def _end_hung(self, media: _MediaProcess) -> None:
        media.hung = True
        logger.error("%s. Where its threads are:", _cause(media, 0))
        # One that was stopped can write nothing.
        os.kill(media.pid, signal.SIGCONT)
        os.kill(media.pid, _TRACE)
        time.sleep(TRACE_WITHIN_S)
        os.kill(media.pid, signal.SIGKILL)
        os.waitid(os.P_PID, media.pid, os.WEXITED | os.WNOWAIT)

    def _pause(self, seconds: float) -> None:
        """Wait, unless we are asked to stop."""
        until_s = time.monotonic() + seconds
        while not self._stopping and (left_s := until_s - time.monotonic()) > 0:
            select.select([self._woken], [], [], min(left_s, LOOK_EVERY_S))
            self._pass_signals_on(None)
            systemd.notify("WATCHDOG=1")


def _cause(media: _MediaProcess, status: int) -> str:
    if media.hung and media.beating_since_s is None:
        return f"The media process did not come up within {START_WITHIN_S:.0f} s"
    if media.hung:
        return f"The event loop did not turn for {SILENT_WITHIN_S:.0f} s"
    how = f"died (signal {-status})" if status < 0 else f"ended with status {status}"
    return f"The media process {how}"


def _end_group(leader: int) -> int:
    """End the workers of a media process that has ended; returns its status.

    SIGTERM ends those that hang, too. What gives their shared memory back ignores it, and ends when
    they have.
    """
    _signal_group(leader, signal.SIGTERM)
    _signal_group(leader, signal.SIGCONT)
    return os.waitstatus_to_exitcode(os.waitpid(leader, 0)[1])


def _await_end_of_group(group: int) -> None:
    """Wait until it is gone, or kill it."""
    until_s = time.monotonic() + GROUP_ENDS_WITHIN_S
    while _signal_group(group, 0):
        if time.monotonic() > until_s:
            _signal_group(group, signal.SIGKILL)
            return
        # Nobody tells of the end of other processes' children.
        time.sleep(0.01)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(-group, os.WNOHANG)


def _signal_group(group: int, number: int) -> bool:
    """Signal a process group; returns whether there is anybody in it."""
    try:
        os.killpg(group, number)
    except OSError:
        return False
    return True


def _log_to_stderr() -> None:
    """As the media process logs, whose own logging it leaves alone."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logger.addHandler(handler)
    logger.propagate = False
