"""Keeps the time of a camera that is none: when the next picture is due."""

from __future__ import annotations

import threading
import time

from server.camera.source import CameraError


class FramePacer:
    """Waits between pictures, until it is told to stop."""

    def __init__(self) -> None:
        self._stopped = threading.Event()
        self._next_s: float | None = None

    def wait(self, interval_s: float) -> float:
        """Wait until the next picture is due.

        Parameters
        ----------
        interval_s
            From this picture to the one after it.

        Returns
        -------
        When it was due, by ``time.monotonic()``. What is late is not caught up on.

        Raises
        ------
        CameraError
            It was stopped.
        """
        now_s = time.monotonic()
        due_s = now_s if self._next_s is None else max(self._next_s, now_s - interval_s)
        if self._stopped.wait(max(due_s - now_s, 0.0)):
            raise CameraError("the camera was closed")
        self._next_s = due_s + interval_s
        return due_s

    def stop(self) -> None:
        """End the wait, and all later ones."""
        self._stopped.set()
