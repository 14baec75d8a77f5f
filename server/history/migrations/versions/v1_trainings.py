"""Athletes, their trainings, and with whom they share them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "1"
down_revision = None
_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "athletes",
        sa.Column("id", _ID, primary_key=True),
        sa.Column("key", sa.Text, nullable=False, unique=True),
        sa.Column("name", sa.Text),
    )
    op.create_table(
        "shares",
        _of("athlete"),
        sa.Column("coach", sa.Text, nullable=False, index=True),
        sa.UniqueConstraint("athlete_id", "coach"),
    )
    op.create_table(
        "trainings",
        sa.Column("id", _ID, primary_key=True),
        _of("athlete"),
        sa.Column("uid", sa.Text, nullable=False, unique=True),
        sa.Column("session", sa.Text, nullable=False),
        sa.Column("began_at_ms", sa.BigInteger, nullable=False, index=True),
        sa.Column("ended_at_ms", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "sets",
        sa.Column("id", _ID, primary_key=True),
        _of("training"),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("exercise", sa.Text, nullable=False),
        sa.Column("start_ms", sa.Float, nullable=False),
        sa.Column("reps", sa.Integer, nullable=False),
        sa.Column("held_s", sa.Float),
        sa.Column("score", sa.Float),
        sa.Column("range_of_motion", sa.Float),
        sa.Column("range_deg", sa.Float),
    )
    op.create_table(
        "repetitions",
        sa.Column("id", _ID, primary_key=True),
        _of("set"),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("start_ms", sa.Float, nullable=False),
        sa.Column("turn_ms", sa.Float, nullable=False),
        sa.Column("end_ms", sa.Float, nullable=False),
        sa.Column("range_of_motion", sa.Float),
        sa.Column("range_deg", sa.JSON, nullable=False),
        sa.Column("down_s", sa.Float),
        sa.Column("hold_s", sa.Float),
        sa.Column("up_s", sa.Float),
        sa.Column("score", sa.Float),
        sa.Column("parts", sa.JSON, nullable=False),
        sa.Column("faults", sa.JSON, nullable=False),
    )


def _of(owner: str) -> sa.Column[int]:
    key = sa.ForeignKey(f"{owner}s.id", ondelete="CASCADE")
    return sa.Column(f"{owner}_id", _ID, key, nullable=False, index=True)
