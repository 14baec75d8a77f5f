"""How a connection ends whose client does not deserve a goodbye."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct

# On, for no time at all: the kernel drops what it still holds for the client, up to 4 MB, and
# resets the connection. Otherwise it would go on trying to deliver it.
_NO_LINGERING = struct.pack("ii", 1, 0)


def abort_connection(transport: asyncio.Transport) -> None:
    """End a connection at once, whatever waits to be sent."""
    if (connected := transport.get_extra_info("socket")) is not None:
        # It may be closed already.
        with contextlib.suppress(OSError):
            connected.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGERING)
    transport.abort()
