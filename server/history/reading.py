"""What is asked of the database: page by page, never all at once. Called on threads."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, Engine, Row, func, select
from sqlalchemy.exc import SQLAlchemyError

from server.history.database import READS, in_one_line
from server.history.errors import DatabaseAway
from server.history.tables import athletes, repetitions, sets, shares, trainings


class Reader:
    """Reads one database.

    Parameters
    ----------
    engine
        As `database.open_engine` opens it.

    Raises
    ------
    DatabaseAway
        By every method: it can not be read now.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine.execution_options(**{READS: True})

    @contextlib.contextmanager
    def _begun(self) -> Iterator[Connection]:
        try:
            with self._engine.connect() as connection:
                yield connection
        except SQLAlchemyError as error:
            raise DatabaseAway(in_one_line(error)) from error

    def athletes(
        self, prefix: str, seen_by: str | None, after: str, limit: int, *, shared: bool = True
    ) -> list[dict[str, Any]]:
        """People with their keys, in the keys' order.

        Parameters
        ----------
        prefix
            Of the keys of those who are meant.
        seen_by
            The key of who asks, who sees themselves. None: all.
        after
            The key of the last one of the page before.
        limit
            At most so many.
        shared
            Whether who asks sees those, too, who share with them.
        """
        # For each of the page; all others' trainings are not counted.
        own = trainings.c.athlete_id == athletes.c.id
        count = select(func.count()).where(own).scalar_subquery()
        last = select(func.max(trainings.c.began_at_ms)).where(own).scalar_subquery()
        asked = (
            select(athletes.c.key, athletes.c.name, count.label("trainings"), last.label("last_at"))
            .where(athletes.c.key > after, athletes.c.key.startswith(prefix, autoescape=True))
            .order_by(athletes.c.key)
            .limit(limit)
        )
        if seen_by is not None:
            theirs = athletes.c.key == seen_by
            if shared:
                ids = select(shares.c.athlete_id).where(shares.c.coach == seen_by)
                theirs |= athletes.c.id.in_(ids)
            asked = asked.where(theirs)
        with self._begun() as connection:
            rows = connection.execute(asked).all()
        return [dict(row._mapping) for row in rows]

    def sharing(self, keys: Sequence[str], coach: str) -> set[str]:
        """Who of these share with a coach."""
        asked = select(athletes.c.key).join(shares).where(athletes.c.key.in_(keys))
        with self._begun() as connection:
            return set(connection.scalars(asked.where(shares.c.coach == coach)))

    def shares(self, key: str) -> list[str] | None:
        """With whom somebody shares; None if nothing is known of them."""
        with self._begun() as connection:
            whose = connection.scalar(select(athletes.c.id).where(athletes.c.key == key))
            if whose is None:
                return None
            asked = select(shares.c.coach).where(shares.c.athlete_id == whose)
            return list(connection.scalars(asked.order_by(shares.c.coach)))

    def trainings(
        self, key: str, before: int | None, limit: int, *, full: bool = False
    ) -> tuple[list[dict[str, Any]], int | None]:
        """Somebody's trainings, the newest first.

        Parameters
        ----------
        key
            Whose.
        before
            Where the page before has ended; None begins.
        limit
            At most so many.
        full
            With their repetitions.

        Returns
        -------
        These, and where the next page begins; None if there is none.
        """
        asked = (
            select(trainings)
            .join(athletes)
            .where(athletes.c.key == key)
            .order_by(trainings.c.id.desc())
            .limit(limit + 1)
        )
        if before is not None:
            asked = asked.where(trainings.c.id < before)
        with self._begun() as connection:
            rows = connection.execute(asked).all()
            page = rows[:limit]
            done = _sets(connection, [row.id for row in page], full)
        told = [
            {
                "id": row.uid,
                "session": row.session,
                "began_at": row.began_at_ms,
                "ended_at": row.ended_at_ms,
                "sets": done.get(row.id, []),
            }
            for row in page
        ]
        return told, page[-1].id if len(rows) > limit else None


def _sets(connection: Connection, of: Sequence[int], full: bool) -> dict[int, list[dict[str, Any]]]:
    asked = select(sets).where(sets.c.training_id.in_(of))
    rows = connection.execute(asked.order_by(sets.c.number)).all()
    done = _repetitions(connection, [row.id for row in rows]) if full else {}
    found: dict[int, list[dict[str, Any]]] = {}
    for row in rows:
        told = _without(row, "id", "training_id", "number")
        if full:
            told["repetitions"] = done.get(row.id, [])
        found.setdefault(row.training_id, []).append(told)
    return found


def _repetitions(connection: Connection, of: Sequence[int]) -> dict[int, list[dict[str, Any]]]:
    asked = select(repetitions).where(repetitions.c.set_id.in_(of))
    found: dict[int, list[dict[str, Any]]] = {}
    for row in connection.execute(asked.order_by(repetitions.c.number)):
        found.setdefault(row.set_id, []).append(_without(row, "id", "set_id"))
    return found


def _without(row: Row[Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in row._mapping.items() if name not in names}
