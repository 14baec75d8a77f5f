"""URLs that clients name: taken apart strictly, so that what is checked is what is asked for."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote, urljoin, urlsplit

from server.sources.errors import SourceRefused
from signaling.errors import quote

PORTS = {"http": 80, "https": 443, "rtsp": 554}
"""Of each scheme that is read, the port where none is given."""

_MAX_LENGTH = 2048
# Parsers disagree about a backslash and about what is not printable ASCII (CVE-2019-9740).
_PLAIN = re.compile(r"[!-\[\]-~]+")
_HOST = re.compile(r"[a-z0-9._:-]+")


@dataclass(frozen=True, slots=True)
class SourceUrl:
    """A URL.

    Attributes
    ----------
    scheme
        http, https or rtsp.
    host
        In lower case; an IPv6 address without brackets.
    port
        Given, or the scheme's.
    target
        Path and query, as they are asked for.
    user, password
        Decoded; None where the URL has none.
    """

    scheme: str
    host: str
    port: int
    target: str
    user: str | None = None
    password: str | None = None

    @classmethod
    def parse(cls, text: str) -> SourceUrl:
        """Take a URL apart.

        Raises
        ------
        SourceRefused
            It is none, or one that two parsers could understand differently.
        """
        if len(text) > _MAX_LENGTH or not _PLAIN.fullmatch(text):
            raise SourceRefused(f"{quote(text)} is no URL")
        try:
            parts = urlsplit(text)
            host, port = (parts.hostname or "").lower(), parts.port
        except ValueError:
            raise SourceRefused(f"{quote(text)} is no URL") from None
        if parts.scheme not in PORTS:
            raise SourceRefused(f"{quote(parts.scheme)} URLs are not read, only http, https, rtsp")
        if not _HOST.fullmatch(host) or port == 0:
            raise SourceRefused(f"{quote(text)} names no host")
        if any(part in (".", "..") for part in unquote(parts.path).split("/")):
            raise SourceRefused(f"the path of {quote(text)} goes up or stays: write it out")
        return cls(
            parts.scheme,
            host,
            port or PORTS[parts.scheme],
            (parts.path or "/") + (f"?{parts.query}" if parts.query else ""),
            None if parts.username is None else unquote(parts.username),
            None if parts.password is None else unquote(parts.password),
        )

    def redirected(self, location: str) -> SourceUrl:
        """Where a redirect from here leads; what logs in here is not sent along.

        Raises
        ------
        SourceRefused
            It leads to no URL that is read.
        """
        try:
            target = urljoin(str(self), location)
        except ValueError:
            raise SourceRefused(f"{self} redirects to {quote(location)}, which is no URL") from None
        return SourceUrl.parse(target)

    @property
    def authority(self) -> str:
        """Host and, where it is not the scheme's own, port."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"

    def __str__(self) -> str:
        """The URL without user and password: fit for messages and logs."""
        return f"{self.scheme}://{self.authority}{self.target}"
