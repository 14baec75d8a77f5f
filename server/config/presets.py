"""What the clients of five older servers expect, as settings: ``--preset``.

A preset is data. What it sets is a setting of its own, which a flag, a variable or ``.env`` sets
otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from server.config.variables import WholeSource
from server.security.hosts import is_loopback

PresetName = Literal["none", "pose", "search", "exercise", "camera", "monitor"]
"""Called after what those servers were for."""


def _pages(port: int) -> str:
    """The origins of a page that a server of its own brings on this machine."""
    return f"http://localhost:{port},http://127.0.0.1:{port}"


@dataclass(frozen=True, slots=True)
class Preset:
    """Settings, by the names of their fields.

    Attributes
    ----------
    settings
        Always.
    on_loopback
        Only while no other machine can reach the server.
    """

    settings: Mapping[str, Any]
    on_loopback: Mapping[str, Any] = field(default_factory=dict)


PRESETS: Mapping[str, Preset] = {
    "pose": Preset(
        {
            "port": 8000,
            "allow_origin": _pages(3000),
            "pose_coordinates": "pixels",
            "pose_names": "upper",
        }
    ),
    "search": Preset(
        {
            "port": 5000,
            "allow_origin": _pages(3000),
            "search_messages": "older",
            "first_frame": 0,
            "undecodable": "422",
        },
        # Its page has the server read the first camera of its machine.
        on_loopback={"allow_source": "0"},
    ),
    "exercise": Preset(
        {
            "port": 3000,
            "allow_origin": _pages(8080),
            "exercise_names": "older",
            "always_score": True,
        }
    ),
    "camera": Preset({"port": 8000, "allow_origin": _pages(3000), "camera_hook_colors": "bgr"}),
    "monitor": Preset(
        {"port": 8083, "resume_window": 0, "results_per_second": 2, "farewell": "10m"}
    ),
}


class PresetSource(WholeSource):
    """The settings of the preset that a source before this one names."""

    def __call__(self) -> dict[str, Any]:
        preset = PRESETS.get(self.current_state.get("preset", "none"))
        if preset is None:
            return {}
        host = self.current_state.get("host", self.settings_cls.model_fields["host"].default)
        return {**preset.settings, **(preset.on_loopback if is_loopback(host) else {})}
