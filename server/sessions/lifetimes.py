"""Each session's peer, and what becomes of the session when that is gone: waiting, and the end."""

from __future__ import annotations

import asyncio
import logging

from server.sessions.directory import SessionDirectory
from server.sessions.luggage import Luggage
from server.sessions.peer import DisconnectReason, SessionPeer, hang_up_on_oldest
from server.sessions.session import MOVES_ON, Session
from server.tasks import Tasks

logger = logging.getLogger(__name__)


class SessionLifetimes:
    """Sees sessions to their end.

    Parameters
    ----------
    known
        All of them.
    resume_window_s
        How long one whose peer is gone waits for it to come back.
    max_peers
        Peers that may stay after their final result.

    Attributes
    ----------
    peers
        By the session that each one feeds.
    draining
        Whether all are coming to their end.
    """

    def __init__(self, known: SessionDirectory, resume_window_s: float, max_peers: int) -> None:
        self.peers: dict[str, SessionPeer] = {}
        self.draining = False
        self._known = known
        self._resume_window_s = resume_window_s
        self._max_peers = max_peers
        self._expiries: dict[str, asyncio.Task[None]] = {}
        self._tasks = Tasks("sessions")
        self._left = Tasks("sessions that have left")

    def has(self, session: Session) -> bool:
        """Whether a peer feeds it, or it waits for one."""
        return session.sid in self.peers or session.sid in self._expiries

    async def attach(self, session: Session, peer: SessionPeer) -> None:
        """A peer feeds a session from now on, in place of the one before."""
        before = self.peers.get(session.sid)
        self.peers[session.sid] = peer
        if before is not None:
            await before.close()

    async def gone(self, peer: SessionPeer, why: DisconnectReason) -> None:
        """A peer is no longer there: wait for it to come back, unless the session is over."""
        session = peer.session
        if self.peers.get(session.sid) is peer:
            del self.peers[session.sid]
            # A session that has streamed before may still be resumed by an attempt that connects.
            hopeless = why is DisconnectReason.NEVER_CONNECTED and not session.frames_in
            hopeless = hopeless and session.arrival is None
            if session.ending or hopeless or self._resume_window_s == 0:
                self.end_soon(session, why.value)
            else:
                logger.info("Session %s: %s", session.sid, why.value)
                session.disconnect()
                self.wait_for_return(session)
        await peer.close()

    def wait_for_return(self, session: Session) -> None:
        """End the session unless its peer comes back in time."""
        self.keep(session)
        self._expiries[session.sid] = self._tasks.spawn(self._expire(session), "expire")

    def keep(self, session: Session) -> None:
        """Do not end the session for now."""
        if expiry := self._expiries.pop(session.sid, None):
            expiry.cancel()

    async def _expire(self, session: Session) -> None:
        await asyncio.sleep(self._resume_window_s)
        self._expiries.pop(session.sid, None)
        await self.end(session, DisconnectReason.LOST.value)

    def end_soon(self, session: Session, reason: str) -> None:
        """End a session without waiting for it."""
        peer = self.peers.get(session.sid)
        if peer is not None:
            peer.request_end(reason)
        self._tasks.spawn(self.end(session, reason), "end")

    async def end(self, session: Session, reason: str) -> None:
        """End a session; goes on when the peer that asked for it is gone before it is done."""
        await asyncio.shield(self._tasks.spawn(self._finish(session, reason), "finish"))

    async def end_by_id(self, sid: str, reason: str) -> None:
        """End a session, with its final result to all who read it.

        Raises
        ------
        NotFound
            There is no such session.
        """
        session = self._known.get(sid)
        peer = self.peers.get(sid)
        if peer is not None:
            peer.request_end(reason)
        await self.end(session, reason)

    async def _finish(self, session: Session, reason: str) -> None:
        try:
            await session.end(reason)
        finally:
            self._known.end(session)
        stays = session.arrival is None and session.end_reason != MOVES_ON
        if session.name is not None and stays:
            session.tell("unpublished")
        hang_up_on_oldest(self.peers.values(), self._max_peers)

    async def hand_over(self, session: Session) -> Luggage:
        """End a session here that goes on at another node; its peer has a moment to hang up."""
        self.keep(session)
        return await asyncio.shield(self._left.spawn(self._leave(session), "leave"))

    async def _leave(self, session: Session) -> Luggage:
        try:
            return await session.leave()
        finally:
            self._known.end(session)
            if (peer := self.peers.get(session.sid)) is not None:
                peer.request_end(MOVES_ON)
            # To close files takes its time, and results are missing until it is there.
            self._left.spawn(session.finish_recording(), "finish its recording")

    async def drain(self, reason: str) -> None:
        """Take no more offers, end all sessions with their final results, hang up."""
        self.draining = True
        await asyncio.gather(*(self.end(session, reason) for session in self._known))
        peers = list(self.peers.values())
        self.peers.clear()
        await asyncio.gather(*(peer.flush() for peer in peers))
        await asyncio.gather(*(peer.close() for peer in peers))
        await self._left.join()
        await self._tasks.cancel()
