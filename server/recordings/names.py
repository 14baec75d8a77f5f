"""What recordings are called: names that are files of one directory, and can be nothing else."""

from __future__ import annotations

import re
from datetime import datetime

SUFFIX = ".mp4"
MAX_CHARS = 128
# No dot in front: those files are hidden, ``.`` and ``..`` are directories.
PATTERN = rf"[A-Za-z0-9_-][A-Za-z0-9_.-]{{0,{MAX_CHARS - 1}}}"
WHAT_IT_IS = f"1 to {MAX_CHARS} of A-Z, a-z, 0-9, _, . and -, with no dot in front"

_NAME = re.compile(PATTERN)
# Leaves room for the time, and for a number behind it.
_MAX_SOURCE_CHARS = 96


def parse_name(text: str) -> str | None:
    """The name that a text is, with or without ``.mp4``; None if it is none."""
    name = text.removesuffix(SUFFIX)
    # A name that ends with it would be taken for another one when it is asked for.
    if len(text) > MAX_CHARS or name.endswith(SUFFIX):
        return None
    return name if _NAME.fullmatch(name) else None


def default_name(source: str, now: datetime) -> str:
    """What a recording is called that nobody has named: ``camera-20250131T235959Z``.

    Parameters
    ----------
    source
        What is recorded.
    now
        In UTC.
    """
    words = source.replace("/", "-").lstrip(".")[:_MAX_SOURCE_CHARS]
    return f"{words}-{now:%Y%m%dT%H%M%SZ}"


def numbered(name: str, number: int) -> str:
    """The name with a number behind it, from 2 on; as long as names may be."""
    behind = f"-{number}" if number > 1 else ""
    return name[: MAX_CHARS - len(SUFFIX) - len(behind)] + behind
