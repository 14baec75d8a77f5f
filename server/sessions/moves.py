"""Sessions that move: a node that is about to end sends them away, another one goes on with them.

The client is told to offer anew, and does so before it hangs up, so there are results meanwhile.
The node that gets the offer asks the old one who that is, and answers; at the first frame it asks
for what was counted, and the session is there. Nobody but nodes can ask (`server.cluster.link`).
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import json
import logging
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

import aiohttp

from server.cluster.link import IDENTITY_HEADER, write_identity
from server.cluster.member import Member
from server.security.identity import Identity
from server.sessions import handover
from server.sessions.arrival import Arrival
from server.sessions.luggage import Luggage
from server.sessions.manager import SessionManager
from server.sessions.session import Session
from server.sessions.state import SessionState
from server.tasks import Tasks
from signaling.errors import BadMessage, Busy, Conflict, NotAllowed, NotFound, SignalingError, quote
from signaling.messages import Offer

logger = logging.getLogger(__name__)

# From the first word to the end of who has not moved.
DRAIN_WITHIN_S = 60.0
# So many are told at once, and then waited for, but not longer: each costs what an offer costs.
AT_ONCE, NEXT_AFTER_S = 4, 1.0
LABEL, LUGGAGE = "/moving/label", "/moving/luggage"
LABEL_WITHIN_S = 2.0
# An analyzer may be in the middle of a frame; a worker is given up before this.
LUGGAGE_WITHIN_S = 10.0


class Moves:
    """One node's part in it.

    Parameters
    ----------
    member
        The node among the others.
    manager
        Its sessions.

    Attributes
    ----------
    take_training
        Is given what another node kept of a session as a training, by the session's id.
    """

    def __init__(self, member: Member, manager: SessionManager) -> None:
        self._member = member
        self._manager = manager
        self.take_training: Callable[[str, dict[str, Any]], None] = lambda *_: None
        self._tasks = Tasks("moves")

    async def close(self) -> None:
        """Bring nothing more."""
        await self._tasks.cancel()

    # ---- away

    async def drain(
        self, given_up: asyncio.Future[None], begun: Callable[[], Awaitable[None]]
    ) -> None:
        """Send all sessions elsewhere; returns when none is left, or it is time to end.

        Parameters
        ----------
        given_up
            Done when all are to end here, now.
        begun
            Called when this node takes nothing new any more.
        """
        until_s, told = time.monotonic() + DRAIN_WITHIN_S, dict[str, object]()
        if not await self._is_our_turn(given_up, until_s):
            return
        await begun()
        logger.info("Draining: %d sessions are sent to other nodes", len(self._here()))
        while (here := self._here()) and not given_up.done():
            left_s = until_s - time.monotonic()
            if left_s <= 0:
                logger.warning("%d sessions did not move: they end", len(here))
                return
            # Through a door that had not heard of it yet, somebody may have come back to here.
            untold = (
                s for s in here if s.arrival is None and told.get(s.sid) is not s.subscribers.peer
            )
            batch = self._send_away(untold, left_s)
            told.update((session.sid, session.subscribers.peer) for session in batch)
            self._member.report()
            await _until_ended(batch or here, min(left_s, NEXT_AFTER_S), given_up)

    async def _is_our_turn(self, given_up: asyncio.Future[None], until_s: float) -> bool:
        """Wait until another node takes sessions; of two that would drain, until one has."""
        while self._member.has_others and not given_up.done() and time.monotonic() < until_s:
            if await self._member.begin_to_drain():
                return True
            await asyncio.wait({given_up}, timeout=NEXT_AFTER_S)
        return False

    def _here(self) -> list[Session]:
        """Those that are here, or on their way: one whose peer is here moves on from here."""
        lasting = self._manager.known.lasting()
        return [s for s in lasting if s.arrival is None or s.state is SessionState.STREAMING]

    def _send_away(self, sessions: Iterable[Session], within_s: float) -> list[Session]:
        batch: list[Session] = []
        for session in sessions:
            # To the peer alone: whoever has the token has the session.
            message = {
                "type": "move",
                "resume": session.resume_token,
                "within_s": round(within_s, 1),
            }
            if session.subscribers.tell_peer(message):
                batch.append(session)
            if len(batch) == AT_ONCE:
                break
        return batch

    # ---- here

    async def expected(self, offer: Offer, by: Identity) -> Offer:
        """Make ready for the session of an offer, if another node has it; returns the offer.

        Raises
        ------
        SignalingError
            The session is somebody else's (403), its node does not answer (503), or what the offer
            is to be published under is another session's (409, or 503 where its own is gone).
        """
        number = self._member.of_token(offer.resume)
        if number is None or number == self._member.node.number:
            return offer
        # A door sent it here, which knows that node to drain; this one may hear of it later.
        label = await self._ask(number, LABEL, offer, by, LABEL_WITHIN_S)
        told: dict[str, Any] = json.loads(label) if label is not None else {}
        self._check_name(offer.publish, told)
        if not told:
            return offer
        try:
            kept = handover.KeptSession(**told["kept"])
            states = [SessionState(state) for state in told["states"]]
        except (KeyError, TypeError, ValueError) as error:
            # Of another version: whoever comes has a new session, rather than none.
            logger.warning("A session that moves can not be read (%r): it begins anew", error)
            return offer
        session = self._here_already(kept.id)
        if session is None:
            try:
                session = handover.expect(self._manager, kept)
            except BadMessage as error:
                # What the offer itself asks for may run, and if not, this says so.
                logger.warning("A session that moves begins anew: %s", error.message)
                return offer
            session.history[:-1] = states
            fetch = functools.partial(self._bring_soon, session, number, offer, by)
            session.arrival = Arrival(session.incoming, fetch)
        return offer.model_copy(update={"resume": session.resume_token})

    def _check_name(self, name: str | None, told: Mapping[str, Any]) -> None:
        """Refuse to publish as what another session does: a door asks nobody where one moves."""
        if name is None or told.get("kept", {}).get("name") == name:
            return
        own = self._member.node.number
        if not any(name in state.names for n, state in self._member.states.items() if n != own):
            return
        if not told:
            # Whoever has it may be ending.
            raise Busy(f"something is published as {quote(name)}: try again", retry_after_s=1)
        raise Conflict(
            f"something is published as {quote(name)} already: choose another name, or try again"
            " when it has ended"
        )

    def _here_already(self, sid: str) -> Session | None:
        """The session of an offer that came to nothing, or of one whose answer was lost."""
        return next((s for s in self._manager.known.lasting() if s.sid == sid), None)

    def _bring_soon(
        self, session: Session, number: int, offer: Offer, by: Identity, audio: bool
    ) -> None:
        self._tasks.spawn(self._bring(session, number, offer, by, audio), "bring")

    async def _bring(
        self, session: Session, number: int, offer: Offer, by: Identity, audio: bool
    ) -> None:
        """Go on with a session, whatever is known of it."""
        began_s = time.monotonic()
        luggage: Luggage | None = None
        try:
            data = await self._ask(number, LUGGAGE, offer, by, LUGGAGE_WITHIN_S)
            luggage = Luggage.read(data) if data is not None else None
        except NotFound:
            # Its client has ended it there, and has the final result.
            await self._end(session, "it ended before it moved")
            return
        except (SignalingError, ValueError) as error:
            logger.warning("Session %s comes without what was counted: %s", session.sid, error)
        if not self._arrive(session, luggage, audio) and not self._arrive(session, None, audio):
            await self._end(session, "it could not go on at this node")
        self._member.report()
        took_ms = (time.monotonic() - began_s) * 1000
        logger.info("Session %s came from node %02x within %.0f ms", session.sid, number, took_ms)

    def _arrive(self, session: Session, luggage: Luggage | None, audio: bool) -> bool:
        """Have it go on; returns whether it does, since what it brings may be anything."""
        if luggage is not None and luggage.training is not None:
            try:
                self.take_training(session.sid, luggage.training)
            except Exception:
                # What was counted is none the worse.
                logger.exception("The training of session %s begins anew", session.sid)
        try:
            session.arrive(luggage, audio=audio)
        except Exception:
            logger.exception("Session %s can not go on with what it brings", session.sid)
            return False
        return True

    async def _end(self, session: Session, reason: str) -> None:
        with contextlib.suppress(NotFound):
            await self._manager.end(session.sid, reason)

    async def _ask(
        self, number: int, path: str, offer: Offer, by: Identity, within_s: float
    ) -> bytes | None:
        """What another node says of a session; None if that is gone."""
        if self._member.of_token(offer.resume) != number:
            # It was started anew, and knows of nothing.
            return None
        link = self._member.links.get(number)
        if link is None:
            return None
        try:
            async with link.session.post(
                path,
                json={"resume": offer.resume},
                headers={IDENTITY_HEADER: write_identity(by)},
                timeout=aiohttp.ClientTimeout(total=within_s),
            ) as answer:
                data = await answer.read()
        except (aiohttp.ClientError, TimeoutError) as error:
            if path == LABEL and self._member.of_token(offer.resume) == number:
                # It is only late, and has the session still: a new one would begin anew.
                raise Busy("its node does not answer: try again", retry_after_s=1) from error
            return None
        if answer.status == 404:
            if path == LABEL:
                return None
            raise NotFound("it has ended")
        if answer.status == 403:
            raise NotAllowed(json.loads(data)["message"])
        if answer.status != 200:
            raise Busy("its node does not let go of the session: try again", retry_after_s=1)
        return data


async def _until_ended(
    sessions: list[Session], within_s: float, given_up: asyncio.Future[None]
) -> None:
    """Wait until some sessions have ended, or for so long, or until it is given up."""
    ended = Tasks("drain")
    for each in sessions:
        ended.spawn(each.ended.wait(), each.sid)
    all_ended = asyncio.create_task(ended.join())
    waits: list[asyncio.Future[None]] = [all_ended, given_up]
    await asyncio.wait(waits, timeout=within_s, return_when=asyncio.FIRST_COMPLETED)
    await ended.cancel()
    await all_ended
