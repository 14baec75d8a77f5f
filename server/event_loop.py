"""The event loop of the media process: asyncio's own, woken less often where wake-ups are dear.

A packet of video comes every millisecond from eight streams. Where the processors have nothing to
spare, each wake-up for one of them interrupts inference, and both then work with cold caches. So
the loop rests for a moment there, and finds the packets of several together, as network cards do
(interrupt moderation). Where there is room, nothing waits.
"""

from __future__ import annotations

import asyncio
import selectors
import time
from asyncio import selector_events
from collections.abc import Callable
from typing import Any

# From the last wake-up to the next, at least, on a busy machine: what a packet may wait then.
REST_S = 0.003
# How often it is looked whether the machine is busy, and how much of the time its processors have
# nothing to do if it is not.
LOOK_EVERY_S = 0.25
IDLE_SHARE = 0.1
# What is read of a socket at once, before others have their turn.
MAX_DATAGRAMS = 16
# More than any datagram of WebRTC's over a network. asyncio makes room for 256 kB each time, which
# are taken from the system and given back again.
MAX_DATAGRAM_BYTES = 16 * 1024


class EventLoop(asyncio.SelectorEventLoop):
    """asyncio's, which reads all datagrams that are there, and rests on a busy machine."""

    def __init__(self) -> None:
        super().__init__(RestingSelector(busy=Busy()))

    def _make_datagram_transport(self, *args: Any, **kwargs: Any) -> asyncio.DatagramTransport:
        return _DatagramTransport(self, *args, **kwargs)


class _DatagramTransport(selector_events._SelectorDatagramTransport):  # type: ignore[name-defined,misc]
    """Reads what is there, where asyncio reads one and polls again.

    Drop when asyncio's does.
    """

    max_size = MAX_DATAGRAM_BYTES

    def _read_ready(self) -> None:
        for _ in range(MAX_DATAGRAMS):
            if self._conn_lost:
                return
            try:
                data, address = self._sock.recvfrom(self.max_size)
            except (BlockingIOError, InterruptedError):
                return
            except OSError as error:
                self._protocol.error_received(error)
                return
            self._protocol.datagram_received(data, address)


class Busy:
    """Whether the processors have nothing to spare, by what Linux counts; False elsewhere.

    Parameters
    ----------
    counts
        Where it does (proc(5)).
    """

    def __init__(self, counts: str = "/proc/stat") -> None:
        self._counts = counts
        self._busy = False
        self._looked_s = float("-inf")
        self._before = (0, 0)

    def __call__(self, now_s: float) -> bool:
        """By the last look, which is at most `LOOK_EVERY_S` old."""
        if now_s - self._looked_s >= LOOK_EVERY_S:
            self._looked_s = now_s
            idle, total = _processor_times(self._counts)
            idle_before, total_before = self._before
            self._before = (idle, total)
            self._busy = idle - idle_before < IDLE_SHARE * (total - total_before)
        return self._busy


def _processor_times(counts: str) -> tuple[int, int]:
    """What all processors together were idle, and what has passed, in ticks."""
    try:
        with open(counts, "rb", buffering=0) as file:
            times = [int(each) for each in file.read(256).split(b"\n", 1)[0].split()[1:9]]
    except (OSError, ValueError):
        return 0, 0
    # user, nice, system, idle, iowait, irq, softirq, steal
    return times[3] + times[4], sum(times)


class RestingSelector(selectors.DefaultSelector):
    """Waits for what the loop waits for, and on a busy machine a moment longer.

    Parameters
    ----------
    busy
        Tells, given the time, whether the machine is.
    clock, rest
        By which, and how, it rests.
    """

    def __init__(
        self,
        busy: Callable[[float], bool],
        clock: Callable[[], float] = time.monotonic,
        rest: Callable[[float], None] = time.sleep,
    ) -> None:
        super().__init__()
        self._is_busy = busy
        self._clock = clock
        self._rest = rest
        self._woken_s = float("-inf")

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """As `selectors.BaseSelector.select` has it."""
        # With 0 the loop has something to do at once.
        if timeout is None or timeout > 0:
            now_s = self._clock()
            rest_s = self._woken_s + REST_S - now_s
            if rest_s > 0 and self._is_busy(now_s):
                if timeout is not None:
                    rest_s = min(rest_s, timeout)
                    timeout -= rest_s
                self._rest(rest_s)
        ready = super().select(timeout)
        if ready:
            self._woken_s = self._clock()
        return ready
