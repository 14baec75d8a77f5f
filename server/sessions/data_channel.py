"""A peer's data channels as a sink of results, and as where its control messages come from.

One channel carries everything. Of two, the one labelled ``events`` carries what must arrive
(notices, results that are events, the final one), and the other one the results, of which it may
lose some.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any, TypeGuard

import orjson

from analyzers.compact import LAYOUT, Form
from server.rtc import RTCDataChannel
from server.security.token_bucket import TokenBucket
from server.sessions import control
from server.sessions.metrics import Metrics
from server.sessions.results import Result
from server.sessions.session import Session
from signaling.errors import SignalingError

logger = logging.getLogger(__name__)

END_SESSION = "end session"
EVENTS = "events"
# A result of one person as JSON, some of them as CBOR. With more than that waiting, the client does
# not keep up, and what would be added is old before it arrives.
MAX_BUFFERED_BYTES = {Form.JSON: 6 * 1024, Form.CBOR: 4 * 1024}
# An event is worth having late.
MAX_EVENTS_BUFFERED_BYTES = 64 * 1024
# Of a client that never opens a channel that loses nothing, no more notices are kept.
MAX_DOUBTFUL = 16
MAX_CONTROL_CHARS = 64 * 1024
# A page that pings and configures as it likes sends some ten; 40 may come at once.
MESSAGES_PER_S = 200.0
_LAYOUT_TEXT = orjson.dumps({"type": "layout", **LAYOUT}).decode()


class DataChannelSink:
    """Sends a session's results over its peer's data channels and obeys what comes back.

    Parameters
    ----------
    session
        Whose results.
    metrics
        Counts what is dropped.
    on_end
        Called when the client ends the session.
    form
        How the client wants results, on channels that do not say it themselves.
    hz
        At most so many results a second, until the client says otherwise; 0 is every frame.
    """

    def __init__(
        self,
        session: Session,
        metrics: Metrics,
        on_end: Callable[[], None],
        form: Form = Form.JSON,
        hz: float = 0.0,
    ) -> None:
        self._session = session
        self._metrics = metrics
        self._on_end = on_end
        self._form = form
        self._results: RTCDataChannel | None = None
        self._events: RTCDataChannel | None = None
        self._layout_on: RTCDataChannel | None = None
        self._doubtful: deque[str | bytes] = deque(maxlen=MAX_DOUBTFUL)
        self._keys: frozenset[str] | None = None
        self._least_pause_s = 1 / hz if hz else 0.0
        self._next_s = 0.0
        self._messages = TokenBucket(MESSAGES_PER_S)
        self._is_over = False

    # ---- the channels

    def take(self, channel: RTCDataChannel) -> bool:
        """Send over a channel that the client has opened, too.

        Returns
        -------
        Whether there was a use for it.
        """
        if channel.label == EVENTS and not _is_open(self._events):
            self._events = channel
        elif not _is_open(self._results):
            self._results = channel
        else:
            return False
        channel.on("message", partial(self._receive, channel))
        self._tell_layout()
        self._say_doubtful_again()
        return True

    @property
    def is_open(self) -> bool:
        """Whether it can still send."""
        return self._for_results is not None

    @property
    def forms(self) -> frozenset[Form]:
        """Those in which its channels carry results."""
        return frozenset(self._form_of(c) for c in (self._results, self._events) if _is_open(c))

    @property
    def flushed(self) -> bool:
        """Whether all that was sent has left."""
        channels = (self._results, self._events)
        return not any(c for c in channels if _is_open(c) and c.bufferedAmount)

    @property
    def _for_results(self) -> RTCDataChannel | None:
        return self._results if _is_open(self._results) else self._for_events

    @property
    def _for_events(self) -> RTCDataChannel | None:
        return next((c for c in (self._events, self._results) if _is_open(c)), None)

    def _form_of(self, channel: RTCDataChannel) -> Form:
        return Form.CBOR if channel.protocol == Form.CBOR else self._form

    # ---- out

    def result(self, result: Result) -> None:
        """Send one frame's result, unless the client asked for fewer or does not keep up."""
        channel, events = self._for_results, self._for_events
        if channel is None or events is None:
            return
        if events is not channel and self._is_event(result):
            self._send_unless_full(events, result, MAX_EVENTS_BUFFERED_BYTES)
            return
        now_s = time.monotonic()
        if now_s < self._next_s:
            return
        if self._send_unless_full(channel, result, MAX_BUFFERED_BYTES[self._form_of(channel)]):
            # Half a frame of tolerance, or 30 fps asked for 30 Hz would give 15.
            self._next_s = now_s + self._least_pause_s - min(self._least_pause_s / 2, 0.016)

    def notice(self, message: dict[str, Any]) -> None:
        """Tell the client something; never dropped, since notices are few."""
        self._send_surely(orjson.dumps(message).decode())

    def final(self, result: Result) -> None:
        """Send the last result, however much is waiting."""
        channel = self._for_events
        if channel is not None:
            self._send_surely(self._written(result, channel))

    def _is_event(self, result: Result) -> bool:
        return any(self._keys is None or key in self._keys for key in result.events)

    def _send_unless_full(self, channel: RTCDataChannel, result: Result, limit: int) -> bool:
        if channel.bufferedAmount > limit:
            self._metrics.results_dropped.inc()
            return False
        channel.send(self._written(result, channel))
        return True

    def _written(self, result: Result, channel: RTCDataChannel) -> str | bytes:
        """Text, or bytes for CBOR: so the client can tell which it is."""
        if self._form_of(channel) is Form.JSON:
            return result.text(self._keys)
        return result.encode(self._keys, Form.CBOR)

    def _send_surely(self, message: str | bytes) -> None:
        channel = self._for_events
        if channel is None:
            return
        channel.send(message)
        if _may_lose(channel):
            self._doubtful.append(message)

    def _say_doubtful_again(self) -> None:
        """What went over a channel that may have lost it, before there was one that does not."""
        channel = self._for_events
        if channel is None or _may_lose(channel):
            return
        while self._doubtful:
            channel.send(self._doubtful.popleft())

    def _tell_layout(self) -> None:
        channel = self._for_events
        if channel is not None and channel is not self._layout_on and Form.CBOR in self.forms:
            self._layout_on = channel
            channel.send(_LAYOUT_TEXT)

    # ---- in

    def _receive(self, channel: RTCDataChannel, data: str | bytes) -> None:
        try:
            self._obey(channel, data)
        except SignalingError as error:
            _refuse(channel, error.message, error.code)
        except Exception:
            # It would end in aiortc's receiving task, and with that the connection.
            logger.exception("Session %s: a control message failed", self._session.sid)
            _refuse(channel, "the message could not be carried out", 500)

    def _obey(self, channel: RTCDataChannel, data: str | bytes) -> None:
        if data != END_SESSION and not self._messages.allow(time.monotonic()):
            # Said once: who sends without end does not get an answer to each.
            if not self._is_over:
                self._is_over = True
                said = f"more than {MESSAGES_PER_S:g} messages a second are passed over"
                _refuse(channel, said, 429)
            return
        self._is_over = False
        if isinstance(data, bytes):
            _refuse(channel, "a control message is text: send JSON or 'end session'")
        elif data.strip() == END_SESSION:
            self._on_end()
        elif len(data) > MAX_CONTROL_CHARS:
            too_long = f"the message has {len(data)} characters, at most {MAX_CONTROL_CHARS}"
            _refuse(channel, too_long)
        else:
            self._carry_out(channel, control.read(data))

    def _carry_out(
        self, channel: RTCDataChannel, message: control.ControlMessage | control.Note
    ) -> None:
        match message:
            case control.Ping(t=t):
                pong = {"type": "pong", "t": t, "server_time": time.time() * 1000}
                _reply(channel, orjson.dumps(pong).decode())
            case control.Configure(options=options):
                unknown = self._session.configure(options)
                if unknown:
                    names = ", ".join(map(repr, unknown))
                    _refuse(channel, f"this session has no analyzer {names}")
            case control.Rate(hz=hz):
                self._least_pause_s = 1 / hz if hz else 0.0
                self._next_s = 0.0
            case control.Subscribe(keys=keys):
                self._keys = frozenset(keys)
            case control.Note(values):
                self._session.note(values)
            case control.AskLayout():
                _reply(channel, _LAYOUT_TEXT)
            case control.HealthReport():
                told = message.model_dump(exclude={"type"}, exclude_none=True)
                self._session.health = {**told, "received_at": round(time.time() * 1000)}


def _is_open(channel: RTCDataChannel | None) -> TypeGuard[RTCDataChannel]:
    return channel is not None and channel.readyState == "open"


def _may_lose(channel: RTCDataChannel) -> bool:
    return channel.maxRetransmits is not None or channel.maxPacketLifeTime is not None


def _refuse(channel: RTCDataChannel, message: str, code: int = 400) -> None:
    refusal = {"type": "error", "message": message, "code": code}
    _reply(channel, orjson.dumps(refusal).decode())


def _reply(channel: RTCDataChannel, text: str) -> None:
    """Answer, but pile nothing up for a client that asks and never reads."""
    if _is_open(channel) and channel.bufferedAmount <= MAX_CONTROL_CHARS:
        channel.send(text)
