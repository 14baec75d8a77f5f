"""Streams one clip to the server and counts what comes back."""

import asyncio
import json
import logging
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TextIO

from av import VideoFrame

from client_test.clip import ClipTrack
from client_test.errors import ClientError, NoFinalResult, NotConnected
from client_test.inbox import Message
from client_test.latency import LatencyMeter, RateMeter, percentiles
from client_test.peer import ClientPeer
from client_test.picture import PictureTaker
from client_test.progress import Display, Snapshot
from client_test.sources import Lent
from client_test.summary import Summary

logger = logging.getLogger(__name__)

REFRESH_S = 0.2
# Percentiles on the way are of this many results, so that they follow what happens.
RECENT_RESULTS = 90


class ClipStream:
    """One clip, one session, from the first frame to the final result.

    Parameters
    ----------
    track
        The clip; its `on_frame` is to be `frame_sent`.
    video
        The clip's name, for the summary.
    results_to
        An open file that gets each result as a line of JSON.
    picture
        Takes a picture of a good result.
    connected
        Awaited when the connection is there.
    """

    def __init__(
        self,
        *,
        video: Path,
        results_to: TextIO | None = None,
        picture: PictureTaker | None = None,
        connected: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self._video = video
        self._results_to = results_to
        self._picture = picture
        self._connected = connected
        self._latency = LatencyMeter()
        self._rate = RateMeter()
        self._frames_sent = 0
        self._results = 0
        self._with_pose: int | None = None
        self._last: Message = {}
        self._dropped = 0
        self._first_result_s: float | None = None
        self._last_result_s = 0.0
        self._problems: dict[tuple[str, str], dict[str, str]] = {}
        self._peer: ClientPeer | None = None
        self._track: ClipTrack | None = None
        self._move: asyncio.Task[None] | None = None

    def frame_sent(self, frame: VideoFrame) -> None:
        """A frame goes to the encoder now."""
        assert frame.time is not None
        self._latency.frame_sent(frame.time * 1000, time.time() * 1000)
        if self._picture is not None:
            self._picture.keep(self._frames_sent, frame)
        self._frames_sent += 1

    def result_arrived(self, result: Message) -> None:
        """A result came."""
        now_s = time.monotonic()
        if self._results_to is not None:
            self._results_to.write(json.dumps(result) + "\n")
        self._dropped = int(result.get("dropped") or self._dropped)
        if result.get("final"):
            return
        self._latency.result_arrived(result, time.time() * 1000)
        self._rate.tick(now_s)
        self._results += 1
        self._last = result
        self._first_result_s = self._first_result_s or now_s
        self._last_result_s = now_s
        if "has_pose" in result:
            self._with_pose = (self._with_pose or 0) + bool(result["has_pose"])
        self._offer_picture(result)

    def message_arrived(self, message: Message) -> None:
        """Something that is no result came."""
        if message.get("type") == "move" and self._move is None:
            self._move = asyncio.create_task(self._go_elsewhere(), name="move")
        if message.get("type") != "analyzer_error":
            return
        problem = {key: str(message.get(key)) for key in ("analyzer", "phase", "message")}
        self._problems.setdefault((problem["analyzer"], problem["phase"]), problem)

    async def run(
        self, peer: ClientPeer, track: ClipTrack, display: Display, stop: asyncio.Event
    ) -> Summary:
        """Connect, stream until the clip is over or `stop` is set, and end the session.

        Raises
        ------
        ClientError
            No connection came about.
        """
        self._peer, self._track = peer, track
        # What a connection has it stops when it closes.
        await peer.connect(Lent(track, lambda: None))
        if self._connected is not None:
            await self._connected()
        started_s = time.monotonic()
        trouble = None
        with display:
            watching = asyncio.create_task(self._learn_clock(peer))
            try:
                await self._until_over(track, display, stop, started_s)
            finally:
                watching.cancel()
                await asyncio.gather(watching, return_exceptions=True)
            seconds = time.monotonic() - started_s
            if self._move is not None:
                await self._move
            last = self._peer
            try:
                final: Message | None = await last.end()
            except NoFinalResult as error:
                final, trouble = None, str(error)
            finally:
                await last.close()
            display.show(self._snapshot(track, seconds))
        return self._summary(last, track, seconds, final, trouble)

    async def _go_elsewhere(self) -> None:
        """Go on with another connection, and hang up on this one when that is there."""
        assert self._peer is not None
        assert self._track is not None
        before, after = self._peer, self._peer.successor()
        try:
            await after.connect(Lent(self._track, lambda: None))
            self._peer = after
            await before.close()
        except ClientError as error:
            # The session ends where it is, when the server has had enough.
            logger.warning("The session could not move: %s", error)
            await after.close()
        finally:
            self._move = None

    async def _until_over(
        self,
        track: ClipTrack,
        display: Display,
        stop: asyncio.Event,
        started_s: float,
    ) -> None:
        over = [asyncio.create_task(wait) for wait in (track.wait_ended(), stop.wait())]
        try:
            while not self._is_gone() and not any(task.done() for task in over):
                await asyncio.wait(over, timeout=REFRESH_S, return_when=asyncio.FIRST_COMPLETED)
                display.show(self._snapshot(track, time.monotonic() - started_s))
        finally:
            for task in over:
                task.cancel()

    def _is_gone(self) -> bool:
        return self._peer is None or (self._peer.gone and self._move is None)

    async def _learn_clock(self, peer: ClientPeer) -> None:
        """Compare clocks, if the server can; older ones cannot."""
        try:
            self._latency.clock = await peer.ping(count=5)
        except (TimeoutError, NotConnected):
            return

    def _offer_picture(self, result: Message) -> None:
        if self._picture is None or not result.get("has_pose") or "frame" not in result:
            return
        number = self._latency.frame_of(result)
        latencies_ms = self._latency.latencies_ms(last=1)
        if number is not None and len(latencies_ms):
            self._picture.consider(number, result, float(latencies_ms[0]))

    def _snapshot(self, track: ClipTrack, elapsed_s: float) -> Snapshot:
        recent: dict[str, Any] = percentiles(self._latency.latencies_ms(RECENT_RESULTS)) or {}
        return Snapshot(
            elapsed_s=elapsed_s,
            total_s=track.length_s,
            frames_sent=self._frames_sent,
            results=self._results,
            rate_hz=self._rate.rate_hz(time.monotonic()),
            p50_ms=recent.get("p50"),
            p95_ms=recent.get("p95"),
            has_pose=self._last.get("has_pose"),
            dropped=self._dropped,
        )

    def _summary(
        self,
        peer: ClientPeer,
        track: ClipTrack,
        seconds: float,
        final: Message | None,
        trouble: str | None,
    ) -> Summary:
        span_s = self._last_result_s - (self._first_result_s or self._last_result_s)
        return Summary(
            door=peer.door or peer.url,
            session_id=peer.session.id if peer.session else None,
            video=str(self._video),
            seconds=round(seconds, 3),
            frames_sent=self._frames_sent,
            frames_skipped=track.frames_skipped,
            results=self._results,
            results_per_s=round((self._results - 1) / span_s, 2) if span_s > 0 else 0.0,
            latency_ms=percentiles(self._latency.latencies_ms()),
            server_ms=percentiles(self._latency.server_ms()),
            with_pose=self._with_pose,
            dropped=self._dropped,
            final=final,
            trouble=trouble,
            problems=tuple(self._problems.values()),
        )
