"""Keeps trainings, where a database is named: opened with the application, closed with it."""

from __future__ import annotations

import contextlib

from aiohttp import web

from server.api.athletes import KEYS
from server.api.context import HISTORY, HISTORY_BUDGET
from server.config import BadSettings, Settings
from server.history.drafts import Told
from server.history.errors import HistoryError
from server.history.history import History
from server.history.keys import Keys
from server.history.opening import open_database
from server.security import private_file
from server.security.budget import Budget
from server.sessions.manager import SessionManager
from signaling.errors import NotFound

# The page asks three times for a view; a program that pages through thousands of trainings waits.
_RATE = "20/second; 300/minute"


class SessionsOfHistory:
    """What the history asks of sessions; the manager is there later than it."""

    def __init__(self) -> None:
        self.manager: SessionManager | None = None

    def find(self, sid: str) -> Told | None:
        """Whose session it is."""
        if self.manager is None:
            return None
        try:
            session = self.manager.known.get(sid)
        except NotFound:
            return None
        return Told(sid, session.owner, session.name)

    def tell(self, sid: str, code: str, message: str) -> None:
        """Tell its client what becomes of its training, if there is a session still."""
        if self.manager is None:
            return
        with contextlib.suppress(NotFound):
            told = {"type": "history", "code": code, "message": message}
            self.manager.known.get(sid).subscribers.notify(told)


def make_history(settings: Settings, sessions: SessionsOfHistory) -> History | None:
    """The history, if trainings are kept.

    Raises
    ------
    BadSettings
        The database can not be used.
    """
    address = settings.database.get_secret_value()
    if not address:
        return None
    try:
        default = private_file.data_directory() / "history.sqlite"
        store, reader = open_database(address, default)
    except HistoryError as error:
        raise BadSettings(f"--database: {error}") from error
    keys = Keys(settings.asks_for_tokens)
    return History(store, reader, keys, sessions.find, sessions.tell)


def set_up(main: web.Application, running: web.Application, history: History | None) -> None:
    """Serve it; `running` is the application that is run."""
    if history is None:
        return
    budget = Budget("requests for trainings", _RATE)
    for app in (main, running):
        app[HISTORY], app[HISTORY_BUDGET] = history, budget
        app[KEYS] = history.keys
    running.on_startup.append(_open)
    running.on_cleanup.append(_close)


async def _open(app: web.Application) -> None:
    app[HISTORY].open()


async def _close(app: web.Application) -> None:
    await app[HISTORY].close()
