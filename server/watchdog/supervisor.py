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
from server.watchdog.media_process import LOOK_EVERY_S, MediaProcess

logger = logging.getLogger(__name__)

# A process that can run at all writes where its threads are in milliseconds.
TRACE_WITHIN_S = 0.5
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


class _Supervisor:
    def __init__(self) -> None:
        self._book = b""
        self._came_up = False
        self._former: MediaProcess | None = None
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
            self._pass_signals_on(None)
            self._kill_former()
            if self._stopping or status in (0, BAD_SETTINGS) or not self._came_up:
                media.await_end_of_group()
                # Python gives signals their own meaning back while it ends: whoever still sends
                # some would see a process that was killed.
                signal.pthread_sigmask(signal.SIG_BLOCK, _STOP)
                raise SystemExit(status if status >= 0 else 128 - status)
            self._former = media
            pause_s = 0.0 if media.was_steady else backoff.pause_s()
            if media.was_steady:
                backoff.reset()
            why = media.cause(status)
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

    def _pass_signals_on(self, media: MediaProcess | None) -> None:
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

    def _start(self) -> MediaProcess | Watched:
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
        return MediaProcess(pid, ours)

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

    def _watch(self, media: MediaProcess) -> int:
        """Watch until the process has ended; returns its status, negative for a signal."""
        while not self._has_ended(media):
            self._pass_signals_on(media)
            self._look(media)
            if media.is_overdue:
                self._end_hung(media)
        if media.pipe is not None:
            self._hear(media)
            media.close()
        return media.end_group()

    def _has_ended(self, media: MediaProcess) -> bool:
        """Whether it has; as process 1 of a container we get orphans too, and reap them."""
        how = os.WEXITED | os.WNOHANG | os.WNOWAIT
        while (ended := os.waitid(os.P_ALL, 0, how)) is not None:
            if ended.si_pid == media.pid:
                return True
            os.waitpid(ended.si_pid, 0)
        return False

    def _look(self, media: MediaProcess) -> None:
        """Wait for a beat, but not for long."""
        waits = [self._woken] if media.pipe is None else [self._woken, media.pipe]
        ready, _, _ = select.select(waits, [], [], LOOK_EVERY_S)
        if not ready:
            media.silent_looks += 1
        if media.pipe in ready:
            self._hear(media)
        if media.beating_since_s is None:
            systemd.notify("WATCHDOG=1")

    def _hear(self, media: MediaProcess) -> None:
        was_beating = media.beating_since_s is not None
        self._book = media.hear() or self._book
        if media.beating_since_s is None:
            return
        self._came_up = True
        self._kill_former()
        systemd.notify("WATCHDOG=1" if was_beating else "READY=1\nSTATUS=serving\nWATCHDOG=1")

    def _kill_former(self) -> None:
        """Kill what is left of the workers before, which had the time that a start takes."""
        if self._former is not None:
            self._former.kill_group()
            self._former = None

    def _end_hung(self, media: MediaProcess) -> None:
        media.hung = True
        logger.error("%s. Where its threads are:", media.cause())
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


def _log_to_stderr() -> None:
    """As the media process logs, whose own logging it leaves alone."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logger.addHandler(handler)
    logger.propagate = False
