"""All sessions of this server: opened, resumed, seen to their end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from server.broadcast.stream import VideoStream
from server.security.identity import ANONYMOUS, Identity
from server.security.token_bucket import TokenBucket
from server.sessions.directory import SessionDirectory
from server.sessions.embedding_gate import EmbeddingGate
from server.sessions.identifiers import Identifiers
from server.sessions.lifetimes import SessionLifetimes
from server.sessions.luggage import Luggage
from server.sessions.metrics import Metrics
from server.sessions.observer import Observer
from server.sessions.offered_analyzers import OfferedAnalyzers
from server.sessions.peer import Manners, SessionPeer
from server.sessions.recording import RecorderFactory
from server.sessions.room import Room
from server.sessions.session import Session
from server.sessions.state import SessionState
from server.workers.pool import WorkerPool
from signaling.errors import Busy, Conflict, NotAllowed, NotFound, quote
from signaling.ice import IceServer
from signaling.messages import Offer, SessionInfo

RETRY_AFTER_S = 5


@dataclass(frozen=True, slots=True)
class Limits:
    """What one server takes on.

    Attributes
    ----------
    max_sessions
        Sessions at once.
    resume_window_s
        How long a session whose peer is gone waits for it to come back.
    frames_per_second
        Frames that are taken of one session; 0 takes all.
    sessions_per_subject
        Sessions at once of one token's subject; 0 is half of all.
    manners
        How peers are dealt with.
    """

    max_sessions: int
    resume_window_s: float
    frames_per_second: float = 0.0
    sessions_per_subject: int = 0
    manners: Manners = field(default_factory=Manners)


@dataclass(frozen=True, slots=True)
class Opened:
    """The outcome of an offer."""

    peer: SessionPeer
    sdp: str
    info: SessionInfo


class SessionManager:
    """Opens sessions, finds them again, and sees each of them to its end.

    Parameters
    ----------
    pool
        Where analyzers run.
    analyzers
        Names of the configured ones, in their order.
    limits, ice_servers, metrics
        As their types say.
    recorder
        Makes a session's recorder; None when nothing is recorded.
    gate
        Keeps embeddings sealed outside; None leaves them as they are.
    observer
        Is told what becomes of sessions.
    identifiers
        Makes ids and resume tokens.

    Attributes
    ----------
    on_opening
        Called before an offer is answered: other nodes are to know its session at once.
    places
        Who gets one.
    """

    def __init__(
        self,
        pool: WorkerPool,
        analyzers: Sequence[str],
        limits: Limits,
        ice_servers: Sequence[IceServer],
        metrics: Metrics,
        recorder: RecorderFactory | None = None,
        gate: EmbeddingGate | None = None,
        observer: Observer | None = None,
        identifiers: Identifiers | None = None,
    ) -> None:
        self._observer = observer
        self.on_opening: Callable[[], None] = lambda: None
        self.known = SessionDirectory()
        self.identifiers = identifiers or Identifiers()
        self._pool = pool
        self._offered = OfferedAnalyzers(pool, analyzers, gate)
        self._limits = limits
        self._ice_servers = ice_servers
        self._metrics = metrics
        self._recorder = recorder
        self._gate = gate
        self._lifetimes = SessionLifetimes(self.known, limits.resume_window_s, limits.max_sessions)
        self.places = Room(
            *(limits.max_sessions, limits.sessions_per_subject), self.known, self._lifetimes
        )

    # ---- opening

    async def open(
        self, offer: Offer, by: Identity = ANONYMOUS, plays: VideoStream | None = None
    ) -> Opened:
        """Answer an offer with a new session, or with the one that its token names.

        A token that is unknown or too old opens a new session: the answer's id tells.

        Parameters
        ----------
        offer
            What the client sent.
        by
            Who sent it, and so whose session it is.
        plays
            What the client gets to see.

        Raises
        ------
        SignalingError
            What to tell the client: no room (503), bad SDP or an unknown analyzer (400), a session
            of somebody else's (403), a name that is taken (409), too many of one subject (429).
        """
        if self._lifetimes.draining:
            raise Busy("the server is shutting down", retry_after_s=RETRY_AFTER_S)
        resumed = self.known.with_token(offer.resume)
        if resumed is not None:
            check_owner(resumed, by)
        resumed = self._publisher_returned(offer.publish, resumed, by)
        session = resumed or self._new_session(
            offer.analyzers, offer.options, by, name=offer.publish
        )
        self.places.unanswered.add(session.sid)
        name_before = resumed.name if resumed else None
        if offer.publish is not None:
            session.name = offer.publish
        self._lifetimes.keep(session)
        self.on_opening()
        peer: SessionPeer | None = None
        try:
            peer = SessionPeer(
                *(session, offer, self._ice_servers, self._metrics),
                *(self._lifetimes.end, self._lifetimes.gone),
                plays=plays,
                manners=self._limits.manners,
            )
            sdp = await peer.answer()
            if session.ending or self._lifetimes.draining:
                raise Busy("the session has ended meanwhile: offer again", retry_after_s=1)
        except BaseException:
            if peer is not None:
                await peer.close()
            # Unless somebody else has taken it meanwhile.
            if name_before is None or self.known.published(name_before) is None:
                session.name = name_before
            self._undo(session, is_new=resumed is None)
            raise
        finally:
            self.places.unanswered.discard(session.sid)
        await self._lifetimes.attach(session, peer)
        if offer.publish is not None and offer.publish != name_before:
            session.tell("published")
        return Opened(peer, sdp, SessionInfo(id=session.sid, resume=session.resume_token))

    def open_direct(
        self,
        analyzers: Sequence[str] | None,
        options: dict[str, dict[str, Any]] | None = None,
        owner: str | None = None,
        *,
        internal: bool = False,
        name: str | None = None,
    ) -> Session:
        """Open a session that no peer connection feeds, for its `intake`.

        Whoever opens it calls `end`.

        Parameters
        ----------
        analyzers
            Those that it needs, by name; None for all that can run.
        options
            For each of them, by name.
        owner
            The subject of whoever opens it.
        internal
            Whether it is the server's own way to look at something, a file say: not recorded, and
            with as many frames a second as there are.
        name
            What it is published under; whoever gives one sees to it that it is free.

        Raises
        ------
        SignalingError
            What to tell the client: no room (503), an analyzer that this server lacks (400).
        """
        if self._lifetimes.draining:
            raise Busy("the server is shutting down", retry_after_s=RETRY_AFTER_S)
        by = Identity(owner, frozenset(), client=owner or "")
        session = self._new_session(analyzers, options or {}, by, internal=internal, name=name)
        session.begin()
        return session

    def expect(self, sid: str, analyzers: Sequence[str], by: Identity, name: str | None) -> Session:
        """Wait for the peer of a session that another process had (`handover`).

        It goes on without analyzers that this process lacks, and its client is told.

        Raises
        ------
        SignalingError
            It lacks all of them (400).
        """
        there = [each for each in analyzers if self._offered.can_run(each)]
        session = self._new_session(there or analyzers, {}, by, name=name, sid=sid)
        for each in analyzers:
            if each not in there:
                why = f"{each} does not run where this session goes on: it is left out"
                session.subscribers.notify_problem(each, "start", why)
        session.disconnect()
        self._lifetimes.wait_for_return(session)
        return session

    @property
    def resumable(self) -> list[Session]:
        """Those that a peer feeds, or that wait for one."""
        return [each for each in self.known.lasting() if self._lifetimes.has(each)]

    def _publisher_returned(
        self, name: str | None, resumed: Session | None, by: Identity
    ) -> Session | None:
        """The session to go on with under a name, if there is one.

        A publisher that was lost, and comes back without its token, goes on with its session.
        """
        holder = self.known.published(name) if name is not None else None
        if holder is None or holder is resumed:
            return resumed
        waits = holder.state is SessionState.DISCONNECTED
        if resumed is None and waits and by.may_touch(holder.owner):
            return holder
        raise Conflict(
            f"something is published as {quote(name)} already: choose another name, or try again"
            " when it has ended"
        )

    def _new_session(
        self,
        analyzers: Sequence[str] | None,
        options: dict[str, dict[str, Any]],
        by: Identity,
        *,
        internal: bool = False,
        name: str | None = None,
        sid: str | None = None,
    ) -> Session:
        # Before somebody's place is given to it: an offer that is refused takes none.
        names, known = self._offered.choose(analyzers, options, by.subject)
        if sid is None:
            self.places.make(by)
        session = Session(
            self._pool,
            names,
            known,
            self._metrics,
            None if internal else self._recorder,
            by,
            self._gate,
            TokenBucket(0.0 if internal else self._limits.frames_per_second),
            sid or self.identifiers.sid(),
            None if internal else self._observer,
        )
        session.resume_token = self.identifiers.token()
        session.name = name
        self.known.add(session)
        self._metrics.sessions_opened.inc()
        return session

    @property
    def room(self) -> int:
        """How many more sessions can be opened."""
        return self.places.left

    def of_subjects(self) -> Counter[str]:
        """How many sessions each token's subject has, without those that wait for their peer."""
        return Counter(
            session.client
            for session in self.known.lasting()
            if session.owner is not None and session.state is not SessionState.DISCONNECTED
        )

    def _undo(self, session: Session, *, is_new: bool) -> None:
        """Undo what a refused offer began."""
        if is_new:
            self._lifetimes.end_soon(session, "the offer was refused")
        elif session.sid not in self._lifetimes.peers and not session.ending:
            session.disconnect()
            self._lifetimes.wait_for_return(session)

    # ---- the end

    async def hand_over(self, token: str, by: Identity) -> Luggage:
        """End a session that goes on at another node.

        Raises
        ------
        NotFound
            It has ended.
        NotAllowed
            It is somebody else's.
        """
        return await self._lifetimes.hand_over(self.to_move(token, by))

    def to_move(self, token: str, by: Identity) -> Session:
        """The session that somebody wants to go on with at another node; raises as `hand_over`."""
        session = self.known.with_token(token)
        if session is None or session.arrival is not None:
            raise NotFound("there is no session to go on with: it has ended")
        check_owner(session, by)
        return session

    async def end(self, sid: str, reason: str) -> None:
        """End a session, with its final result to all who read it.

        Raises
        ------
        NotFound
            There is no such session.
        """
        await self._lifetimes.end_by_id(sid, reason)

    async def drain(self, reason: str) -> None:
        """Take no more offers, end all sessions with their final results, hang up."""
        await self._lifetimes.drain(reason)

    @property
    def is_draining(self) -> bool:
        """Whether all sessions are ended, for good, at this process."""
        return self._lifetimes.draining

    def is_replaced(self, peer: SessionPeer) -> bool:
        """Whether a peer's session goes on with another one."""
        return self._lifetimes.peers.get(peer.session.sid, peer) is not peer


def check_owner(session: Session, by: Identity) -> None:
    """Refuse what is done to somebody else's session.

    Raises
    ------
    NotAllowed
        It is not theirs, and they have no control.
    """
    if not by.may_touch(session.owner):
        raise NotAllowed(
            f"session {session.sid!r} belongs to another token's subject: only they, or a token"
            " with the scope control, may do this"
        )
