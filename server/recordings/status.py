"""What there is to know of a recording, and what is kept of it beside its file."""

from __future__ import annotations

import enum

from pydantic import BaseModel, ConfigDict, Field


class State(enum.StrEnum):
    """What a recording does."""

    RECORDING = "recording"
    FINISHED = "finished"
    """The file is complete."""
    FAILED = "failed"
    """The file could not be completed; what is in it plays all the same."""


class RecordingStatus(BaseModel):
    """A recording, running or over."""

    # Whatever else is in a directory is not taken for one of ours.
    model_config = ConfigDict(extra="forbid")

    name: str = Field(description="Its file is this with .mp4 behind it")
    source: str = Field(description="What was recorded")
    state: State
    started_at: int = Field(description="Milliseconds since the epoch")
    seconds: float = Field(description="From the first frame to the last")
    bytes: int
    frames: int
    skipped: int = Field(0, description="Frames left out because the disk was too slow")
    error: str | None = Field(
        None, description="Why it ended otherwise than it was asked to, if it did"
    )

    @property
    def ended_at(self) -> float:
        """When the last frame was taken, in milliseconds since the epoch."""
        return self.started_at + 1000 * self.seconds


class Began(BaseModel):
    """When a recording began, by the machine's uptime."""

    model_config = ConfigDict(extra="forbid")

    boot: str
    """Tells that start of the machine from others."""
    uptime_s: float


class RecordingNote(RecordingStatus):
    """What is kept beside a recording's file."""

    began: Began | None = None
    """None for those of earlier versions."""
