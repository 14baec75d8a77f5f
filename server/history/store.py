"""Trainings in the database. Its methods take time, so they are called on threads."""

from __future__ import annotations

import contextlib
import logging
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, delete, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DataError, IntegrityError, SQLAlchemyError

from server.history.database import in_one_line, migrate
from server.history.errors import BadTraining, DatabaseAway, TooManyNames
from server.history.keys import NAMES
from server.history.tables import athletes, repetitions, sets, shares, trainings
from server.history.training import TrainedSet, Training, mean

logger = logging.getLogger(__name__)

# Of one person; then the oldest go.
MOST_TRAININGS = 5000
# Tokens are issued; names anybody thinks of. Who is there already goes on, and is not displaced.
MOST_NAMES = 1000
MOST_SHARES = 50


@dataclass(frozen=True, slots=True)
class Deleted:
    """What was deleted.

    Attributes
    ----------
    is_wiped
        Whether nothing of it is left in the file either.
    """

    trainings: int
    is_wiped: bool


class Store:
    """One database.

    Parameters
    ----------
    engine
        As `database.open_engine` opens it.

    Raises
    ------
    DatabaseAway
        By every method: it can not be read or written now.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._insert = postgresql.insert if self._is_postgresql else sqlite.insert

    @property
    def _is_postgresql(self) -> bool:
        return self._engine.dialect.name == "postgresql"

    def open(self) -> None:
        """Bring it to the tables of this version.

        Raises
        ------
        HistoryError
            A newer version of Kinecast has made it.
        """
        migrate(self._engine)

    def close(self) -> None:
        """Hang up."""
        self._engine.dispose()

    @contextlib.contextmanager
    def _begun(self) -> Iterator[Connection]:
        try:
            with self._engine.begin() as connection:
                yield connection
        except (DataError, IntegrityError) as error:
            raise BadTraining(in_one_line(error)) from error
        except ValueError as error:
            # A driver can not write it.
            raise BadTraining(str(error)) from error
        except SQLAlchemyError as error:
            raise DatabaseAway(in_one_line(error)) from error

    # ---- writing

    def save(self, training: Training) -> bool:
        """Write a training, in place of what was written of it before.

        Returns
        -------
        Whether it is there; False if it was, and somebody has deleted it.

        Raises
        ------
        BadTraining
            It is never taken.
        TooManyNames
            Nor is any under this name, unless others are deleted.
        """
        with self._begun() as connection:
            known = select(trainings.c.id).where(trainings.c.uid == training.uid)
            training_id = connection.scalar(known)
            if training_id is None and training.is_known:
                return False
            _check_name(connection, training.athlete)
            athlete_id = self._athlete(connection, training.athlete, training.name)
            values: dict[str, Any] = {"ended_at_ms": training.ended_at_ms}
            if training_id is None:
                values |= {
                    "athlete_id": athlete_id,
                    "uid": training.uid,
                    "session": training.session,
                    "began_at_ms": training.began_at_ms,
                }
                made = connection.execute(insert(trainings).values(values))
                (training_id,) = made.inserted_primary_key or (0,)
                self._make_room(connection, athlete_id)
            else:
                of_it = trainings.c.id == training_id
                connection.execute(update(trainings).where(of_it).values(values))
                connection.execute(delete(sets).where(sets.c.training_id == training_id))
            for number, each in enumerate(training.sets, 1):
                _write_set(connection, training_id, number, each)
        return True

    def _athlete(self, connection: Connection, key: str, name: str | None) -> int:
        added = self._insert(athletes).values(key=key, name=name)
        added = added.on_conflict_do_update(index_elements=["key"], set_={"name": name})
        found = connection.scalar(added.returning(athletes.c.id))
        assert found is not None
        return int(found)

    def _make_room(self, connection: Connection, athlete_id: int) -> None:
        own = trainings.c.athlete_id == athlete_id
        newest = select(trainings.c.id).where(own).order_by(trainings.c.id.desc())
        kept = newest.limit(MOST_TRAININGS)
        connection.execute(delete(trainings).where(own, trainings.c.id.not_in(kept)))

    def share(self, key: str, coach: str) -> bool:
        """Let a coach see somebody's trainings; False if they share with too many."""
        with self._begun() as connection:
            name = connection.scalar(select(athletes.c.name).where(athletes.c.key == key))
            athlete_id = self._athlete(connection, key, name)
            shared = select(func.count()).where(shares.c.athlete_id == athlete_id)
            if (connection.scalar(shared) or 0) >= MOST_SHARES:
                return False
            added = self._insert(shares).values(athlete_id=athlete_id, coach=coach)
            connection.execute(added.on_conflict_do_nothing())
        return True

    def unshare(self, key: str, coach: str) -> None:
        """Let them see these no longer."""
        whose = select(athletes.c.id).where(athletes.c.key == key).scalar_subquery()
        with self._begun() as connection:
            connection.execute(
                delete(shares).where(shares.c.athlete_id == whose, shares.c.coach == coach)
            )

    # ---- forgetting

    def forget(self, key: str) -> Deleted:
        """Delete everything of one person: trainings, and what was shared by and with them."""
        with self._begun() as connection:
            whose = select(athletes.c.id).where(athletes.c.key == key).scalar_subquery()
            own = select(func.count()).where(trainings.c.athlete_id == whose)
            count = connection.scalar(own) or 0
            theirs = connection.execute(delete(shares).where(shares.c.coach == key))
            found = connection.execute(delete(athletes).where(athletes.c.key == key))
        return Deleted(count, self._wipe(rewrite=bool(theirs.rowcount or found.rowcount)))

    def _wipe(self, *, rewrite: bool) -> bool:
        """Leave no byte of what was deleted, as far as that is ours to say.

        Parameters
        ----------
        rewrite
            All of the file, which takes its time. What was deleted before is overwritten in it; a
            log that somebody read then is emptied without.
        """
        if self._is_postgresql:
            return False
        try:
            with contextlib.closing(self._engine.raw_connection()) as connection:
                cursor = connection.cursor()
                if rewrite:
                    cursor.execute("VACUUM")
                cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                is_blocked = (cursor.fetchone() or (1,))[0]
                cursor.close()
        except (sqlite3.Error, SQLAlchemyError) as error:
            logger.warning("Deleted, but not wiped: %s", error)
            return False
        return not is_blocked


