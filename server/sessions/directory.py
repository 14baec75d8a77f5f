"""Sessions: by id, by the token that resumes one, by the name it is published as."""

from __future__ import annotations

import secrets
from collections import Counter, OrderedDict
from collections.abc import Iterator

from server.security.identity import Identity
from server.sessions.session import Session
from signaling.errors import NotFound

# Ended sessions that can still be looked at.
ENDED_KEPT = 50


class SessionDirectory:
    """The running sessions, and those that ended last."""

    def __init__(self) -> None:
        self._running: dict[str, Session] = {}
        self._ended: OrderedDict[str, Session] = OrderedDict()

    def __iter__(self) -> Iterator[Session]:
        """The running ones, oldest first."""
        return iter(list(self._running.values()))

    def add(self, session: Session) -> None:
        """A session runs."""
        self._running[session.sid] = session

    def end(self, session: Session) -> None:
        """A session has ended; it can be looked at until fifty more have."""
        self._running.pop(session.sid, None)
        self._ended[session.sid] = session
        while len(self._ended) > ENDED_KEPT:
            self._ended.popitem(last=False)

    def get(self, sid: str) -> Session:
        """The session of this id, running or ended not long ago.

        Raises
        ------
        NotFound
            There is no such session.
        """
        session = self._running.get(sid) or self._ended.get(sid)
        if session is None:
            raise NotFound(f"no session {sid!r}: GET /sessions lists them")
        return session

    def with_token(self, token: str | None) -> Session | None:
        """The running session that a token resumes, if one does."""
        if token is None:
            return None
        for session in self.lasting():
            if secrets.compare_digest(session.resume_token.encode(), token.encode()):
                return session
        return None

    def published(self, name: str) -> Session | None:
        """The session that is published under a name, if one is."""
        return next((session for session in self.lasting() if session.name == name), None)

    def viewable(self, name: str, by: Identity) -> Session | None:
        """One's own session that has this id, or the one that is published under this name."""
        own = self._running.get(name)
        if own is not None and not own.ending and by.may_touch(own.owner):
            return own
        return self.published(name)

    def lasting(self) -> list[Session]:
        """Those that run and are not about to end, oldest first."""
        return [session for session in self._running.values() if not session.ending]

    def over(self) -> list[Session]:
        """Those that ended last, with a final result: not those that went on at another node."""
        return [each for each in self._ended.values() if each.last is not None and each.last.final]

    def count_states(self) -> Counter[str]:
        """How many running sessions are in each state."""
        return Counter(str(session.state) for session in self._running.values())
