"""The trainings that go on, or wait to be written: in memory, and never more than so many."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from server.history.training import Draft, Kept

# While the database is away.
MOST_WAITING = 200
# Of all that wait.
MOST_BYTES_WAITING = 64_000_000
# What goes along with a session to another node.
MOST_BYTES_ALONG = 1_000_000


@dataclass(frozen=True, slots=True)
class Told:
    """Of which session something is told.

    Attributes
    ----------
    subject
        Its token's; None where no tokens are asked for.
    name
        What it is published under.
    """

    session: str
    subject: str | None
    name: str | None


class Drafts:
    """Trainings by session.

    Parameters
    ----------
    key_of
        Whose a session's training is; None if it is not kept.
    """

    def __init__(self, key_of: Callable[[Told], str | None]) -> None:
        self._key_of = key_of
        self._drafts: dict[str, Draft] = {}
        # Of sessions that go on: their trainings were deleted, and do not come back.
        self._forgotten: set[str] = set()
        self.lost = 0
        """Trainings that had to give way."""

    def __len__(self) -> int:
        """How many are not written, or not all of them."""
        return sum(draft.unwritten for draft in self._drafts.values())

    def unwritten(self) -> Iterator[Draft]:
        """Those that are to be written, oldest first."""
        return iter([draft for draft in self._drafts.values() if draft.unwritten])

    def add(self, told: Told, repetition: object) -> None:
        """A repetition was done."""
        draft = self._of(told, _began_at(repetition))
        if draft is not None:
            draft.told_at_ms = _now_ms()
            draft.add(repetition)
            self._drop_if_empty(draft)

    def end(self, told: Told, summary: dict[str, Any]) -> None:
        """A session has ended; `summary` is that of its webhook."""
        draft = self._of(told, int(summary.get("created_at", _now_ms())))
        self._forgotten.discard(told.session)
        if draft is not None:
            draft.told_at_ms = _now_ms()
            draft.sum_up(summary.get("final"))
            self._drop_if_empty(draft)
            self._make_room()

    def let_go(self, session: str) -> dict[str, Any] | None:
        """What there is of a session that goes on elsewhere; None if there is nothing."""
        if session in self._forgotten:
            self._forgotten.discard(session)
            return Kept(is_forgotten=True).write()
        draft = self._drafts.pop(session, None)
        if draft is None:
            return None
        # The end of the session tells of all of them again.
        done = draft.repetitions.values() if draft.bytes <= MOST_BYTES_ALONG else ()
        kept = Kept(draft.uid, draft.began_at_ms, draft.told_at_ms, draft.is_known, tuple(done))
        return kept.write()

    def take_over(self, told: Told, written: dict[str, Any]) -> None:
        """Go on with what was let go of elsewhere.

        Raises
        ------
        ValueError
            It is something else.
        """
        kept = Kept.read(written)
        if kept.is_forgotten:
            self._forgotten.add(told.session)
        draft = self._of(told, kept.began_at_ms)
        if draft is not None:
            draft.go_on(kept)

    def forget(self, key: str) -> None:
        """Keep nothing of somebody, and nothing more of the sessions that go on."""
        for draft in [each for each in self._drafts.values() if each.athlete == key]:
            self.drop(draft, for_good=True)

    def drop(self, draft: Draft, *, for_good: bool = False) -> None:
        """Keep a training no longer; `for_good`, nor what its session still tells."""
        if self._drafts.get(draft.session) is draft:
            del self._drafts[draft.session]
        if for_good and not draft.is_over:
            self._forgotten.add(draft.session)

    def _of(self, told: Told, began_at_ms: int) -> Draft | None:
        if told.session in self._forgotten:
            return None
        # Whoever is published under another name later goes on as who they were.
        draft = self._drafts.get(told.session)
        if draft is None:
            key = self._key_of(told)
            if key is None:
                return None
            draft = Draft(key, told.name, told.session, began_at_ms)
            self._make_room(1)
            self._drafts[told.session] = draft
        draft.name = told.name
        return draft

    def _make_room(self, more: int = 0) -> None:
        """Give up the oldest that are over, so that these and `more` are not too many."""
        over = [draft for draft in self._drafts.values() if draft.is_over]
        size = sum(draft.bytes for draft in over)
        while over and (len(over) + more > MOST_WAITING or size > MOST_BYTES_WAITING):
            given_up = over.pop(0)
            size -= given_up.bytes
            self.drop(given_up)
            self.lost += 1

    def _drop_if_empty(self, draft: Draft) -> None:
        if draft.is_empty:
            self.drop(draft)


def _began_at(repetition: object) -> int:
    """When the session's first frame was, by a repetition that has just ended."""
    end_ms = repetition.get("end_ms") if isinstance(repetition, dict) else None
    since_ms = end_ms if isinstance(end_ms, int | float) and 0 <= end_ms < 1e9 else 0
    return _now_ms() - int(since_ms)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
