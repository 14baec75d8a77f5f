"""Messages of the exercise scoring API."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field

TARGET_LATENCY_MS = 50
"""What the API promises its clients to aim at."""

ClientTimestamp = (
    # What JSON can hold and what we can send back.
    Annotated[int, Field(strict=True, ge=-(2**63), lt=2**64)]
    | Annotated[float, Field(strict=True, allow_inf_nan=False)]
    | Annotated[str, Field(strict=True, max_length=100)]
    | None
)


class RealtimeFrame(BaseModel):
    """A picture to analyze."""

    frame_data: str = Field(description="A JPEG or PNG as base64; a data URL is fine")
    timestamp: ClientTimestamp = Field(default=None, description="Comes back as client_timestamp")


class Welcome(BaseModel):
    """The first message of the server's."""

    type: Literal["welcome"] = "welcome"
    message: str
    target_latency_ms: int = TARGET_LATENCY_MS


class Performance(BaseModel):
    """How the time that it took compares with what is aimed at."""

    target_latency_ms: int = TARGET_LATENCY_MS
    actual_latency_ms: int
    within_target: bool


class Analysis(BaseModel):
    """What is seen in one picture."""

    type: Literal["analysis"] = "analysis"
    success: bool = Field(description="Whether anybody is seen")
    score: int | None = Field(description="0 to 100; null, or 0, while nothing is to score")
    exercise: str = Field(description="none while there is none")
    feedback: list[str]
    warnings: list[str]
    landmarks_count: int
    still: bool = Field(
        description="Whether it is told of this picture by itself, since nobody moves"
    )
    processing_time_ms: float = Field(description="What the analyzers took")
    total_latency_ms: int = Field(description="From the message's arrival to its answer")
    timestamp: str = Field(description="When it was answered, ISO 8601, UTC")
    performance: Performance
    reps: int
    phase: str
    frame: int = Field(description="The picture's number on this socket, from 1")
    dropped: int = Field(description="Pictures before it that got no answer")
    client_timestamp: ClientTimestamp = Field(description="As the client sent it")


class RealtimeError(BaseModel):
    """What went wrong, and what to do about it."""

    type: Literal["error"] = "error"
    message: str
    client_timestamp: ClientTimestamp = Field(
        default=None, description="Of the picture that it is about"
    )
    retry_after_s: int | None = Field(default=None, description="Seconds after which to try again")
