"""Tells systemd how a service does (sd_notify(3)); does nothing where it was not started by it."""

from __future__ import annotations

import contextlib
import os
import socket


def notify(state: str) -> None:
    """Send ``READY=1``, ``STATUS=…``, ``WATCHDOG=1``; several with newlines between."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return
    # A name that begins with @ stands for one in the abstract namespace.
    address = address.replace("@", "\0", 1) if address[0] == "@" else address
    with (
        contextlib.suppress(OSError),
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as datagrams,
    ):
        datagrams.sendto(state.encode(), address)


def watchdog_s() -> float | None:
    """How often it wants to hear of us: half of ``WatchdogSec=``; None where it does not."""
    microseconds = os.environ.get("WATCHDOG_USEC", "")
    if not microseconds.isdecimal() or os.environ.get("WATCHDOG_PID") not in (
        None,
        str(os.getpid()),
    ):
        return None
    return int(microseconds) / 2e6 or None


async def keep_alive() -> None:
    """Tell it, as long as the event loop turns."""
    # The supervisor has no event loop, and does without the memory that this takes.
    import asyncio

    interval_s = watchdog_s()
    while interval_s is not None:
        notify("WATCHDOG=1")
        await asyncio.sleep(interval_s)
