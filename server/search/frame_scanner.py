"""A session that is shown one frame after the other, and each one's result waited for."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import orjson

from server.media.clock import TrackClock
from server.search.video import SampledFrame
from server.sessions.embedding_gate import REID, refusal_in
from server.sessions.manager import SessionManager
from server.sessions.results import Result
from signaling.errors import BadMessage, Busy, NotFound, SignalingError

# A worker that is replaced meanwhile, and loads its networks, takes some seconds.
_ANSWER_WITHIN_S = 60.0


class ReferenceRefused(BadMessage):
    """Re-identification can not use the reference: another network has made it."""


class FrameScanner:
    """Asks re-identification for one person in one frame after the other.

    Parameters
    ----------
    sessions
        Where its session is opened.
    options
        Re-identification's, beside what makes it answer for each frame.
    owner
        The subject of whoever searches.

    Raises
    ------
    SignalingError
        As `SessionManager.open_direct`.
    """

    def __init__(
        self, sessions: SessionManager, options: dict[str, Any], owner: str | None
    ) -> None:
        self._sessions = sessions
        self._session = sessions.open_direct(
            (REID,), {REID: {**options, "every_frame": True}}, owner, internal=True
        )
        self._clock = TrackClock(self._session.clock)
        self._answer: asyncio.Future[list[dict[str, Any]]] | None = None
        self._number = 0
        self._fault: SignalingError | None = None
        self._session.subscribers.add_sink(self)

    async def look(self, frame: SampledFrame) -> list[dict[str, Any]]:
        """The matches in a frame, as re-identification gives them.

        Raises
        ------
        SignalingError
            There is no answer, and why.
        """
        if self._fault is not None:
            raise self._fault
        self._answer = asyncio.get_running_loop().create_future()
        try:
            self._session.intake.put_frame(frame.picture, self._clock)
            self._number = self._session.frames_in
            # Not wait_for: before Python 3.12 it loses a cancellation that comes with the answer,
            # and the search would go on for nobody.
            async with asyncio.timeout(_ANSWER_WITHIN_S):
                return await self._answer
        except TimeoutError:
            raise Busy("no worker had an answer in time", retry_after_s=5) from None
        except OSError:
            raise Busy("there is no memory left for a frame", retry_after_s=5) from None

    async def close(self) -> None:
        """End the session."""
        self._session.subscribers.remove_sink(self)
        with contextlib.suppress(NotFound):
            await self._sessions.end(self._session.sid, "the search is over")

    # ---- as the session's sink

    def result(self, result: Result) -> None:
        """Take an answer."""
        assert result.frame is not None
        if self._answer is None or self._answer.done() or result.frame.number != self._number:
            return
        # Where it failed, what there is is of an earlier frame.
        is_new = "matches" in result.fragments and REID not in result.timing.held
        self._answer.set_result(orjson.loads(result.fragments["matches"]) if is_new else [])

    def notice(self, message: dict[str, Any]) -> None:
        """Take what makes further looks pointless."""
        if (refusal := refusal_in(message)) is not None:
            self._fail(ReferenceRefused(refusal))
        elif message["type"] == "analyzer_error" and message["phase"] == "hang":
            self._fail(Busy(f"{message['analyzer']} {message['message']}", retry_after_s=5))

    def final(self, result: Result) -> None:
        """Somebody else, or the server's end, has ended it."""
        self._fail(Busy("the session was ended before the search was over", retry_after_s=1))

    def _fail(self, fault: SignalingError) -> None:
        self._fault = fault
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(fault)
