"""A session's video as its publisher encoded it, whichever peer connection it comes through."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from aiortc import RTCRtpReceiver

from server.media.encoded_frame import EncodedFrame
from server.rtc import receiving
from server.tasks import Tasks

# A key frame is ten times the size of others, and all who watch get each.
KEY_FRAME_EVERY_S = 1.0

Listener = Callable[[EncodedFrame], None]


class IncomingVideo:
    """Gives frames to listeners as they were encoded; with none, too, nothing is decoded here."""

    def __init__(self) -> None:
        self._receiver: RTCRtpReceiver | None = None
        self._listeners: list[Listener] = []
        self._tasks = Tasks("incoming video")
        self._asked_s = float("-inf")
        self._asking: asyncio.TimerHandle | None = None
        self.connections = 0
        """How often a peer connection brought it: the times of each begin anew."""

    @property
    def codec(self) -> str | None:
        """What it comes in; None when it comes in pictures, or is not known yet."""
        return receiving.received_codec(self._receiver) if self._receiver else None

    def take_from(self, receiver: RTCRtpReceiver) -> None:
        """It comes through this receiver from now on."""
        if self._receiver is not None:
            receiving.on_encoded_frame(self._receiver, _pass_over)
        self._receiver = receiver
        self.connections += 1
        receiving.on_encoded_frame(receiver, self._take)

    def release(self, receiver: RTCRtpReceiver) -> None:
        """Nothing comes through this receiver any more."""
        if self._receiver is receiver:
            receiving.on_encoded_frame(receiver, _pass_over)
            self._receiver = None

    def listen(self, listener: Listener) -> None:
        """Have every frame, on the event loop."""
        self._listeners.append(listener)

    def unlisten(self, listener: Listener) -> None:
        """Have no more; of those who have none already, nothing changes."""
        if listener in self._listeners:
            self._listeners.remove(listener)
        if not self._listeners:
            self._stop_asking()

    def request_key_frame(self) -> bool:
        """Ask the publisher for a key frame, at most once a second, until one comes.

        Returns
        -------
        Whether there is a publisher, who may be away; a file has none.
        """
        if not self.connections:
            return False
        if self._asking is None:
            loop = asyncio.get_running_loop()
            due_s = self._asked_s + KEY_FRAME_EVERY_S - time.monotonic()
            self._asking = loop.call_later(max(due_s, 0.0), self._ask)
        return True

    @property
    def is_watched(self) -> bool:
        """Whether somebody has the frames besides the session itself."""
        return len(self._listeners) > 1

    def limit_bitrate(self, share: float | None) -> None:
        """Have the publisher send that share of what it sent at first; None has it send all."""
        if self._receiver is not None:
            receiving.limit_bitrate(self._receiver, share)

    def _ask(self) -> None:
        self._asking = None
        self._asked_s = time.monotonic()
        if self._receiver is not None:
            self._tasks.spawn(receiving.request_key_frame(self._receiver), "key frame")
        self.request_key_frame()

    def _stop_asking(self) -> None:
        if self._asking is not None:
            self._asking.cancel()
            self._asking = None

    def _take(self, frame: EncodedFrame) -> None:
        if frame.is_key_frame:
            self._stop_asking()
        for listener in list(self._listeners):
            listener(frame)


def _pass_over(_: EncodedFrame) -> None:
    """Have a frame that nobody wants, so that it is not decoded."""
