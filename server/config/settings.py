"""All settings in one model."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Self

from pydantic import Field, model_validator

from server.config.analysis import AnalysisSettings
from server.config.base import SettingsGroup
from server.config.camera import CameraSettings
from server.config.media import MediaSettings
from server.config.recordings import RecordingSettings
from server.config.security import AuthSettings, EmbeddingSettings, LimitSettings, TlsSettings
from server.config.sources import SourceSettings
from server.security import private_file


class ServingSettings(SettingsGroup):
    """Where the server listens, and what it keeps."""

    title: ClassVar[str] = "serving"

    host: str = Field("127.0.0.1", description="address to listen on")
    port: int = Field(
        8083,
        ge=1,
        le=65534,
        description="HTTP and WebSocket port; the next one takes signaling WebSockets on any path",
    )
    websocket_only: bool = Field(False, description="serve the signaling WebSocket on PORT+1 alone")
    verbose: bool = Field(False, description="debug logging")
    record_to: Path | None = Field(
        None,
        description="record each session to DIR/<id>/ (video.mp4, results.jsonl, summary.json)",
    )
    resume_window: float = Field(
        30.0, ge=0, le=3600, description="seconds that a session waits for a lost peer to come back"
    )


GROUPS: tuple[type[SettingsGroup], ...] = (
    ServingSettings,
    AnalysisSettings,
    AuthSettings,
    TlsSettings,
    LimitSettings,
    MediaSettings,
    SourceSettings,
    CameraSettings,
    RecordingSettings,
    EmbeddingSettings,
)
"""In the order of --help."""


class Settings(
    ServingSettings,
    AnalysisSettings,
    AuthSettings,
    TlsSettings,
    LimitSettings,
    MediaSettings,
    SourceSettings,
    CameraSettings,
    RecordingSettings,
    EmbeddingSettings,
):
    """Everything that can be set: each field is a flag and, in capitals, a variable."""

    def recordings_directory(self) -> Path:
        """Where recordings go that somebody asks for."""
        return self.recordings or self.record_to or private_file.data_directory() / "recordings"

    def recordings_directories(self) -> tuple[Path, ...]:
        """Where recordings are: of sessions, and those that somebody asked for."""
        asked_for = self.recordings_directory()
        return (asked_for,) if self.record_to in (None, asked_for) else (self.record_to, asked_for)

    @model_validator(mode="after")
    def _check_together(self) -> Self:
        self.check_host(self.host)
        return self
