"""The tables, as the newest of the migrations leaves them."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    Float,
    ForeignKey,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData()
# A training that goes on is written anew with each repetition, so ids of these run out in 32 bits.
# SQLite's are of 64 bits anyway, if they are called so.
ID = BigInteger().with_variant(Integer, "sqlite")


def _of(table: str) -> Column[int]:
    """Whose it is; goes with it."""
    name = f"{table.removesuffix('s')}_id"
    owner = ForeignKey(f"{table}.id", ondelete="CASCADE")
    return Column(name, ID, owner, nullable=False, index=True)


athletes = Table(
    "athletes",
    metadata,
    Column("id", ID, primary_key=True),
    # subject:… of a token, or name:… where no tokens are asked for.
    Column("key", Text, nullable=False, unique=True),
    Column("name", Text),
)

shares = Table(
    "shares",
    metadata,
    _of("athletes"),
    Column("coach", Text, nullable=False, index=True),
    UniqueConstraint("athlete_id", "coach"),
)

trainings = Table(
    "trainings",
    metadata,
    Column("id", ID, primary_key=True),
    _of("athletes"),
    Column("uid", Text, nullable=False, unique=True),
    Column("session", Text, nullable=False),
    Column("began_at_ms", BigInteger, nullable=False, index=True),
    Column("ended_at_ms", BigInteger, nullable=False),
)

sets = Table(
    "sets",
    metadata,
    Column("id", ID, primary_key=True),
    _of("trainings"),
    Column("number", Integer, nullable=False),
    Column("exercise", Text, nullable=False),
    Column("start_ms", Float, nullable=False),
    Column("reps", Integer, nullable=False),
    Column("held_s", Float),
    Column("score", Float),
    Column("range_of_motion", Float),
    Column("range_deg", Float),
)

repetitions = Table(
    "repetitions",
    metadata,
    Column("id", ID, primary_key=True),
    _of("sets"),
    Column("number", Integer, nullable=False),
    Column("start_ms", Float, nullable=False),
    Column("turn_ms", Float, nullable=False),
    Column("end_ms", Float, nullable=False),
    Column("range_of_motion", Float),
    Column("range_deg", JSON, nullable=False),
    Column("down_s", Float),
    Column("hold_s", Float),
    Column("up_s", Float),
    Column("score", Float),
    Column("parts", JSON, nullable=False),
    Column("faults", JSON, nullable=False),
)
