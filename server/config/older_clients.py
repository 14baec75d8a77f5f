"""Settings of what clients of older servers rely on; `presets` sets them for each."""

from __future__ import annotations

from typing import ClassVar, Literal

from server.config.base import SettingsGroup


class OlderClientSettings(SettingsGroup):
    """How the APIs of older servers answer."""

    title: ClassVar[str] = "older clients"

    pose_coordinates: Literal["relative", "pixels"] = "relative"
    """how /ws and /pose tell where landmarks are: in 0..1 of the picture, or in its pixels"""
    pose_names: Literal["lower", "upper"] = "lower"
    """how they call landmarks: nose or NOSE"""
