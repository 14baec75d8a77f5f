"""What the server tells of itself and of its sessions, as JSON."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from server.api.models_history import HistoryHealth
from signaling.messages import Analysis


class Error(BaseModel):
    """What went wrong, and what to do about it."""

    message: str
    code: int = Field(description="The HTTP status")


class AnalyzerHealth(BaseModel):
    """Whether an analyzer runs."""

    ready: bool
    reason: str | None = Field(None, description="Why it does not, or what is wrong with it")


class WorkerHealth(BaseModel):
    """One worker process."""

    index: int
    pid: int | None
    ready: bool
    sessions: int
    restarts: int


class NodeHealth(BaseModel):
    """One media process of several."""

    node: int
    ready: bool = Field(description="Also false when it does not answer")
    sessions: int | None
    load: float | None = Field(description="Cores that it and its workers keep busy")


class Health(BaseModel):
    """What is ready, what is not and why."""

    status: Literal["ok", "starting", "degraded"]
    ready: bool
    analyzers: dict[str, AnalyzerHealth]
    workers: list[WorkerHealth]
    sessions: int
    recording: str | None = Field(None, description="The directory that sessions are recorded to")
    history: HistoryHealth | None = Field(
        None, description="Where trainings are kept; null: they are not"
    )
    nodes: list[NodeHealth] | None = Field(None, description="Only with --nodes")


class Live(BaseModel):
    """The process answers."""

    live: Literal[True]


class Ready(BaseModel):
    """Clients can be sent here."""

    ready: Literal[True]


class CameraHealth(BaseModel):
    """How a camera elsewhere and its machine do; what is not known there is left out."""

    received_at: int = Field(description="Milliseconds since the epoch")
    temperature_c: float | None = None
    throttled: list[str] | None = Field(None, description="Why it is slowed down; empty: it is not")
    fps: float | None = Field(None, description="Frames sent a second")
    bitrate: int | None = Field(None, description="Bits sent a second")
    uptime_s: float | None = Field(None, description="Since the machine was started")


class AnalyzerProblem(BaseModel):
    """What went wrong in an analyzer, told once for each phase."""

    analyzer: str
    phase: str = Field(
        description="start, frame, draw, configure, end, encode, hang, crash, memory"
    )
    message: str


class EveryFrame(BaseModel):
    """How an analyzer keeps up that is to see every frame."""

    lag_ms: float = Field(description="From a frame's arrival until the analyzer was given it")
    dropped: int = Field(description="Frames of the session that it has not seen")


class SessionStatus(BaseModel):
    """State, counts and rates of a session."""

    id: str
    name: str | None = Field(description="What it is published under")
    state: Literal["new", "streaming", "disconnected", "ending", "ended"]
    created_at: int = Field(description="Milliseconds since the epoch")
    analyzers: list[str]
    worker: int | None
    frames: int
    analyzed: int
    dropped: int = Field(description="Skipped, because a newer frame took their place")
    unreadable: int = Field(description="Pictures that could not be decoded")
    every_frame: dict[str, EveryFrame] = Field(
        description="Of each analyzer that is to see every frame"
    )
    frames_per_s: float = Field(description="On average; 0 when none came for 2 s")
    results_per_s: float = Field(description="The same")
    latency_ms: float | None = Field(
        description="From the last analyzed frame, decoded, to its result; null without one"
    )
    restarts: int = Field(description="How often its worker was replaced")
    problems: list[AnalyzerProblem]
    health: CameraHealth | None = Field(description="What its camera last said, if it is one")
    end_reason: str | None


class Doing(BaseModel):
    """What somebody does, at a glance."""

    model_config = ConfigDict(extra="allow")

    exercise: Any = Field(description="Its name; none")
    reps: Any = None
    held_s: Any = None
    warnings: list[Any] = Field(description="Codes")
    framing: list[Any] = Field(description="Codes of what is wrong with the picture")


class ListedSession(SessionStatus):
    """A session in the list."""

    doing: Doing | None = Field(description="null where no exercises are counted")
    yours: bool = Field(description="Whether who asks may see its results and end it")


class StartSession(Analysis):
    """Something of the server's own that is to be analyzed."""

    source: Literal["camera"]


class SessionList(BaseModel):
    """The running sessions, oldest first."""

    sessions: list[ListedSession]


class SessionDetail(SessionStatus):
    """A session and its last result."""

    states: list[str] = Field(description="All states it went through")
    last_result: dict[str, Any] | None
    notes: list[dict[str, Any]] = Field(description="What its client said to keep with it")
