"""How long a camera is waited for."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CameraTimeouts:
    """How long a camera is waited for, in seconds.

    Attributes
    ----------
    opens_s
        For its first picture: opening a sensor takes a second or two.
    silent_s
        For each further one; then it is started again.
    stops_s
        For a driver to let go of it.
    lingers_s
        How long it goes on after the last one has left: a page that is loaded again finds it
        running.
    first_pause_s, longest_pause_s
        Before it is started again: twice as long each time. When it has run for longer than the
        longest, it begins with the first again.
    """

    opens_s: float = 10.0
    silent_s: float = 3.0
    stops_s: float = 2.0
    lingers_s: float = 10.0
    first_pause_s: float = 0.5
    longest_pause_s: float = 30.0
