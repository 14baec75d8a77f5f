"""Messages of the person search API."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AliasChoices, BaseModel, Field, TypeAdapter, model_validator

_MAX_EMBEDDING_CHARS = 64 * 1024
_MAX_PATH_CHARS = 1024
_MAX_DISTANCE = 2.0

Embedding = Annotated[str, Field(min_length=1, max_length=_MAX_EMBEDDING_CHARS)]
"""A sealed embedding, as ``POST /upload-embedding`` gave it."""

Pixels = Annotated[
    tuple[int, int, int, int], Field(description="x1, y1, x2, y2 in pixels of the frame")
]
Distance = Annotated[float, Field(ge=0, le=_MAX_DISTANCE, description="Cosine distance, 0 to 2")]
Confidence = Annotated[float, Field(ge=0, le=1, description="The detector's")]

# ---- POST /upload-embedding


class UploadEmbedding(BaseModel):
    """A picture of the person to look for."""

    image: str = Field(description="A JPEG or PNG as base64; a data URL is fine")


class EnrolledPerson(BaseModel):
    """One person of the picture."""

    bbox: Pixels
    confidence: Confidence
    embedding: Embedding


class UploadedEmbedding(BaseModel):
    """What the largest person in the picture looks like, for this server to read."""

    embedding: str = Field(description="Sealed; to be given back as it is")
    shape: list[int] = Field(description="How many numbers it stands for")
    dtype: Literal["float32"] = "float32"
    status: Literal["success"] = "success"
    people: int = Field(description="How many people there are in the picture")
    persons: list[EnrolledPerson] = Field(description="All of them, the largest first")
    width: int = Field(description="Of the picture, in pixels")
    height: int
    model: str = Field(description="What tells people apart")
    fallback: bool = Field(description="Whether it goes by the clothes' colours alone")
    detector: str = Field(description="What finds people; pose, if there is no detector")
    threshold: Distance = Field(description="The largest distance of a match")


# ---- POST /find


class Person(BaseModel):
    """Who is looked for."""

    embedding: Embedding = Field(validation_alias=AliasChoices("embedding", "embed"))


class Video(BaseModel):
    """Where they are looked for."""

    path: str = Field(
        min_length=1, max_length=_MAX_PATH_CHARS, description="Within the recordings directory"
    )


class Find(BaseModel):
    """A search of a recording for a person."""

    person: Person
    video: Video
    threshold: float | None = Field(
        None, ge=0, le=_MAX_DISTANCE, description="The largest distance of a match"
    )

    @model_validator(mode="before")
    @classmethod
    def _from_older(cls, data: Any) -> Any:
        """Take ``embed`` and ``video_path``, as older clients send them, either or both."""
        if not isinstance(data, dict):
            return data
        older: dict[str, Any] = {}
        if "video_path" in data:
            older["video"] = {"path": data["video_path"]}
        if "embed" in data or "embedding" in data:
            older["person"] = {"embedding": data.get("embed", data.get("embedding"))}
        return older | data


class FoundMatch(BaseModel):
    """The person in one frame of the recording."""

    bbox: Pixels
    distance: Distance
    confidence: Confidence
    frame_number: int = Field(ge=0, description="Of the frame, from 1 (--first-frame)")
    timestamp: float = Field(description="Seconds from the recording's start")
    time_formatted: str = Field(description="The same as MM:SS")


class Found(BaseModel):
    """Where the person is in the recording, by time."""

    matches: list[FoundMatch]
    total_matches: int
    processing_time: float = Field(description="Seconds")


class FindProgress(BaseModel):
    """How far a search is."""

    progress: float = Field(ge=0, le=1)
    frames_looked_at: int
    total_matches: int
    processing_time: float = Field(description="Seconds so far")


class TrackingError(BaseModel):
    """What went wrong, and what to do about it."""

    detail: str
    error_code: str
    status: Literal["error"] = "error"
    timestamp: float = Field(description="Seconds since the epoch")


# ---- WS /video-stream/{session_id}: the client says


class StartTracking(BaseModel):
    """Look for someone in a video that the server reads."""

    type: Literal["start_tracking"]
    person_embed: Embedding
    video_source: Annotated[int, Field(strict=True)] | Annotated[str, Field(strict=True)] = Field(
        0, description="A camera's number, a URL, a published stream, or a file"
    )
    fps_limit: float = Field(10, ge=1, le=30, description="Frames a second that are looked at")


class SingleFrame(BaseModel):
    """Look for someone in this picture."""

    type: Literal["single_frame"]
    frame: str = Field(description="A JPEG or PNG as base64; a data URL is fine")
    person_embed: Embedding


class StopTracking(BaseModel):
    """Read the video no more."""

    type: Literal["stop_tracking"]


class Ping(BaseModel):
    """Ask whether the server is there."""

    type: Literal["ping"]


ClientMessage = StartTracking | SingleFrame | StopTracking | Ping
client_message: TypeAdapter[ClientMessage] = TypeAdapter(
    Annotated[ClientMessage, Field(discriminator="type")]
)

# ---- WS /video-stream/{session_id}: the server says


class CoordinateInfo(BaseModel):
    """What the numbers of a box are measured in."""

    unit: Literal["pixels"] = "pixels"
    origin: Literal["top-left"] = "top-left"
    width: int = Field(description="Of the frame")
    height: int


class CropInfo(BaseModel):
    """The same box by its corner and its size."""

    x: int
    y: int
    width: int
    height: int


class TrackingMatch(BaseModel):
    """The person in a frame."""

    bbox: Pixels
    bbox_format: Literal["xyxy"] = "xyxy"
    coordinate_info: CoordinateInfo
    crop_info: CropInfo
    distance: Distance
    confidence: Confidence


class FrameFacts(BaseModel):
    """The frame that was looked at."""

    frame_number: int = Field(description="Of those on this socket, or of the source's, from 1")
    width: int
    height: int
    processed_at: float = Field(description="Seconds since the epoch")
    processing_time: float = Field(description="Seconds from its arrival to its answer")
    dropped: int = Field(description="Frames so far that were skipped for newer ones")
    source: str | None = Field(description="Where it is from; null for a single_frame")


class Matches(BaseModel):
    """Where the person is in one frame, the most similar first."""

    type: Literal["matches"] = "matches"
    session_id: str = Field(description="Of the address")
    matches: list[TrackingMatch]
    timestamp: float = Field(description="Seconds since the epoch")
    frame_info: FrameFacts


class TrackingStatus(BaseModel):
    """How it goes."""

    type: Literal["status"] = "status"
    session_id: str = Field(description="Of the address")
    status: Literal[
        "tracking_started",
        "tracking_stopped",
        "reconnecting",
        "reconnected",
        "pong",
        "idle",
        # With --search-messages older.
        "connected",
        "video_opened",
        "video_closed",
        "error",
    ]
    message: str
    timestamp: float = Field(description="Seconds since the epoch")


class SocketError(BaseModel):
    """What went wrong, and what to do about it."""

    type: Literal["error"] = "error"
    session_id: str = Field(description="Of the address")
    message: str
    timestamp: float = Field(description="Seconds since the epoch")
    retry_after_s: int | None = Field(None, description="Seconds after which to try again")
