"""Keeps what sessions tell of trainings, on threads, and says how that goes."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from server.backoff import Backoff
from server.history.drafts import Drafts, Told
from server.history.errors import BadTraining, DatabaseAway, HistoryError, TooManyNames
from server.history.keys import Keys
from server.history.training import Draft
from server.tasks import Tasks

if TYPE_CHECKING:
    from server.history.reading import Reader
    from server.history.store import Deleted, Store

logger = logging.getLogger(__name__)

# A training that goes on is written so often: what a crash takes is no more than that.
WRITES_EVERY_S = 2.0
LONGEST_PAUSE_S = 30.0
# A database that no longer answers holds up nobody.
ANSWERS_WITHIN_S = 15.0
MOST_AT_ONCE = 16
_ENDS_WITHIN_S = 5.0
_READING_THREADS = 2

_WAITS = "the database does not take this training: it waits in memory until it does"

_T = TypeVar("_T")


class Overloaded(HistoryError):
    """Too many ask at once."""


@dataclass(frozen=True, slots=True)
class HistoryStatus:
    """How it goes.

    Attributes
    ----------
    is_written
        Whether the database takes what there is.
    waiting
        Trainings that are in memory alone, or not wholly written.
    lost
        Trainings that were given up, since there were too many.
    """

    is_written: bool
    waiting: int
    lost: int


class History:
    """The trainings of one server on their way to its database.

    Parameters
    ----------
    store, reader
        The database.
    keys
        Under which trainings are kept.
    find
        Whose session it is that something is told of, by its id; None if there is no such session.
    tell_session
        Has a session's client told, with a code, what becomes of its training.
    first_pause_s
        After the database did not take something.
    """

    def __init__(
        self,
        store: Store,
        reader: Reader,
        keys: Keys,
        find: Callable[[str], Told | None],
        tell_session: Callable[[str, str, str], None],
        first_pause_s: float = 1.0,
    ) -> None:
        self._store = store
        self.reader = reader
        self.keys = keys
        self._find = find
        self._tell_session = tell_session
        self._drafts = Drafts(keys.of_session)
        self._writing = ThreadPoolExecutor(1, thread_name_prefix="history writes")
        self._reading = ThreadPoolExecutor(_READING_THREADS, thread_name_prefix="history reads")
        self._backoff = Backoff(first_pause_s, LONGEST_PAUSE_S, random.uniform)
        self._tasks = Tasks("history")
        self._more = asyncio.Event()
        self._closing = asyncio.Event()
        # Whoever has just finished looks at it next.
        self._soon = asyncio.Event()
        self._writer: asyncio.Task[None] | None = None
        self._is_open = False
        self._is_away = False
        self._told: set[str] = set()
        self._asking = 0

    @property
    def status(self) -> HistoryStatus:
        """How it goes just now."""
        return HistoryStatus(not self._is_away, len(self._drafts), self._drafts.lost)

    def open(self) -> None:
        """Begin to write."""
        self._more.set()
        self._writer = self._tasks.spawn(self._write_always(), "write")

    async def close(self) -> None:
        """Write what is not written yet."""
        self._closing.set()
        self._soon.set()
        self._more.set()
        try:
            await asyncio.wait_for(self._tasks.join(), _ENDS_WITHIN_S)
        except TimeoutError:
            logger.error("Trainings could not be written within %g s", _ENDS_WITHIN_S)
            await self._tasks.cancel()
        if len(self._drafts):
            logger.error("%d trainings are lost: they were in memory alone", len(self._drafts))
        self._writing.shutdown(wait=False, cancel_futures=True)
        self._reading.shutdown(wait=False, cancel_futures=True)
        await asyncio.to_thread(self._store.close)

    # ---- what sessions tell

    def tell(self, kind: str, data: dict[str, Any]) -> None:
        """Take note of what has become of a session; as `sessions.observer` has it."""
        if kind not in ("repetition", "session.ended"):
            return
        session = str(data["session"])
        told = self._find(session)
        if told is None:
            return
        if kind == "repetition":
            self._drafts.add(told, data["repetition"])
            if self._is_away:
                self._say_so(session)
        else:
            self._drafts.end(told, data["summary"])
            self._told.discard(session)
            self._soon.set()
        self._more.set()

    def let_go(self, session: str) -> dict[str, Any] | None:
        """What there is of a session that goes on at another node, which writes it from now on."""
        self._told.discard(session)
        return self._drafts.let_go(session)

    def take_over(self, session: str, kept: dict[str, Any]) -> None:
        """Go on with what another node let go of, so that it becomes one training.

        Raises
        ------
        ValueError
            It is something else: of another version perhaps.
        """
        told = self._find(session)
        if told is not None:
            self._drafts.take_over(told, kept)
            self._more.set()

    def _say_so(self, session: str) -> None:
        if session not in self._told:
            self._told.add(session)
            self._tell_session(session, "history", _WAITS)

    # ---- the writer

    async def _write_always(self) -> None:
        while not self._closing.is_set() or len(self._drafts):
            await self._more.wait()
            self._more.clear()
            if not self._closing.is_set():
                self._soon.clear()
            pause_s = WRITES_EVERY_S
            try:
                await self._write_all()
                self._backoff.reset()
                if self._is_away:
                    logger.warning("The history is written again")
                self._is_away = False
                self._told.clear()
            except HistoryError as error:
                pause_s = self._backoff.pause_s()
                self._note_away(error, pause_s)
                self._more.set()
                if self._closing.is_set():
                    return
            await self._rest(self._closing if self._is_away else self._soon, pause_s)

    def _note_away(self, error: HistoryError, pause_s: float) -> None:
        logger.log(
            logging.DEBUG if self._is_away else logging.ERROR,
            "The history can not be written: %s. Trainings are kept in memory; again in %.1f s",
            error,
            pause_s,
        )
        self._is_away = True
        for draft in self._drafts.unwritten():
            if not draft.is_over:
                self._say_so(draft.session)

    async def _rest(self, until: asyncio.Event, pause_s: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(pause_s):
                await until.wait()

    async def _write_all(self) -> None:
        if not self._is_open:
            await self._on(self._writing, self._store.open)
            self._is_open = True
        for draft in self._drafts.unwritten():
            await self._write(draft)

    async def _write(self, draft: Draft) -> None:
        version = draft.version
        try:
            is_there = await self._on(self._writing, self._store.save, draft.training())
        except BadTraining as error:
            logger.error("A training of session %s is not kept: %s", draft.session, error)
            self._drafts.drop(draft, for_good=True)
            if isinstance(error, TooManyNames):
                self._tell_session(draft.session, "history_full", str(error))
            return
        draft.is_known, draft.written = True, version
        if not is_there:
            self._drafts.drop(draft, for_good=True)
        elif draft.is_over and not draft.unwritten:
            self._drafts.drop(draft)

    # ---- what others ask

    async def ask(self, call: Callable[..., _T], *arguments: Any, **named: Any) -> _T:
        """Have `reader` read something.

        Raises
        ------
        DatabaseAway
            It can not, now.
        Overloaded
            Too many ask at once.
        """
        return await self._for_others(self._reading, lambda: call(*arguments, **named))

    async def share(self, key: str, coach: str) -> bool:
        """As `Store.share`."""
        return await self._for_others(self._writing, self._store.share, key, coach)

    async def unshare(self, key: str, coach: str) -> None:
        """As `Store.unshare`."""
        await self._for_others(self._writing, self._store.unshare, key, coach)

    async def forget(self, key: str) -> Deleted:
        """Delete everything of one person, also what waits and what goes on."""
        self._drafts.forget(key)
        # Behind whatever of theirs is being written just now.
        deleted = await self._for_others(self._writing, self._store.forget, key)
        self._drafts.forget(key)
        return deleted

    async def _for_others(
        self, threads: ThreadPoolExecutor, call: Callable[..., _T], *arguments: Any
    ) -> _T:
        if not self._is_open:
            raise DatabaseAway("it was not reached yet")
        if self._asking >= MOST_AT_ONCE:
            raise Overloaded("too many ask at once")
        self._asking += 1
        try:
            return await self._on(threads, call, *arguments)
        finally:
            self._asking -= 1

    async def _on(
        self, threads: ThreadPoolExecutor, call: Callable[..., _T], *arguments: Any
    ) -> _T:
        running = asyncio.get_running_loop().run_in_executor(threads, call, *arguments)
        try:
            # What has not begun by then never does: whoever wants it asks again.
            return await asyncio.wait_for(running, ANSWERS_WITHIN_S)
        except TimeoutError:
            raise DatabaseAway(f"no answer within {ANSWERS_WITHIN_S:g} s") from None
