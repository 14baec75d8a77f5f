"""Events that wait to be sent, in a file: there again after a restart, and never more than so many.

Its methods take time, so they are called on one thread.
"""

from __future__ import annotations

import os
import sqlite3
from dataclasses import dataclass
from pathlib import Path

MOST = 1000
_OWNER_ONLY = 0o600


@dataclass(frozen=True, slots=True)
class Waiting:
    """An event, and its place in the queue."""

    place: int
    event_id: str
    body: bytes


class Outbox:
    """A bounded queue on disk.

    Parameters
    ----------
    path
        The file; made if need be, for the server's user alone.

    Raises
    ------
    OSError, sqlite3.Error
        It can not be written.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, _OWNER_ONLY))
        self._database = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = NORMAL")
        self._database.execute(
            "CREATE TABLE IF NOT EXISTS events"
            " (place INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL, body BLOB NOT NULL)"
        )

    def put(self, event_id: str, body: bytes) -> int:
        """Queue an event; returns how many of the oldest had to give way."""
        self._database.execute("INSERT INTO events (id, body) VALUES (?, ?)", (event_id, body))
        return self._database.execute(
            "DELETE FROM events WHERE place NOT IN"
            " (SELECT place FROM events ORDER BY place DESC LIMIT ?)",
            (MOST,),
        ).rowcount

    def first(self) -> Waiting | None:
        """The oldest, if there is one."""
        row = self._database.execute(
            "SELECT place, id, body FROM events ORDER BY place LIMIT 1"
        ).fetchone()
        return Waiting(*row) if row else None

    def remove(self, place: int) -> None:
        """It was taken."""
        self._database.execute("DELETE FROM events WHERE place = ?", (place,))

    def close(self) -> None:
        """Let go of the file."""
        self._database.close()
