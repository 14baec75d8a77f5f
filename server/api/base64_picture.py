"""Pictures that come as base64 within JSON."""

from __future__ import annotations

import binascii

# Fifty times faster than the standard library's, which takes 16 ms of the event loop for 6 MB.
import pybase64

from server.media.picture import BadPicture

# data:image/jpeg;base64, is 23 characters long.
_MAX_PREFIX_CHARS = 200
_BLANKS = b" \t\r\n\v\f"


def decode_base64(text: str) -> bytes:
    """The bytes that base64 stands for, be it a data URL, broken into lines, or without padding.

    Raises
    ------
    BadPicture
        It is no base64.
    """
    encoded = _without_prefix(text)
    try:
        return pybase64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        pass
    # Lines are broken; of eight million blanks a list would take 140 ms of the event loop.
    joined = encoded.encode("ascii", "replace").translate(None, _BLANKS).rstrip(b"=")
    try:
        return pybase64.b64decode(joined + b"=" * (-len(joined) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise BadPicture("the picture is not base64") from None


def _without_prefix(text: str) -> str:
    if not text.startswith("data:"):
        return text
    comma = text.find(",", 0, _MAX_PREFIX_CHARS)
    if comma < 0 or not text[:comma].endswith(";base64"):
        raise BadPicture("the data URL is not base64: it begins with data:image/jpeg;base64,")
    return text[comma + 1 :]
