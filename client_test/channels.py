"""The data channels of a connection: one, or two of which one may lose results."""

import asyncio
import contextlib
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from aiortc import RTCDataChannel, RTCPeerConnection

from client_test.compact import CompactReader
from client_test.errors import NoFinalResult, NotConnected
from client_test.inbox import Inbox, Message

END_SESSION = "end session"
# The label of the channel for what must arrive.
EVENTS = "events"
Form = Literal["json", "cbor"]


@dataclass(frozen=True, slots=True)
class ChannelSettings:
    """How results travel.

    Attributes
    ----------
    label, ordered, max_retransmits
        Of the data channel. ``ordered=False, max_retransmits=0`` trades completeness for latency.
    protocol
        Of the data channel, too; "cbor" asks for results as CBOR on it.
    events
        Open a second, reliable channel, for what must arrive. Results then come in the order in
        which the channels bring them.
    """

    label: str = "data"
    ordered: bool = True
    max_retransmits: int | None = None
    protocol: str = ""
    events: bool = False


@dataclass(frozen=True, slots=True)
class Clock:
    """How the server's clock stands to ours.

    Attributes
    ----------
    offset_ms
        Server's clock minus ours; right to within half of `rtt_ms`.
    rtt_ms
        The shortest round trip seen over the data channel.
    """

    offset_ms: float
    rtt_ms: float


class Channels(Inbox):
    """Messages over the data channels of one connection.

    Parameters
    ----------
    settings
        How results travel.
    history, on_result, on_message
        As `Inbox` takes them.

    Attributes
    ----------
    channel, events
        The `RTCDataChannel`s; None before `open_channels`, and `events` if there is to be none.
    states
        Every connection state so far: ``["new", "connecting", "connected", "closed"]``.
    """

    def __init__(
        self,
        settings: ChannelSettings,
        history: int,
        on_result: Callable[[Message], None] | None,
        on_message: Callable[[Message], None] | None,
    ) -> None:
        super().__init__(history, on_result, on_message)
        self.channel: RTCDataChannel | None = None
        self.events: RTCDataChannel | None = None
        self.states: list[str] = []
        self._settings = settings
        self._compact: CompactReader | None = None
        self._opened = asyncio.Event()

    def open_channels(self, connection: RTCPeerConnection) -> None:
        """Have a connection open them; after its tracks: before them, aiortc stops the transport
        that it bundles all on.
        """
        settings = self._settings
        if settings.events:
            self.events = connection.createDataChannel(EVENTS)
            self.watch_channel(self.events)
        self.channel = connection.createDataChannel(
            settings.label,
            ordered=settings.ordered,
            maxRetransmits=settings.max_retransmits,
            protocol=settings.protocol,
        )
        self.watch_channel(self.channel)

    # What arrives

    def watch_channel(self, channel: RTCDataChannel) -> None:
        """Take what arrives on a channel of the connection."""
        channel.on("open", self._note_open)
        channel.on("close", self._note_closed)
        channel.on("message", self._read)

    def _channels_are(self, state: str) -> bool:
        channels = (self.channel, self.events)
        return all(each.readyState == state for each in channels if each is not None)

    def _note_open(self) -> None:
        if self._channels_are("open"):
            self._opened.set()

    def _note_closed(self) -> None:
        if self._channels_are("closed"):
            self._close_inbox()

    def _read(self, data: str | bytes) -> None:
        if isinstance(data, str):
            message = json.loads(data)
            if message.get("type") == "layout":
                self._compact = CompactReader(message)
            self._take(message)
        elif self._compact is not None:
            with contextlib.suppress(ValueError):
                self._take(self._compact.read(data))

    # What is sent

    def send(self, message: Message | str | bytes) -> None:
        """Send a control message (as JSON), or text or bytes as they are."""
        channels = (self.events, self.channel)
        channel = next((c for c in channels if c is not None and c.readyState == "open"), None)
        if channel is None:
            raise NotConnected("the data channel is not open")
        channel.send(json.dumps(message) if isinstance(message, dict) else message)

    async def ping(self, count: int = 3, timeout_s: float = 20.0) -> Clock:
        """Compare clocks over the data channel; the quickest of `count` round trips counts.

        Raises
        ------
        TimeoutError
            The server does not answer pings (older ones do not know them).
        """
        clocks = []
        for _ in range(count):
            sent_ms = time.time() * 1000
            self.send({"type": "ping", "t": sent_ms})
            pong = await self.wait_for(
                lambda m, t=sent_ms: m.get("type") == "pong" and m.get("t") == t,  # type: ignore[misc]
                timeout_s,
            )
            rtt_ms = time.time() * 1000 - sent_ms
            clocks.append(Clock(pong["server_time"] - sent_ms - rtt_ms / 2, rtt_ms))
        return min(clocks, key=lambda clock: clock.rtt_ms)

    async def end(self, timeout_s: float = 30.0) -> Message:
        """End the session and return its final result.

        Raises
        ------
        NoFinalResult
            It did not come within `timeout_s`, or the connection closed first.
        """
        if self.final is not None:
            return self.final
        try:
            self.send(END_SESSION)
            return await self.wait_for(lambda m: bool(m.get("final")), timeout_s)
        except (TimeoutError, NotConnected) as error:
            raise NoFinalResult(
                f"no final result within {timeout_s:g} s of ending the session "
                f"(connection states: {', '.join(self.states)})"
            ) from error
