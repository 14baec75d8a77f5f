"""A data channel as a sink of results, and the control messages that come back on it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Annotated, Any, Literal

import orjson
from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from server.rtc import RTCDataChannel
from server.security.token_bucket import TokenBucket
from server.sessions.metrics import Metrics
from server.sessions.results import Result
from server.sessions.session import Session
from signaling.errors import SignalingError

logger = logging.getLogger(__name__)

END_SESSION = "end session"
# Two results of one person. With more than that waiting, the client does not keep up, and what
# would be added is old before it arrives.
MAX_BUFFERED_BYTES = 16 * 1024
MAX_CONTROL_CHARS = 64 * 1024
# A page that pings and configures as it likes sends some ten; 40 may come at once.
MESSAGES_PER_S = 200.0


class Ping(BaseModel):
    """Asks for the server's time."""

    type: Literal["ping"]
    # What JSON can give back: 64-bit integers.
    t: Annotated[int, Field(ge=-(2**63), lt=2**64)] | float | str | None = None


class Configure(BaseModel):
    """Changes analyzers' options in mid-session."""

    type: Literal["configure"]
    options: dict[str, dict[str, Any]]


class Rate(BaseModel):
    """Limits results to so many a second; 0 is every frame."""

    type: Literal["rate"]
    hz: float = Field(ge=0, le=1000)


class Subscribe(BaseModel):
    """Wants only these of the analyzers' keys."""

    type: Literal["subscribe"]
    keys: list[str] = Field(max_length=256)


class HealthReport(BaseModel):
    """How a camera and its machine do; what is not known there is left out."""

    type: Literal["health"]
    temperature_c: float | None = Field(None, ge=-100, le=300)
    throttled: list[Annotated[str, Field(max_length=64, pattern=r"^[ -~]*$")]] | None = Field(
        None, max_length=16
    )
    fps: float | None = Field(None, ge=0, le=1000)
    bitrate: int | None = Field(None, ge=0, le=10**10)
    uptime_s: float | None = Field(None, ge=0, le=10**10)


ControlMessage = Annotated[
    Ping | Configure | Rate | Subscribe | HealthReport, Field(discriminator="type")
]
_control: TypeAdapter[ControlMessage] = TypeAdapter(ControlMessage)


class DataChannelSink:
    """Sends a session's results over a data channel and obeys what comes back."""

    def __init__(
        self,
        channel: RTCDataChannel,
        session: Session,
        metrics: Metrics,
        on_end: Callable[[], None],
    ) -> None:
        self._channel = channel
        self._session = session
        self._metrics = metrics
        self._on_end = on_end
        self._keys: frozenset[str] | None = None
        self._least_pause_s = 0.0
        self._next_s = 0.0
        self._messages = TokenBucket(MESSAGES_PER_S)
        self._is_over = False
        channel.on("message", self._receive)

    # ---- out

    def result(self, result: Result) -> None:
        """Send one frame's result, unless the client asked for fewer or does not keep up."""
        if self._channel.readyState != "open":
            return
        now_s = time.monotonic()
        if now_s < self._next_s:
            return
        if self._channel.bufferedAmount > MAX_BUFFERED_BYTES:
            self._metrics.results_dropped.inc()
            return
        # Half a frame of tolerance, or 30 fps asked for 30 Hz would give 15.
        self._next_s = now_s + self._least_pause_s - min(self._least_pause_s / 2, 0.016)
        self._channel.send(result.text(self._keys))

    def notice(self, message: dict[str, Any]) -> None:
        """Tell the client something; never dropped, since notices are few."""
        if self._channel.readyState == "open":
            self._channel.send(orjson.dumps(message).decode())

    def final(self, result: Result) -> None:
        """Send the last result, however much is waiting."""
        if self._channel.readyState == "open":
            self._channel.send(result.text(self._keys))

    @property
    def is_open(self) -> bool:
        """Whether it can still send."""
        return self._channel.readyState == "open"

    @property
    def flushed(self) -> bool:
        """Whether all that was sent has left."""
        return self._channel.readyState != "open" or self._channel.bufferedAmount == 0

    # ---- in

    def _receive(self, data: str | bytes) -> None:
        try:
            self._obey(data)
        except Exception:
            # It would end in aiortc's receiving task, and with that the connection.
            logger.exception("Session %s: a control message failed", self._session.sid)
            self._refuse("the message could not be carried out", 500)

    def _obey(self, data: str | bytes) -> None:
        if data != END_SESSION and not self._messages.allow(time.monotonic()):
            # Said once: who sends without end does not get an answer to each.
            if not self._is_over:
                self._is_over = True
                self._refuse(f"more than {MESSAGES_PER_S:g} messages a second are passed over", 429)
            return
        self._is_over = False
        if isinstance(data, bytes):
            self._refuse("a control message is text: send JSON or 'end session'")
        elif data.strip() == END_SESSION:
            self._on_end()
        elif len(data) > MAX_CONTROL_CHARS:
            self._refuse(f"the message has {len(data)} characters, at most {MAX_CONTROL_CHARS}")
        else:
            self._control(data)

    def _control(self, text: str) -> None:
        try:
            message = _control.validate_json(text)
        except ValidationError as error:
            self._refuse(_what_is_wrong(error))
            return
        match message:
            case Ping(t=t):
                self._reply({"type": "pong", "t": t, "server_time": time.time() * 1000})
            case Configure(options=options):
                try:
                    unknown = self._session.configure(options)
                except SignalingError as error:
                    self._refuse(error.message, error.code)
                    return
                if unknown:
                    self._refuse(f"this session has no analyzer {', '.join(map(repr, unknown))}")
            case Rate(hz=hz):
                self._least_pause_s = 1 / hz if hz else 0.0
                self._next_s = 0.0
            case Subscribe(keys=keys):
                self._keys = frozenset(keys)
            case HealthReport():
                told = message.model_dump(exclude={"type"}, exclude_none=True)
                self._session.health = {**told, "received_at": round(time.time() * 1000)}

    def _refuse(self, message: str, code: int = 400) -> None:
        self._reply({"type": "error", "message": message, "code": code})

    def _reply(self, message: dict[str, Any]) -> None:
        """Answer, but pile nothing up for a client that asks and never reads."""
        if self._channel.bufferedAmount <= MAX_CONTROL_CHARS:
            self.notice(message)


def _what_is_wrong(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    kinds = "send 'end session' or JSON with type ping, configure, rate, subscribe or health"
    return f"{where + ': ' if where else ''}{first['msg']}; {kinds}"
