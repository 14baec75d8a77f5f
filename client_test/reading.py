"""Makes what a client tells out of what a server sends: results in order, each repetition once."""

import math
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from client_test.channels import Clock
from client_test.inbox import Message
from client_test.told import Event, Result

# Clocks drift: an older round trip counts for less.
_AGING = 1.05
# Results that may be lost may also come late, and say again what was last before.
_REMEMBERED = 8


class Reading:
    """Reads the messages of one session, over however many connections.

    Parameters
    ----------
    on_result
        Gets each result but the final one, in the order of the frames.
    on_event
        Gets each repetition, and each notice of the server's.

    Attributes
    ----------
    final
        The final result, once it has come.
    heard_s
        When something came last, by ``time.monotonic()``.
    """

    def __init__(
        self, on_result: Callable[[Result], None], on_event: Callable[[Event], None]
    ) -> None:
        self.final: Result | None = None
        self.heard_s = 0.0
        self._on_result = on_result
        self._on_event = on_event
        self._clock: Clock | None = None
        self._number = 0
        self._told: deque[Any] = deque(maxlen=_REMEMBERED)

    def begin_anew(self) -> None:
        """Frames and repetitions count from the start: it is another session, or told anew."""
        self._number = 0
        self._told.clear()

    def message(self, message: Message) -> None:
        """Take what is no result."""
        self.heard_s = time.monotonic()
        kind = str(message.get("type"))
        if kind == "pong":
            self._compare_clocks(message)
        elif kind != "layout":
            if kind == "analyzers_restarted":
                # Where the process that had the session is gone, frames begin anew, too.
                self.begin_anew()
            self._on_event(Event("notice", kind, message))

    def result(self, message: Message) -> None:
        """Take a result."""
        self.heard_s = time.monotonic()
        if message.get("final"):
            self.final = Result(message)
            return
        result = Result(message, self._latency_ms(message))
        self._tell_of_repetition(result)
        number = result.number or self._number + 1
        # What must arrive may come after newer ones.
        if number > self._number:
            self._number = number
            self._on_result(result)

    def _tell_of_repetition(self, result: Result) -> None:
        repetition = result.get("repetition")
        # An analyzer of one's own may call something else by that name.
        if isinstance(repetition, dict) and repetition not in self._told:
            self._told.append(repetition)
            exercise = str(repetition.get("exercise") or result.get("exercise"))
            self._on_event(Event("repetition", exercise, repetition))

    def _latency_ms(self, message: Message) -> float:
        frame = message.get("frame")
        if self._clock is None or not frame:
            return math.nan
        return time.time() * 1000 + self._clock.offset_ms - float(frame["received_at"])

    def _compare_clocks(self, pong: Message) -> None:
        now_ms = time.time() * 1000
        rtt_ms = now_ms - float(pong["t"])
        if self._clock is not None and rtt_ms > self._clock.rtt_ms * _AGING:
            self._clock = Clock(self._clock.offset_ms, self._clock.rtt_ms * _AGING)
            return
        self._clock = Clock(float(pong["server_time"]) - now_ms + rtt_ms / 2, rtt_ms)
