"""What is said of people who are looked for until further notice, as JSON."""

from __future__ import annotations

from pydantic import BaseModel, Field


class StartLookout(BaseModel):
    """Whom to look for, and where."""

    name: str = Field(min_length=1, max_length=128, description="What they are called in events")
    embedding: str = Field(max_length=64 * 1024, description="Of POST /upload-embedding")
    source: str | int = Field(
        "camera",
        description="The server's camera, a published name, or a source of --allow-source",
    )
    threshold: float | None = Field(None, ge=0, le=2, description="The network's own if left out")
    record: bool = Field(False, description="Whether the camera is recorded while they are there")
    padding_s: float = Field(
        5.0, ge=1, le=600, description="After they were last seen, until they are gone"
    )


class LookoutSighting(BaseModel):
    """From when to when somebody was seen."""

    since: int = Field(description="Milliseconds since the epoch")
    until: int = Field(description="When they were last seen; the same")
    distance: float = Field(description="Of the nearest match, cosine, 0 to 2")
    recording: str | None = Field(description="The name of what was recorded of it")
    over: bool = Field(description="Whether they are gone")


class LookoutStatus(BaseModel):
    """Somebody who is looked for."""

    id: str
    name: str
    camera: str
    session: str = Field(description="The session that looks")
    record: bool
    padding_s: float
    over: bool = Field(description="Whether nobody looks any more")
    problem: str | None = Field(description="What is wrong, or why it is over")
    sightings: list[LookoutSighting] = Field(description="The last 500, oldest first")


class LookoutList(BaseModel):
    """All lookouts, oldest first."""

    lookouts: list[LookoutStatus]
