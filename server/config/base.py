"""What the groups of settings have in common."""

from __future__ import annotations

from typing import ClassVar

from pydantic_settings import BaseSettings, SettingsConfigDict


class BadSettings(ValueError):
    """A setting can not be used: one line that says which and why."""


class SettingsGroup(BaseSettings):
    """Settings that belong together: each field is a flag and, in capitals, a variable."""

    title: ClassVar[str] = "options"
    """Heads the group in --help."""

    model_config = SettingsConfigDict(
        env_file=".env",
        extra="ignore",
        arbitrary_types_allowed=True,
        env_ignore_empty=True,
        # What is wrong with a secret is told without it.
        hide_input_in_errors=True,
    )
