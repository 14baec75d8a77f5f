"""A file or stream behind an HTTP URL, read like a file.

FFmpeg's own HTTP looks hosts up again and follows redirects wherever they lead. Here each hop is
checked against the allow-list, and the address that was checked is the one connected to.
"""

from __future__ import annotations

import contextlib
import http.client
import io
import re
import socket
import ssl
import threading
from base64 import b64encode

from server.sources import addresses
from server.sources.allowed import AllowList
from server.sources.errors import SourceError, SourceRefused
from server.sources.url import SourceUrl

# A live stream that is silent for so long is lost.
SILENT_S = 10.0
_MAX_HOPS = 5
_REDIRECTS = (301, 302, 303, 307, 308)
_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+)")
# What is nearer is read over, rather than asked for anew.
_SKIP_BYTES = 256 * 1024


class HttpFile:
    """What is behind a URL. For one thread, but for `abort`.

    Parameters
    ----------
    url
        Where it begins.
    allowed
        Each hop is checked against it.

    Raises
    ------
    SourceRefused
        It, or where it redirects to, may not be read.
    SourceError
        There is nothing.
    """

    def __init__(self, url: SourceUrl, allowed: AllowList) -> None:
        self._allowed = allowed
        self._url = url
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._aborted = False
        self._position = 0
        self._wanted = 0
        self._response = self._ask(0)
        match = _RANGE.fullmatch(self._response.headers.get("Content-Range", ""))
        self._length = int(match[2]) if self._response.status == 206 and match else None

    # ---- as a file

    def readable(self) -> bool:
        """Whether it can be read."""
        return True

    def seekable(self) -> bool:
        """Whether the server gives parts of it."""
        return self._length is not None

    def tell(self) -> int:
        """Where the next read begins."""
        return self._wanted

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go somewhere else; asks for it with the next read only."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._wanted, io.SEEK_END: self._length or 0}[whence]
        self._wanted = max(base + offset, 0)
        return self._wanted

    def read(self, size: int = -1) -> bytes:
        """Read what is there, at most so much; nothing at the end.

        Raises
        ------
        OSError
            The connection is lost.
        """
        if self._length is not None and self._wanted >= self._length:
            return b""
        self._go()
        try:
            # Of a live stream, waiting for more would hold up a frame that is complete.
            data = self._response.read1(size)
        except (http.client.HTTPException, ValueError) as error:
            raise ConnectionResetError("the connection was lost") from error
        self._position += len(data)
        self._wanted = self._position
        if not data and self._length is not None:
            raise ConnectionResetError("the connection was lost")
        return data

    def close(self) -> None:
        """Hang up."""
        self.abort()

    def abort(self) -> None:
        """Hang up, from any thread: a read that waits fails."""
        with self._lock:
            self._aborted = True
            self._hang_up()

    # ---- HTTP

    def _go(self) -> None:
        """Be where the next read begins."""
        ahead = self._wanted - self._position
        while 0 < ahead <= _SKIP_BYTES:
            skipped = len(self._response.read1(ahead))
            if not skipped:
                break
            self._position += skipped
            ahead -= skipped
        if self._wanted != self._position:
            self._response = self._ask(self._wanted)
            if self._response.status != 206:
                raise ConnectionResetError("the server no longer gives parts of the file")
            self._position = self._wanted

    def _ask(self, start: int) -> http.client.HTTPResponse:
        """Ask for it from a byte on, wherever it is by now."""
        for _ in range(_MAX_HOPS):
            response = self._request(start)
            if response.status not in _REDIRECTS:
                break
            location = response.headers.get("Location", "")
            before, self._url = self._url, self._url.redirected(location)
            if before.scheme == "https" and self._url.scheme != "https":
                raise SourceRefused(f"{before} redirects to a URL that is not encrypted")
        else:
            raise SourceError(f"{self._url} redirects too often")
        if response.status not in (200, 206):
            raise SourceError(f"{self._url} answers {response.status} {response.reason}")
        return response

    def _request(self, start: int) -> http.client.HTTPResponse:
        url = self._url
        if url.scheme not in ("http", "https"):
            raise SourceRefused(f"{url} is no HTTP URL")
        private = self._allowed.check_url(url)
        found = addresses.resolve(url.host, url.port, private=private)
        try:
            connection = http.client.HTTPConnection(url.host, url.port)
            connection.sock = self._connect(url, found)
            connection.request("GET", url.target, headers=_headers(url, start))
            return connection.getresponse()
        except (OSError, http.client.HTTPException) as error:
            why = getattr(error, "strerror", None) or "it does not answer as HTTP servers do"
            raise SourceError(f"{url} can not be read: {why}") from error

    def _connect(self, url: SourceUrl, found: list[addresses.Address]) -> socket.socket:
        connected = addresses.connect(found, url.port, SILENT_S)
        if url.scheme == "https":
            # The certificate is checked against the host's name, whatever its address.
            context = ssl.create_default_context()
            connected = context.wrap_socket(connected, server_hostname=url.host)
        with self._lock:
            self._hang_up()
            self._socket = connected
            if self._aborted:
                self._hang_up()
        return connected

    def _hang_up(self) -> None:
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)
            self._socket.close()


def _headers(url: SourceUrl, start: int) -> dict[str, str]:
    headers = {
        "Host": url.authority,
        "User-Agent": "kinecast",
        "Accept": "*/*",
        "Accept-Encoding": "identity",
        "Range": f"bytes={start}-",
        "Connection": "close",
    }
    if url.user is not None:
        login = f"{url.user}:{url.password or ''}".encode()
        headers["Authorization"] = f"Basic {b64encode(login).decode()}"
    return headers
