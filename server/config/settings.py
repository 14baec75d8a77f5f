"""All settings in one model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, ClassVar, Self

from pydantic import BeforeValidator, Field, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

from server.config import parse
from server.config.analysis import AnalysisSettings
from server.config.base import Flag, Seconds, SettingsGroup
from server.config.camera import CameraSettings
from server.config.cluster import ClusterSettings
from server.config.history import HistorySettings
from server.config.limits import LimitSettings
from server.config.media import MediaSettings
from server.config.older_clients import OlderClientSettings
from server.config.presets import PresetName, PresetSource
from server.config.recordings import RecordingSettings
from server.config.security import AuthSettings, EmbeddingSettings, TlsSettings
from server.config.sources import SourceSettings
from server.config.variables import CertificateVariables, EmptiedVariables, TurningVariables
from server.config.webhooks import WebhookSettings
from server.security import private_file

_PORTS = 65536


class ServingSettings(SettingsGroup):
    """Where the server listens, and what it keeps."""

    title: ClassVar[str] = "serving"

    preset: PresetName = "none"
    """what clients of an older server expect: its port, its page's origin and its quirks, each of
    them a setting that can be set otherwise"""
    host: str = "127.0.0.1"
    """address to listen on"""
    port: int = Field(8083, ge=1, le=65534)
    """HTTP and WebSocket port; the next one takes signaling WebSockets on any path"""
    websocket_only: bool = False
    """serve the signaling WebSocket on PORT+1 alone"""
    verbose: Annotated[bool, Flag(short="-v")] = False
    """debug logging"""
    record_to: Annotated[Path | None, BeforeValidator(parse.directory), Flag("DIR")] = None
    """record each session to DIR/<id>/ (its video, results.jsonl, summary.json); "" records none"""
    resume_window: Annotated[float, Flag("SECONDS")] = Field(30.0, ge=0, le=3600)
    """seconds that a session waits for a lost peer to come back"""
    results_per_second: Annotated[float, Flag("N")] = Field(0.0, ge=0, le=1000)
    """results that a peer gets a second at most, until it says otherwise; 0 is one a frame"""
    farewell: Seconds = Field(5.0, ge=1, le=3600)
    """seconds that a peer may stay after its final result, to say more; of more such peers than
    --max-sessions the oldest goes"""
    nodes: Annotated[int, BeforeValidator(parse.nodes), Flag("N|auto")] = Field(1, ge=1, le=256)
    """media processes, which are one server together; auto is one for four cores. With --ice-port
    each has a port, that one and those that follow"""
    watchdog: bool = True
    """no supervisor, which starts the server again when it hangs or crashes: everything in one
    process, as a debugger wants it"""


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
    HistorySettings,
    EmbeddingSettings,
    WebhookSettings,
    ClusterSettings,
    OlderClientSettings,
):
    """Everything that can be set, in groups that stand in the order of --help."""

    @classmethod
    def groups(cls) -> list[type[SettingsGroup]]:
        """The groups that it is made of."""
        return [base for base in cls.__bases__ if issubclass(base, SettingsGroup)]

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Where settings come from; what stands first counts."""
        return (
            init_settings,
            EmptiedVariables(settings_cls, "record_to"),
            env_settings,
            dotenv_settings,
            CertificateVariables(settings_cls),
            TurningVariables(settings_cls),
            PresetSource(settings_cls),
        )

    def video_pixels(self) -> int:
        """How large the pictures of a video may be that a worker decodes: width times height."""
        return min(self.max_pixels, self.max_video_pixels)

    def recordings_directory(self) -> Path:
        """Where recordings go that somebody asks for."""
        return self.recordings or self.record_to or private_file.data_directory() / "recordings"

    def recordings_directories(self) -> tuple[Path, ...]:
        """Where recordings are: of sessions, and those that somebody asked for."""
        asked_for = self.recordings_directory()
        return (asked_for,) if self.record_to in (None, asked_for) else (self.record_to, asked_for)

    @model_validator(mode="after")
    def _check_together(self) -> Self:
        self.check_host(self.host, self.preset)
        if self.nodes > self.max_sessions:
            raise ValueError("--nodes: each takes a session at least: raise --max-sessions")
        if self.ice_port is not None and self.ice_port + self.nodes > _PORTS:
            raise ValueError("--ice-port: there is no port for each of --nodes behind it")
        return self
