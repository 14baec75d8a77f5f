"""RTSP streams, read through a relay that connects to the address that was checked and no other.

FFmpeg looks hosts up by itself and follows redirects wherever they lead, and can not be told not
to. It is given the relay's address instead; the relay cuts the connection at a redirect.
"""

from __future__ import annotations

import contextlib
import re
import socket
import threading
from collections.abc import Iterator
from urllib.parse import quote

from server.sources import addresses
from server.sources.allowed import AllowList
from server.sources.container import OpenVideo, open_rtsp
from server.sources.errors import SourceError
from server.sources.url import SourceUrl

# A live stream that is silent for so long is lost.
SILENT_S = 10.0
_CHUNK = 1 << 16
# RFC 2326, section 10.12: a dollar sign, the channel, and the length of what follows.
_INTERLEAVED = b"$"
_STATUS = re.compile(rb"RTSP/\d\.\d (\d{3})")
_LENGTH = re.compile(rb"^content-length:\s*(\d{1,7})\s*$", re.IGNORECASE | re.MULTILINE)
_MAX_HEAD = 64 * 1024


def open_checked_rtsp(url: SourceUrl, allowed: AllowList) -> OpenVideo:
    """Open an RTSP stream. Takes time: never on the event loop.

    Raises
    ------
    SourceRefused
        It may not be read.
    SourceError
        It can not be read.
    """
    private = allowed.check_url(url)
    found = addresses.resolve(url.host, url.port, private=private)
    try:
        server = addresses.connect(found, url.port, SILENT_S)
    except OSError as error:
        raise SourceError(f"{url} can not be read: {error.strerror or error}") from error
    relay = RtspRelay(server)
    login = ""
    if url.user is not None:
        login = f"{quote(url.user, safe='')}:{quote(url.password or '', safe='')}@"
    try:
        return open_rtsp(f"rtsp://{login}127.0.0.1:{relay.port}{url.target}", relay.close, SILENT_S)
    except SourceError as error:
        relay.close()
        why = "it redirects, which is not followed" if relay.redirected else error.message
        raise SourceError(f"{url} can not be read: {why}") from error


class RtspRelay:
    """Passes one connection to a local port on.

    Parameters
    ----------
    server
        Connected to the RTSP server.

    Attributes
    ----------
    port
        Where to connect to, on 127.0.0.1.
    redirected
        Whether the server has tried to send the client elsewhere.
    """

    def __init__(self, server: socket.socket) -> None:
        self.redirected = False
        self._server = server
        self._client: socket.socket | None = None
        self._door = socket.create_server(("127.0.0.1", 0), backlog=1)
        self._door.settimeout(SILENT_S)
        self.port: int = self._door.getsockname()[1]
        threading.Thread(target=self._run, name="rtsp relay", daemon=True).start()

    def close(self) -> None:
        """Cut both connections, from any thread."""
        for end in (self._door, self._server, self._client):
            if end is not None:
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
                end.close()

    def _run(self) -> None:
        with contextlib.suppress(OSError):
            self._client, _ = self._door.accept()
            self._door.close()
            threading.Thread(target=self._ask, name="rtsp requests", daemon=True).start()
            self._answer()
        self.close()

    def _ask(self) -> None:
        """Pass on what the client says."""
        assert self._client is not None
        with contextlib.suppress(OSError):
            while data := self._client.recv(_CHUNK):
                self._server.sendall(data)
        self.close()

    def _answer(self) -> None:
        """Pass on what the server says, message by message, until it redirects."""
        assert self._client is not None
        parts = Parts()
        while data := self._server.recv(_CHUNK):
            for part in parts.take(data):
                status = _STATUS.match(part)
                if status is not None and status[1].startswith(b"3"):
                    self.redirected = True
                    return
                self._client.sendall(part)


class Parts:
    """Takes what an RTSP server sends apart into messages and interleaved packets."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def take(self, data: bytes) -> Iterator[bytes]:
        """Give the parts that are complete now.

        Raises
        ------
        ConnectionError
            It is no RTSP.
        """
        self._buffer += data
        while (length := self._length()) is not None and len(self._buffer) >= length:
            yield bytes(self._buffer[:length])
            del self._buffer[:length]

    def _length(self) -> int | None:
        """Length of the next part, None while that can not be known."""
        if len(self._buffer) < 4:
            return None
        if self._buffer.startswith(_INTERLEAVED):
            return 4 + int.from_bytes(self._buffer[2:4])
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            if len(self._buffer) > _MAX_HEAD:
                raise ConnectionError("this is no RTSP")
            return None
        body = _LENGTH.search(bytes(self._buffer[:end]).replace(b"\r\n", b"\n"))
        return end + 4 + (int(body[1]) if body else 0)
