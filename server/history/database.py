"""The database itself: opened by its address, and brought to the tables of this version."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from server.history.errors import DatabaseAway, HistoryError

MIGRATIONS = Path(__file__).with_name("migrations")
READS = "kinecast_reads"
"""The execution option of whoever only reads, and waits for no writer."""
_OWNER_ONLY = 0o600
# A lock of this database's, for whoever changes its tables: "kinecast", as good as any number.
_MIGRATING = 0x6B696E6563617374
_SQLITE_WAITS_MS = 5000
_CONNECTS_WITHIN_S = 5
_ANSWERS_WITHIN_MS = 10_000


def open_engine(address: str) -> Engine:
    """Open a database; nothing is asked of it yet, but a file is made if need be.

    Parameters
    ----------
    address
        ``sqlite:////path`` or ``postgresql://user:password@host/name``.

    Raises
    ------
    HistoryError
        It is none of these, or the file can not be made.
    """
    try:
        url = make_url(address)
    except ArgumentError:
        raise HistoryError("it is no address: give postgresql://user@host/name") from None
    if url.get_backend_name() == "sqlite":
        return _sqlite(url)
    if url.get_backend_name() in ("postgresql", "postgres"):
        return _postgresql(url)
    raise HistoryError(
        f"{url.get_backend_name()} is not known here: give default, or postgresql://user@host/name"
    )


def _sqlite(url: URL) -> Engine:
    if not url.database:
        raise HistoryError("the address names no file: give sqlite:////path/of/the/file")
    path = Path(url.database)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, _OWNER_ONLY))
    except OSError as error:
        raise HistoryError(f"{path} can not be written: {error.strerror}") from error
    engine = create_engine(url)
    event.listen(engine, "connect", _prepare_sqlite)
    # Python's own way of beginning leaves tables out of transactions, and lets two begin to read
    # before both want to write.
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _begin_sqlite(connection: Connection) -> None:
    is_read = connection.get_execution_options().get(READS, False)
    connection.exec_driver_sql("BEGIN" if is_read else "BEGIN IMMEDIATE")


def _prepare_sqlite(connection: sqlite3.Connection, _: Any) -> None:
    connection.isolation_level = None
    for pragma in (
        f"busy_timeout = {_SQLITE_WAITS_MS}",
        "journal_mode = WAL",
        "synchronous = NORMAL",
        "foreign_keys = ON",
        # What is deleted is overwritten.
        "secure_delete = ON",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _postgresql(url: URL) -> Engine:
    return create_engine(
        url.set(drivername="postgresql+psycopg"),
        # A server that was started again has closed what is in the pool.
        pool_pre_ping=True,
        pool_size=3,
        max_overflow=0,
        pool_timeout=_CONNECTS_WITHIN_S,
        connect_args={
            "connect_timeout": _CONNECTS_WITHIN_S,
            "options": f"-c statement_timeout={_ANSWERS_WITHIN_MS}",
            "application_name": "kinecast",
            # A network that swallows everything is noticed within half a minute.
            "keepalives_idle": 10,
            "keepalives_interval": 5,
            "keepalives_count": 3,
            "tcp_user_timeout": 20_000,
        },
    )


def migrate(engine: Engine) -> None:
    """Bring the tables to this version; one server does it, others wait for it.

    Raises
    ------
    DatabaseAway
        It can not be reached or written now.
    HistoryError
        A newer version of Kinecast has made it.
    """
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    try:
        # All or nothing: both databases can take back what was done to tables.
        with engine.begin() as connection:
            _lock(connection)
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    except SQLAlchemyError as error:
        raise DatabaseAway(in_one_line(error)) from error
    except CommandError as error:
        raise HistoryError(
            "its tables are of a newer version of Kinecast: update this one, or name another"
        ) from error


def _lock(connection: Connection) -> None:
    """SQLite's transaction is a lock already."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET LOCAL statement_timeout = 60000"))
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATING})


def in_one_line(error: SQLAlchemyError) -> str:
    """What the database said, without the statement and its values."""
    cause = getattr(error, "orig", None) or error
    return " ".join(str(cause).split())[:300]
