"""The book of sessions: what a server needs to go on with those of the process before it.

The supervisor keeps it, as bytes, in memory only: a resume token opens its session. Peers, results
and analyzers' state are lost with the process; a client that offers with its token finds the rest.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from server.security.identity import Identity
from server.sessions.chosen_analyzers import Options
from server.sessions.manager import SessionManager
from server.sessions.session import Session
from server.workers.blame import Fault
from signaling.errors import SignalingError

logger = logging.getLogger(__name__)

# The default 16 sessions with as many options as each may have.
MAX_BOOK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class KeptSession:
    """One session in the book.

    Attributes
    ----------
    options
        None where they were more than the book takes.
    """

    id: str
    resume: str
    owner: str | None
    client: str
    name: str | None
    analyzers: list[str]
    options: Options | None
    created_at_ms: int
    restarts: int


class SessionBook:
    """The book of a manager's sessions, for whoever asks now and then."""

    def __init__(self, manager: SessionManager) -> None:
        self._manager = manager
        self._told: list[Any] | None = None

    def changed(self) -> bytes | None:
        """The book, one line of JSON, if it has changed since the last call."""
        sessions = self._manager.resumable
        # Options are replaced when they change, so this compares identities.
        now = [(s.sid, s.name, s.analyzers, s.restarts, dict(s.options)) for s in sessions]
        if now == self._told:
            return None
        self._told = now
        return _written(sessions)


def go_on(manager: SessionManager, book: bytes) -> None:
    """Wait for the peers of the sessions in a book, as if they had just been lost."""
    for kept in _read(book):
        if not manager.room:
            logger.warning("Session %s can not go on: there is no room", kept.id)
            continue
        try:
            _go_on_with(manager, kept)
        except SignalingError as error:
            logger.warning("Session %s can not go on: %s", kept.id, error.message)


def _read(book: bytes) -> list[KeptSession]:
    try:
        return [KeptSession(**entry) for entry in json.loads(book or b"[]")]
    except (ValueError, TypeError):
        # Kinecast was updated under the supervisor, and its book is another one's now.
        logger.exception("The sessions of the process before can not be read")
        return []


def _go_on_with(manager: SessionManager, kept: KeptSession) -> None:
    session = expect(manager, kept)
    session.resume_token = kept.resume
    if kept.options is None:
        logger.warning("Session %s goes on without its options: they are too large", kept.id)
    session.worker_restarted(Fault("", "ended with the server"), ())


def expect(manager: SessionManager, kept: KeptSession) -> Session:
    """Wait for the peer of a session that another process had.

    Raises
    ------
    SignalingError
        This server lacks all of its analyzers (400).
    """
    by = Identity(kept.owner, frozenset(), kept.client)
    session = manager.expect(kept.id, kept.analyzers, by, kept.name)
    session.created_at_ms = kept.created_at_ms
    session.restarts = kept.restarts
    options = kept.options or {}
    session.options.update({n: options[n] for n in session.analyzers if n in options})
    return session


def _written(sessions: Iterable[Session]) -> bytes:
    lines: list[bytes] = []
    left = MAX_BOOK_BYTES
    for session in sessions:
        line = _line(session, session.options)
        if len(line) > left:
            line = _line(session, None)
        left -= len(line)
        lines.append(line)
    return b"[" + b",".join(lines) + b"]"


def _line(session: Session, options: Options | None) -> bytes:
    return json.dumps(asdict(kept_of(session, options))).encode()


def kept_of(session: Session, options: Options | None) -> KeptSession:
    """What another process has to know of a session to wait for its peer."""
    return KeptSession(
        session.sid,
        session.resume_token,
        session.owner,
        session.client,
        session.name,
        list(session.analyzers),
        options,
        session.created_at_ms,
        session.restarts,
    )