def _check_name(connection: Connection, key: str) -> None:
    if not key.startswith(NAMES):
        return
    is_known = connection.scalar(select(athletes.c.id).where(athletes.c.key == key)) is not None
    names = select(func.count()).where(athletes.c.key.startswith(NAMES))
    if not is_known and (connection.scalar(names) or 0) >= MOST_NAMES:
        raise TooManyNames(
            f"the trainings of {MOST_NAMES} names are kept, and of no more: train under one of"
            " them, or have one deleted (DELETE /athletes/NAME)"
        )


def _write_set(connection: Connection, training_id: int, number: int, done: TrainedSet) -> None:
    ranges = [each.range_of_motion for each in done.repetitions]
    degrees = [each.widest_deg for each in done.repetitions]
    made = connection.execute(
        insert(sets).values(
            training_id=training_id,
            number=number,
            exercise=done.exercise,
            start_ms=done.start_ms,
            reps=done.reps,
            held_s=done.held_s,
            score=done.score,
            range_of_motion=mean([each for each in ranges if each is not None]),
            range_deg=mean([each for each in degrees if each is not None]),
        )
    )
    (set_id,) = made.inserted_primary_key or (0,)
    rows: list[dict[str, Any]] = [
        {
            "set_id": set_id,
            "number": at,
            "start_ms": each.start_ms,
            "turn_ms": each.turn_ms,
            "end_ms": each.end_ms,
            "range_of_motion": each.range_of_motion,
            "range_deg": dict(each.range_deg),
            "down_s": each.down_s,
            "hold_s": each.hold_s,
            "up_s": each.up_s,
            "score": each.score,
            "parts": dict(each.parts),
            "faults": list(each.faults),
        }
        for at, each in enumerate(done.repetitions, 1)
    ]
    if rows:
        connection.execute(insert(repetitions), rows)
