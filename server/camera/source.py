"""What a camera is to the rest of the server: something that is opened, read and closed."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import av


class CameraError(Exception):
    """The camera can not be used now: one line that says why, and what to do."""


class CameraUnavailable(CameraError):
    """There is no such camera here, and trying again changes nothing."""


@dataclass(frozen=True, slots=True)
class Mode:
    """What is asked of a camera; it may give something near to it.

    Attributes
    ----------
    width, height
        In pixels.
    fps
        Pictures a second.
    """

    width: int = 1536
    height: int = 864
    fps: float = 20.0


@dataclass(frozen=True, slots=True)
class Capture:
    """One picture.

    Attributes
    ----------
    frame
        In whatever pixel format the camera has. Nobody changes it.
    captured_s
        When it was taken, by ``time.monotonic()``.
    """

    frame: av.VideoFrame
    captured_s: float


class Source(ABC):
    """A camera.

    `open`, `read` and `release` are called on one thread, which may wait; `close` on any.

    Parameters
    ----------
    mode
        What is asked of it.
    """

    backend: str
    """What it is, in ``/camera/status``."""

    def __init__(self, mode: Mode) -> None:
        self.mode = mode

    @abstractmethod
    def open(self) -> None:
        """Start it.

        Raises
        ------
        CameraError
            It can not be started.
        """

    @abstractmethod
    def read(self) -> Capture:
        """Wait for the next picture.

        Raises
        ------
        CameraError
            It gives no more, or was closed meanwhile.
        """

    @abstractmethod
    def close(self) -> None:
        """Ask it to stop; a `read` that waits ends. May be called again, and before `open`."""

    def release(self) -> None:  # noqa: B027 - most have nothing to give back.
        """Give back what was opened; called last, on the thread that reads."""
