"""Requests that are done with, and a file descriptor that tells that there are some."""

import contextlib
import os
import threading


class Completions:
    """Between the sensor's thread and whoever polls."""

    def __init__(self):
        self.event_fd, self._wake_fd = os.pipe2(os.O_NONBLOCK)
        self._ready = []
        self._lock = threading.Lock()

    def __del__(self):
        os.close(self.event_fd)
        os.close(self._wake_fd)

    def add(self, request):
        with self._lock:
            self._ready.append(request)
        os.write(self._wake_fd, b"\0")

    def take(self):
        with contextlib.suppress(BlockingIOError):
            os.read(self.event_fd, 4096)
        with self._lock:
            ready, self._ready = self._ready, []
        return ready
