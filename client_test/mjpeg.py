"""Takes the JPEGs out of an MJPEG stream over HTTP (multipart/x-mixed-replace), without any I/O."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message

from client_test.errors import ClientError

MAX_HEAD_BYTES = 64 * 1024
MAX_PICTURE_BYTES = 64 * 1024 * 1024

_BLANK_LINE = re.compile(rb"\r?\n\r?\n")
_END_OF_IMAGE = b"\xff\xd9"


class NotMjpeg(ClientError):
    """What the server sends is no MJPEG stream."""


@dataclass(frozen=True, slots=True)
class Part:
    """One picture.

    Attributes
    ----------
    data
        The JPEG.
    at_s
        When its first byte came, on the clock of who fed the parser.
    stamp_s
        When it was taken, in seconds since the epoch, where the server says so.
    """

    data: bytes
    at_s: float
    stamp_s: float | None


def boundary_of(content_type: str, otherwise: str | None = None) -> str:
    """The boundary that a Content-Type names, or else this one.

    Raises
    ------
    NotMjpeg
        It is of something else.
    """
    header = Message()
    header["Content-Type"] = content_type
    boundary = header.get_boundary() or otherwise
    if header.get_content_type() != "multipart/x-mixed-replace" or not boundary:
        raise NotMjpeg(
            f"it sends {content_type or 'no Content-Type'}, and not multipart/x-mixed-replace with"
            " a boundary: is this the address of an MJPEG stream?"
        )
    # Some servers have the two dashes in front in the header, too.
    return boundary.removeprefix("--")


class MjpegParser:
    """Feed it what comes; it gives the pictures that are complete.

    Parts may have a Content-Length or not. Without one, a picture ends where the next part begins.

    Parameters
    ----------
    boundary
        What stands between the parts, without the dashes in front.
    """

    def __init__(self, boundary: str) -> None:
        self._delimiter = b"--" + boundary.encode("latin-1", "replace")
        self._buffer = bytearray()
        self._head: Message | None = None
        self._began_s = 0.0
        self._searched = 0

    def feed(self, data: bytes, at_s: float) -> Iterator[Part]:
        """Take what came at a time, in seconds.

        Raises
        ------
        NotMjpeg
            It is no such stream, or a picture is too large.
        """
        self._buffer += data
        while True:
            if self._head is None and not self._read_head(at_s):
                return
            picture = self._take_picture()
            if picture is None:
                return
            if picture:
                yield self._part(picture)
            self._head = None

    def end(self) -> Iterator[Part]:
        """There is no more: the last picture may be complete without what follows it."""
        if self._head is None or self._length() is not None:
            return
        rest = bytes(self._buffer).rstrip(b"\r\n")
        if rest.endswith(_END_OF_IMAGE):
            yield self._part(rest)
        self._buffer.clear()

    def _part(self, picture: bytes) -> Part:
        assert self._head is not None
        return Part(picture, self._began_s, _number(self._head["X-Timestamp"]))

    def _read_head(self, at_s: float) -> bool:
        """Find where the next part begins, and what its head says."""
        start = self._buffer.find(self._delimiter)
        end = _BLANK_LINE.search(self._buffer, start + len(self._delimiter)) if start >= 0 else None
        if end is None:
            if len(self._buffer) > MAX_HEAD_BYTES:
                raise NotMjpeg(f"no part begins with {self._delimiter.decode('latin-1')!r}")
            return False
        lines = bytes(self._buffer[start + len(self._delimiter) : end.start()])
        head = Message()
        for line in lines.decode("latin-1").splitlines():
            name, colon, value = line.partition(":")
            if colon:
                head[name.strip()] = value.strip()
        del self._buffer[: end.end()]
        self._head, self._began_s, self._searched = head, at_s, 0
        return True

    def _take_picture(self) -> bytes | None:
        """The part's picture, once it is complete."""
        length = self._length()
        if length is None:
            end = self._buffer.find(self._delimiter, self._searched)
            # The next search need not begin anew.
            self._searched = max(len(self._buffer) - len(self._delimiter), 0)
        else:
            end = length if len(self._buffer) >= length else -1
        if max(len(self._buffer) if end < 0 else end, length or 0) > MAX_PICTURE_BYTES:
            raise NotMjpeg(f"a picture has more than {MAX_PICTURE_BYTES >> 20} MB")
        if end < 0:
            return None
        picture = bytes(self._buffer[:end])
        del self._buffer[:end]
        return picture if length is not None else picture.removesuffix(b"\n").removesuffix(b"\r")

    def _length(self) -> int | None:
        text = self._head["Content-Length"] if self._head is not None else None
        return int(text) if text and text.isascii() and text.isdigit() and len(text) < 12 else None


def _number(text: str | None) -> float | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if 0 < value < float("inf") else None
