"""How old recordings are, on a machine whose clock may be wrong until it is set.

A Raspberry Pi has no battery: it starts with the time at which it was shut down, or with 1970, and
is set when a network is there. What was recorded since the machine started is as old as its uptime
says, and is dated anew when the clock was set meanwhile. Of what is older, only the clock tells; it
counts when it has not been set for an hour.
"""

from __future__ import annotations

import secrets
import time
from pathlib import Path

from server.recordings.status import Began, RecordingNote

# Before this was written, nothing was recorded by it.
_EARLIEST_MS = 1_764_547_200_000  # 2025-12-01
# How long the clock must not have been set before it is believed.
STEADY_S = 3600.0
# A clock that is disciplined by NTP is slewed by less; more is a setting.
_SET_S = 60.0

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def uptime_s() -> float:
    """Seconds since the machine was started, those included in which it slept."""
    if hasattr(time, "CLOCK_BOOTTIME"):
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    return time.monotonic()


class Dates:
    """Dates of recordings. Slow: for a thread.

    Parameters
    ----------
    boot
        What tells this start of the machine from others; None asks the machine.
    """

    def __init__(self, boot: str | None = None) -> None:
        self._boot = boot or _boot_id()
        self._offset_s: float | None = None
        self._set_at_s = 0.0

    def began(self) -> Began:
        """For a recording that begins now."""
        return Began(boot=self._boot, uptime_s=uptime_s())

    def dated(self, note: RecordingNote, now_s: float, up_s: float) -> RecordingNote | None:
        """A recording with the date at which it began, as far as is known now.

        Parameters
        ----------
        now_s
            Seconds since the epoch, as the clock has it.
        up_s
            The uptime.

        Returns
        -------
        None if that can not be told now.
        """
        is_steady = self._is_steady(now_s, up_s)
        began_ms = float(note.started_at)
        if note.began is not None and note.began.boot == self._boot:
            began_ms = 1000 * (now_s - (up_s - note.began.uptime_s))
        elif not is_steady or 1000 * now_s < _EARLIEST_MS:
            return None
        elif began_ms < _EARLIEST_MS:
            # Nobody knows any more: from now on, then.
            began_ms = 1000 * now_s
        if abs(began_ms - note.started_at) < 1000 * _SET_S:
            return note
        return note.model_copy(update={"started_at": int(began_ms)})

    def _is_steady(self, now_s: float, up_s: float) -> bool:
        offset_s = now_s - up_s
        if self._offset_s is None or abs(offset_s - self._offset_s) > _SET_S:
            self._set_at_s = up_s
            self._offset_s = offset_s
        return up_s - self._set_at_s >= STEADY_S


def _boot_id() -> str:
    try:
        return _BOOT_ID.read_text().strip()
    except OSError:
        # Then uptimes of this process can be compared, and no others.
        return secrets.token_hex(16)
