"""Settings of what the server itself fetches for clients."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator
from pydantic_settings import NoDecode

from server.config import parse
from server.config.base import Flag, SettingsGroup
from server.sources.allowed import AllowList


def _patterns(value: Any) -> Any:
    patterns = tuple(parse.words(value))
    AllowList(patterns)
    return patterns


class SourceSettings(SettingsGroup):
    """Which video the server reads for clients."""

    title: ClassVar[str] = "sources"

    allow_source: Annotated[
        tuple[str, ...], NoDecode, BeforeValidator(_patterns), Flag("PATTERN", default="none")
    ] = ()
    """a source that clients may have the server read: a camera's number, a URL (http, https, rtsp)
    or a file with * for anything, a published stream; hosts on private networks count only when
    written out"""
