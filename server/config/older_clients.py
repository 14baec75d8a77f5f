"""Settings of what clients of older servers rely on; `presets` sets them for each."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from server.config.base import SettingsGroup


class OlderClientSettings(SettingsGroup):
    """How the APIs of older servers answer."""

    title: ClassVar[str] = "older clients"

    pose_coordinates: Literal["relative", "pixels"] = "relative"
    """how /ws and /pose tell where landmarks are: in 0..1 of the picture, or in its pixels"""
    pose_names: Literal["lower", "upper"] = "lower"
    """how they call landmarks: nose or NOSE"""
    exercise_names: Literal["kinecast", "older"] = "kinecast"
    """how /api/ai and /api/ml call exercises; older: pushup, and standing and unknown for none"""
    always_score: bool = False
    """they give 0 while there is no score, and not null"""
    search_messages: Literal["kinecast", "older"] = "kinecast"
    """what /video-stream says beside matches; older: errors as a status, and connected,
    video_opened and video_closed"""
    first_frame: int = Field(1, ge=0, le=1)
    """number of the first frame in /video-stream and /find"""
    undecodable: Literal["400", "422"] = "400"
    """status of /upload-embedding for a picture that can not be decoded"""
