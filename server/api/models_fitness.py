"""Messages of the exercise API over HTTP."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, Field

from server.api.models_realtime import Performance


class AnalyzeFrame(BaseModel):
    """A picture to analyze."""

    frame_base64: str = Field(description="A JPEG or PNG as base64; a data URL is fine")


class AnalyzeVideo(BaseModel):
    """A video to analyze."""

    video_base64: str = Field(description="A video file as base64; a data URL is fine")


class AnalyzeBatch(BaseModel):
    """A recording to analyze."""

    video_path: str = Field(
        min_length=1, max_length=1024, description="Within the recordings directory"
    )


class FrameAnalysis(BaseModel):
    """What is seen in one picture."""

    success: bool = Field(description="Whether anybody is")
    score: int | None
    exercise: str
    feedback: list[str]
    warnings: list[str]
    landmarks_count: int
    still: bool = Field(description="Whether it is told of this picture by itself")
    processing_time_ms: float
    performance: Performance


class FormAnalysis(BaseModel):
    """How well an exercise is done in a video."""

    overall_score: float = Field(ge=0, le=1)
    recommendations: list[str]
    detected_errors: list[str]
    confidence: float = Field(ge=0, le=1, description="In how much of it somebody is seen")


class MotionAnalysis(BaseModel):
    """What is done in a video."""

    exercise: str
    score: int | None
    reps: int
    held_s: float
    feedback: list[str]
    warnings: list[str]
    duration_s: float
    frames_analyzed: int
    frames_with_pose: int
    exercises: dict[str, Any] = Field(description="As exercise_summary has them")
    processing_time_ms: float


class FrameAnswer(BaseModel):
    """A picture's analysis."""

    success: bool = True
    data: FrameAnalysis
    message: str = "Success"


class FormAnswer(BaseModel):
    """How well an exercise is done."""

    success: bool = True
    data: FormAnalysis
    message: str = "Success"


class MotionAnswer(BaseModel):
    """What is done in a video."""

    success: bool = True
    data: MotionAnalysis
    message: str = "Success"


class HealthAnswer(BaseModel):
    """Whether the server analyzes."""

    success: bool
    data: str
    message: str
    status: str


class AnalysisStatus(BaseModel):
    """What analyzes, and whether it is ready."""

    status: str = Field(description="ok, starting, or unavailable")
    available: bool
    analyzers: dict[str, str] = Field(description="ready, or why it is not")
    target_latency_ms: int


class StatusAnswer(BaseModel):
    """The state of the analysis."""

    success: bool = True
    data: AnalysisStatus
    message: str


class FitnessError(BaseModel):
    """What went wrong, and what to do about it."""

    success: bool = False
    data: None = None
    message: str
