"""Trainings that are kept, as JSON."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

SUBJECT = r"^[\x21-\x7e]{1,128}$"


class HistoryHealth(BaseModel):
    """How keeping trainings goes."""

    written: bool = Field(description="Whether the database takes them")
    waiting: int = Field(description="Trainings that are in memory alone, or not wholly written")
    lost: int = Field(description="Trainings that were given up, since too many waited")
    reason: str | None = Field(None, description="What is wrong, and what becomes of trainings")


class Athlete(BaseModel):
    """Somebody whose trainings are kept."""

    id: str = Field(description="The token's subject, or the name where no tokens are asked for")
    name: str | None = Field(description="What they were published under")
    trainings: int
    last_at: int | None = Field(description="When the last one began: ms since the epoch")
    own: bool = Field(description="Whether it is who asks")


class AthleteList(BaseModel):
    """Those whom who asks may see."""

    subject: str | None = Field(description="Of who asks; null where no tokens are asked for")
    athletes: list[Athlete]
    next: str | None = Field(description="`after` of the next page; null: there is none")


class KeptSet(BaseModel):
    """A set, or an exercise that was held."""

    exercise: str
    start_ms: float = Field(description="Since the training began")
    reps: int
    held_s: float | None
    score: float | None = Field(description="The mean, 0 to 100")
    range_of_motion: float | None = Field(description="The mean, in the exercise's unit")
    range_deg: float | None = Field(
        description="How far the joint went that went furthest, degrees; the mean of repetitions"
    )


class KeptTraining(BaseModel):
    """A training."""

    id: str
    session: str
    began_at: int = Field(description="Milliseconds since the epoch")
    ended_at: int
    sets: list[KeptSet]


class TrainingList(BaseModel):
    """Somebody's trainings, the newest first."""

    trainings: list[KeptTraining]
    next: int | None = Field(description="`before` of the next page; null: there is none")
    shared_with: list[str] | None = Field(
        None, description="Subjects of coaches; for whose trainings they are, and for control"
    )


class Share(BaseModel):
    """Who may see somebody's trainings."""

    model_config = ConfigDict(strict=True)

    coach: Annotated[str, Field(pattern=SUBJECT)] = Field(description="Their token's subject")


class Shares(BaseModel):
    """Who may see them now."""

    shared_with: list[str] = Field(description="Subjects of coaches")


class DeletedHistory(BaseModel):
    """What was deleted."""

    trainings: int
    wiped: bool = Field(
        description="Whether no byte of it is left in the file; PostgreSQL decides that for itself"
    )
