"""Whether there is room for one more session, and whose place it gets."""

from __future__ import annotations

import time
from collections.abc import Callable

from server.security.identity import Identity
from server.security.places import Place, Places, Standing
from server.sessions.directory import SessionDirectory
from server.sessions.lifetimes import SessionLifetimes
from server.sessions.session import Session
from server.sessions.state import SessionState


class Room:
    """Gives places to sessions.

    Parameters
    ----------
    most
        Sessions at once.
    per_subject
        Sessions at once of one token's subject; 0 is half of all.
    known
        Those that there are.
    lifetimes
        Ends one whose place is needed.

    Attributes
    ----------
    elsewhere
        How many sessions a client has at other nodes.
    unanswered
        Ids of sessions whose offer is being answered.
    """

    def __init__(
        self, most: int, per_subject: int, known: SessionDirectory, lifetimes: SessionLifetimes
    ) -> None:
        self.elsewhere: Callable[[str], int] = lambda _: 0
        self.unanswered: set[str] = set()
        self._most = most
        self._places = Places("sessions", most, per_subject)
        self._known = known
        self._lifetimes = lifetimes

    @property
    def left(self) -> int:
        """How many more sessions can be opened."""
        return max(self._most - len(self._known.lasting()), 0)

    def make(self, by: Identity) -> None:
        """Have a place for somebody's session; one that nobody uses may be ended for it.

        Raises
        ------
        SignalingError
            There is none (503), or they have too many (429).
        """
        taken = [self._place_of(session) for session in self._known.lasting()]
        session = self._places.make_room(taken, by, self.elsewhere(by.client))
        if session is not None:
            self._lifetimes.keep(session)
            self._lifetimes.end_soon(session, "its place was needed")

    def _place_of(self, session: Session) -> Place[Session]:
        peer = self._lifetimes.peers.get(session.sid)
        standing, since_s = Standing.USED, time.monotonic()
        if session.sid in self.unanswered or (peer is not None and peer.is_connecting):
            # One that is resumed is not given up for an attempt that may fail.
            standing = Standing.USED if session.frames_in else Standing.CONNECTING
            since_s = peer.asked_s if peer is not None else since_s
        elif session.state is SessionState.DISCONNECTED:
            standing = Standing.WAITING
        return Place(session, session.client, standing, since_s)
