"""A WebSocket client without manners: it reads only when told to."""

import base64
import os
import socket
import struct
from typing import Self

# Small, so that what waits does so in the server.
RECEIVE_BUFFER_BYTES = 4096


class SilentClient:
    """A WebSocket to a server on this machine; blocking, for use in a thread or without a reader.

    Parameters
    ----------
    port, path
        Where it connects.
    headers
        Further ones of the handshake.
    """

    def __init__(self, port: int, path: str, headers: dict[str, str] | None = None) -> None:
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
        self._socket.settimeout(60)
        self._socket.connect(("127.0.0.1", port))
        lines = {
            "Host": f"127.0.0.1:{port}",
            "Upgrade": "websocket",
            "Connection": "Upgrade",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode(),
            **(headers or {}),
        }
        head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        self._socket.sendall(f"GET {path} HTTP/1.1\r\n{head}\r\n".encode())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def send_text(self, text: str) -> None:
        """Send one masked text frame of up to 64 kB."""
        data = text.encode()
        length = (
            bytes([0x80 | len(data)])
            if len(data) < 126
            else bytes([0x80 | 126]) + struct.pack(">H", len(data))
        )
        self._socket.sendall(b"\x81" + length + bytes(4) + data)

    def read_head(self) -> str:
        """Read the answer to the handshake."""
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += self._read(1)
        return head.decode()

    def read_frame(self) -> tuple[int, bytes]:
        """Read one frame: its opcode and content."""
        first, second = self._read(2)
        length = second & 0x7F
        if length == 126:
            (length,) = struct.unpack(">H", self._read(2))
        elif length == 127:
            (length,) = struct.unpack(">Q", self._read(8))
        return first & 0x0F, self._read(length)

    def read_to_the_end(self) -> bool:
        """Read until the server hangs up; whether it cut the connection instead of closing it."""
        try:
            while self._socket.recv(1 << 16):
                pass
        except ConnectionResetError:
            return True
        return False

    def _read(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            part = self._socket.recv(count - len(data))
            if not part:
                raise ConnectionResetError("the server has hung up")
            data += part
        return data
