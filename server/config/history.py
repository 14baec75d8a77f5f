"""Settings of the trainings that are kept."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field, SecretStr

from server.config.base import Flag, SettingsGroup


class HistorySettings(SettingsGroup):
    """Where trainings are kept, if they are."""

    title: ClassVar[str] = "history"

    database: Annotated[SecretStr, Flag("default|URL")] = Field(SecretStr(""))
    """keep trainings: default is a file of SQLite in the user's data directory, others are
    postgresql://user@host/name or sqlite:////path/of/a/file; better in the environment than on the
    command line where there is a password in it"""
