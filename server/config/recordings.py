"""Settings of what is recorded when somebody asks for it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import AliasChoices, BeforeValidator, Field

from server.config import parse
from server.config.base import Count, Flag, SettingsGroup


class RecordingSettings(SettingsGroup):
    """What is recorded when somebody asks for it by POST /recordings."""

    title: ClassVar[str] = "recordings"

    recordings: Annotated[
        Path | None,
        BeforeValidator(parse.directory),
        Flag("DIR", default="that of --record-to, or one in the user's data directory"),
    ] = Field(
        # The second is what an older camera server called it.
        None,
        validation_alias=AliasChoices("recordings", "RECORD_OUTPUT_DIR"),
    )
    """directory that POST /recordings records to"""
    recordings_days: float = Field(30.0, ge=0)
    """days after which a finished recording is deleted; 0: never"""
    recordings_quota: Annotated[int, BeforeValidator(parse.size), Flag("SIZE")] = Field(
        "10GB", validate_default=True, ge=0
    )
    """size of all together, as 500MB or 10GB, beyond which the oldest finished ones are deleted;
    0: no limit"""
    max_recordings: Count = Field(4, ge=0)
    """recordings at once"""
