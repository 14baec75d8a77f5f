"""Settings of what is recorded when somebody asks for it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, ClassVar

from pydantic import AliasChoices, BeforeValidator, Field

from server.config.base import Count, Flag, SettingsGroup

_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}
_LEAST_QUOTA = 10**6


def _bytes(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    match = re.fullmatch(r"(\d{1,15}(?:\.\d{1,3})?)\s*([kmgt]?)b?", value.strip().lower())
    size = int(float(match[1]) * _UNITS[match[2]]) if match else -1
    if size and size < _LEAST_QUOTA:
        raise ValueError(f"{value!r} is no size: give 500MB or 10GB, 1MB at least, or 0")
    return size


class RecordingSettings(SettingsGroup):
    """What is recorded when somebody asks for it by POST /recordings."""

    title: ClassVar[str] = "recordings"

    recordings: Annotated[
        Path | None,
        Flag("DIR", default="that of --record-to, or one in the user's data directory"),
    ] = Field(
        # The second is what an older camera server called it.
        None,
        validation_alias=AliasChoices("recordings", "RECORD_OUTPUT_DIR"),
    )
    """directory that POST /recordings records to"""
    recordings_days: float = Field(30.0, ge=0)
    """days after which a finished recording is deleted; 0: never"""
    recordings_quota: Annotated[int, BeforeValidator(_bytes), Flag("SIZE")] = Field(
        "10GB", validate_default=True, ge=0
    )
    """size of all together, as 500MB or 10GB, beyond which the oldest finished ones are deleted;
    0: no limit"""
    max_recordings: Count = Field(4, ge=0)
    """recordings at once"""
