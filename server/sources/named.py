"""What a client means by a ``video_source``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from server.sources.errors import SourceRefused
from server.sources.url import SourceUrl

_MAX_CAMERA = 255
_MAX_NAME = 1024


@dataclass(frozen=True, slots=True)
class NumberedCamera:
    """A camera of the server, by its number."""

    index: int

    def __str__(self) -> str:
        return str(self.index)


@dataclass(frozen=True, slots=True)
class File:
    """A file of the server, as the client wrote it."""

    name: str

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Published:
    """A stream that someone sends to the server, by its name."""

    name: str

    def __str__(self) -> str:
        return self.name


Named = NumberedCamera | File | Published | SourceUrl


def parse_source(value: int | str, is_published: Callable[[str], bool]) -> Named:
    """Tell what a client means.

    Parameters
    ----------
    value
        A camera's number, a URL, the name of a published stream, or a file.
    is_published
        Whether there is a stream of that name.

    Raises
    ------
    SourceRefused
        It is none of these.
    """
    if isinstance(value, int) or (value.isascii() and value.isdigit()):
        if len(str(value)) > 3 or not 0 <= int(value) <= _MAX_CAMERA:
            raise SourceRefused(f"cameras are numbered from 0 to {_MAX_CAMERA}")
        return NumberedCamera(int(value))
    if not 1 <= len(value) <= _MAX_NAME:
        raise SourceRefused(f"the name of a source has 1 to {_MAX_NAME} characters")
    if "://" in value:
        return SourceUrl.parse(value)
    if is_published(value):
        return Published(value)
    return File(value)
