"""Where a camera is published to."""

from __future__ import annotations

import re
import ssl
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp

from server.security.hosts import is_loopback

DEFAULT_PORT = 8083
_PATH = "/signaling"
_SECURE = {"wss": True, "https": True, "ws": False, "http": False}

Trust = ssl.SSLContext | aiohttp.Fingerprint | bool
"""What aiohttp takes as ``ssl``."""


@dataclass(frozen=True, slots=True)
class Destination:
    """A server's signaling WebSocket.

    Attributes
    ----------
    url
        ``wss://host:8083/signaling``.
    is_secure
        Whether TLS is spoken.
    is_local
        Whether it is on this machine.
    """

    url: str
    is_secure: bool
    is_local: bool

    def __str__(self) -> str:
        return self.url.removesuffix(_PATH)


def parse_destination(text: str) -> Destination:
    """Read a server's address.

    Parameters
    ----------
    text
        ``wss://host:8083``, ``https://host``, or a host alone, which means TLS and port 8083, or no
        TLS for this machine itself.

    Raises
    ------
    ValueError
        One line that says what is wrong with it.
    """
    is_bare = "://" not in text
    try:
        parts = urlsplit(f"//{text.strip()}" if is_bare else text.strip())
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise ValueError(f"{text!r} is no address of a server: {error}") from None
    if not host or parts.query or parts.fragment or "@" in parts.netloc:
        raise ValueError(f"{text!r} is no address of a server: give wss://host:8083, or a host")
    is_local = is_loopback(host)
    scheme = ("ws" if is_local else "wss") if is_bare else parts.scheme.lower()
    if scheme not in _SECURE:
        raise ValueError(f"{text!r}: give wss://, https://, ws:// or http://")
    if is_bare and port is None:
        port = DEFAULT_PORT
    path = parts.path.rstrip("/").removesuffix(_PATH)
    shown = (f"[{host}]" if ":" in host else host) + (f":{port}" if port is not None else "")
    is_secure = _SECURE[scheme]
    return Destination(
        f"{'wss' if is_secure else 'ws'}://{shown}{path}{_PATH}", is_secure, is_local
    )


def make_trust(ca_file: Path | None, fingerprint: str) -> Trust:
    """Whom to take for the server.

    Parameters
    ----------
    ca_file
        Certificates (PEM), in place of those that the system trusts.
    fingerprint
        SHA-256 of the server's certificate, as the server logs it; nothing else is checked then.

    Raises
    ------
    ValueError
        One of them can not be read.
    """
    if fingerprint:
        digits = re.sub(r"[\s:]", "", fingerprint)
        if not re.fullmatch(r"[0-9A-Fa-f]{64}", digits):
            raise ValueError("--fingerprint: 32 bytes in hexadecimal are due, as AA:BB:…")
        return aiohttp.Fingerprint(bytes.fromhex(digits))
    if ca_file is None:
        return True
    try:
        return ssl.create_default_context(cafile=ca_file)
    except (OSError, ssl.SSLError) as error:
        raise ValueError(f"--ca-file {ca_file} can not be read: {error}") from None
