"""Settings of this machine's own camera."""

from __future__ import annotations

import re
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AliasChoices, BeforeValidator, Field
from pydantic_settings import NoDecode

from server.camera.hooks import HookFunction, load
from server.camera.source import Focus, Mode
from server.config.base import Count, Flag, SettingsGroup

_SMALLEST, _LARGEST = 64, 8192


def _size(value: Any) -> Any:
    if isinstance(value, tuple):
        return value
    match = re.fullmatch(r"(\d{1,5})\s*[x, ]\s*(\d{1,5})", str(value).strip())
    size = (int(match[1]), int(match[2])) if match else (0, 0)
    if not all(_SMALLEST <= side <= _LARGEST for side in size):
        raise ValueError(f"{value!r} is not WIDTHxHEIGHT, each {_SMALLEST} to {_LARGEST}")
    return size


def _hook(value: Any) -> Any:
    return load(value) if isinstance(value, str) else value


def _lower(value: Any) -> Any:
    return value.strip().lower() if isinstance(value, str) else value


class CameraSettings(SettingsGroup):
    """The camera that others may watch."""

    title: ClassVar[str] = "camera"

    camera: Annotated[str, Flag("KIND|FILE")] = Field(
        # The second is what an older camera server called it.
        "auto",
        validation_alias=AliasChoices("camera", "PI_CAMERA_BACKEND"),
    )
    """what to show as the camera of this machine: picamera2, v4l2 (or a device, /dev/video0), a
    video file, pattern; auto: picamera2 where it is installed"""
    camera_enabled: bool = True
    """there is no camera, whatever is plugged in"""
    camera_size: Annotated[tuple[int, int], NoDecode, BeforeValidator(_size), Flag("WxH")] = Field(
        "1536x864",
        validation_alias=AliasChoices("camera_size", "PICAM_VIDEO_SIZE"),
        validate_default=True,
    )
    """pixels as WIDTHxHEIGHT"""
    camera_fps: float = Field(
        20.0, ge=1, le=120, validation_alias=AliasChoices("camera_fps", "PICAM_FRAME_RATE")
    )
    """pictures a second"""
    camera_turn: Annotated[
        Literal["0", "90", "180", "270"],
        Flag(variables=("ROTATE_STREAM_90", "ROTATE_STREAM_180")),
    ] = "0"
    """degrees, counterclockwise, by which its pictures are turned"""
    camera_focus: Annotated[
        Literal["manual", "auto", "continuous"] | None,
        BeforeValidator(_lower),
        Flag("manual|auto|continuous"),
    ] = Field(None, validation_alias=AliasChoices("camera_focus", "PICAM_AF_MODE"))
    """how a camera of a Raspberry Pi focuses: manual leaves the lens where it is, auto focuses once
    at the start; without it, as the camera does by itself"""
    camera_focus_range: Annotated[
        Literal["normal", "macro", "full"] | None,
        BeforeValidator(_lower),
        Flag("normal|macro|full"),
    ] = Field(None, validation_alias=AliasChoices("camera_focus_range", "PICAM_AF_RANGE"))
    """which distances it tries"""
    camera_focus_speed: Annotated[
        Literal["normal", "fast"] | None, BeforeValidator(_lower), Flag("normal|fast")
    ] = Field(None, validation_alias=AliasChoices("camera_focus_speed", "PICAM_AF_SPEED"))
    """how fast it moves the lens"""
    camera_hook: Annotated[
        HookFunction | None, NoDecode, BeforeValidator(_hook), Flag("MODULE:FUNCTION")
    ] = None
    """module:function, or file.py:function, that gets each of the camera's pictures, (H, W, 3)
    uint8 RGB, and if it takes two arguments their time, and returns a changed one, or None;
    without :function it is annotate_frame"""
    camera_hook_colors: Literal["rgb", "bgr"] = "rgb"
    """order of the colors that the hook gets and returns"""
    stream_fps: float = Field(
        0.0, ge=0, le=60, validation_alias=AliasChoices("stream_fps", "TARGET_STREAM_FPS")
    )
    """pictures a second in /stream.mjpg for viewers who ask for no ?fps=; 0: all there are"""
    jpeg_quality: int = Field(
        80, ge=10, le=95, validation_alias=AliasChoices("jpeg_quality", "STREAM_JPEG_QUALITY")
    )
    """quality of JPEGs for viewers who ask for no ?quality="""
    analyze_camera: bool = False
    """analyze the camera all the time, as a session named camera"""
    max_viewers: Count = Field(64, ge=0)
    """peers at once that watch and send nothing"""
    viewers_per_subject: Annotated[int, Flag("N", default="half of --max-viewers")] = Field(0, ge=0)
    """viewers at once with one token's subject; further ones get 429"""

    def camera_mode(self) -> Mode:
        """What is asked of the camera."""
        focus = Focus(self.camera_focus, self.camera_focus_range, self.camera_focus_speed)
        return Mode(*self.camera_size, self.camera_fps, focus)
