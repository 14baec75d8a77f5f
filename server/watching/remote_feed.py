"""One codec of a video that another node has, for all who watch it here.

The frames come as they were encoded, once for this node. When they stop coming because that node
has died, or is going, viewers see the last picture; when the name is published again, at whichever
node, they go on from its first key frame.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import struct
import time
from collections.abc import Awaitable, Callable

import aiohttp

from server.backoff import Backoff
from server.broadcast.relay import Relay
from server.broadcast.viewer import Feed
from server.cluster.feed import OVER, Wish, read_frame
from server.media.bitrate import better_half
from server.media.encoded_frame import EncodedFrame
from server.media.encoder import VIDEO_CLOCK_HZ, Codec
from server.media.lateness import Lateness
from server.tasks import Tasks
from signaling.errors import SignalingError

logger = logging.getLogger(__name__)

# How long viewers see the last picture of a publisher that is gone with its node.
HOLD_S = 30.0
# And of one that has ended, which may go on at another node.
MOVES_WITHIN_S = 1.0
OPENS_WITHIN_S = 2.0
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.05, 1.0
# For all viewers of this node together. A key frame is ten times the size of others.
KEY_FRAME_EVERY_S = 1.0
ESTIMATE_EVERY_S = 2.0

Socket = aiohttp.ClientWebSocketResponse
Open = Callable[[Codec], Awaitable[Socket | None]]


class RemoteFeed(Feed):
    """Frames of one codec, pulled while somebody watches.

    Parameters
    ----------
    codec
        Of the frames; the node that has the video encodes where its publisher sends another.
    open_feed
        Opens the feed at the node that has the video; None if none has it now.
    news
        Waits until the nodes have something new to say, of who publishes what.
    what
        Names it, for the log and for who watches.
    may_come_back
        Whether it can be published again; what is watched by a session's id can only move.
    tasks
        Whose owner ends what this does.
    emptied
        Called when nobody watches any more.
    """

    def __init__(
        self,
        codec: Codec,
        open_feed: Open,
        news: Callable[[], Awaitable[None]],
        what: str,
        tasks: Tasks,
        emptied: Callable[[Feed], None],
        *,
        may_come_back: bool = True,
    ) -> None:
        super().__init__(codec, emptied)
        self._open = open_feed
        self._news = news
        self._what = what
        self._hold_s = HOLD_S if may_come_back else MOVES_WITHIN_S
        self._tasks = tasks
        self._relay = Relay()
        self._lateness = Lateness()
        self._socket: Socket | None = None
        self._asking: asyncio.TimerHandle | None = None
        self._asked_s = float("-inf")
        self._estimated_s = float("-inf")
        self._pulling = tasks.spawn(self._pull(), f"pull {what}")

    def request_key_frame(self) -> None:
        # A feed that is opened begins with one by itself.
        if self._socket is not None and self._asking is None:
            due_s = self._asked_s + KEY_FRAME_EVERY_S - time.monotonic()
            self._asking = asyncio.get_running_loop().call_later(max(due_s, 0.0), self._ask)

    def _stop(self) -> None:
        self._stop_asking()
        self._pulling.cancel()

    async def _pull(self) -> None:
        """Have frames until the video is over, or is gone for too long."""
        backoff = Backoff(FIRST_PAUSE_S, LONGEST_PAUSE_S)
        until_s: float | None = None
        hold_s, has_ended = self._hold_s, False
        while True:
            socket = await self._connect()
            if socket is not None:
                if until_s is not None:
                    logger.info("%s is here again: its viewers go on", self._what)
                backoff.reset()
                has_ended = await self._take_all(socket)
                hold_s, until_s = MOVES_WITHIN_S if has_ended else self._hold_s, None
            now_s = time.monotonic()
            if until_s is None:
                until_s = now_s + hold_s
            left_s = until_s - now_s
            if left_s <= 0:
                break
            with contextlib.suppress(TimeoutError):
                # Also without news: the node may not have listened yet.
                async with asyncio.timeout(min(left_s, backoff.pause_s())):
                    await self._news()
        if has_ended:
            self.end(f"{self._what} has ended")
            return
        logger.info("%s did not come back: its viewers are sent away", self._what)
        self.end(
            f"{self._what} did not come back within {hold_s:g} s from a part of the server that has"
            " ended"
        )

    async def _connect(self) -> Socket | None:
        try:
            async with asyncio.timeout(OPENS_WITHIN_S):
                return await self._open(self.codec)
        except (SignalingError, TimeoutError) as error:
            logger.debug("%s can not be had: %s", self._what, error)
            return None

    async def _take_all(self, socket: Socket) -> bool:
        """Take a feed's frames; returns whether the video itself has ended."""
        self._relay.begin_anew()
        self._lateness = Lateness()
        self._begin_anew()
        self._socket = socket
        try:
            async for message in socket:
                self._take(read_frame(message.data, self.codec))
        except (TypeError, struct.error):
            logger.error("%s: a node sent what is no frame", self._what)
        finally:
            self._socket = None
            self._stop_asking()
            await socket.close()
        return socket.close_code == OVER

    def _take(self, frame: EncodedFrame) -> None:
        now_s = time.monotonic()
        behind_ms = (now_s - frame.timestamp / VIDEO_CLOCK_HZ) * 1000
        if self._lateness.is_late(behind_ms, now_s):
            # It lay in a socket while this node stood still.
            self._begin_anew()
            self.request_key_frame()
            return
        if frame.is_key_frame:
            self._stop_asking()
        self._put(self._relay.packet(frame, now_s))
        if now_s - self._estimated_s >= ESTIMATE_EVERY_S:
            self._estimated_s = now_s
            self._say(Wish(estimate=better_half(self._estimates())))

    def _begin_anew(self) -> None:
        for viewer in self.viewers:
            viewer.begin_anew()

    def _ask(self) -> None:
        self._asking = None
        self._asked_s = time.monotonic()
        self._say(Wish(key_frame=True))

    def _stop_asking(self) -> None:
        if self._asking is not None:
            self._asking.cancel()
            self._asking = None

    def _say(self, wish: Wish) -> None:
        if self._socket is not None:
            self._tasks.spawn(_send(self._socket, wish), "wish")


async def _send(socket: Socket, wish: Wish) -> None:
    # Whoever reads the feed sees that it has ended.
    with contextlib.suppress(ConnectionError):
        await socket.send_str(wish.write())
