"""What a camera is to the rest of the server: something that is opened, read and closed."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

from server.media.capture import Capture
from server.media.encoder import Codec, Packet


class CameraError(Exception):
    """The camera can not be used now: one line that says why, and what to do."""


class CameraUnavailable(CameraError):
    """There is no such camera here, and trying again changes nothing."""


@dataclass(frozen=True, slots=True)
class Focus:
    """How a camera finds its focus; None leaves it to the camera.

    Attributes
    ----------
    mode
        ``manual`` leaves the lens where it is, ``auto`` focuses once at the start,
        ``continuous`` again and again.
    range
        Which distances it tries: ``normal``, ``macro``, ``full``.
    speed
        ``normal`` or ``fast``.
    """

    mode: str | None = None
    range: str | None = None
    speed: str | None = None


@dataclass(frozen=True, slots=True)
class Mode:
    """What is asked of a camera; it may give something near to it.

    Attributes
    ----------
    width, height
        In pixels.
    fps
        Pictures a second.
    focus
        Of a camera whose lens can be moved.
    """

    width: int = 1536
    height: int = 864
    fps: float = 20.0
    focus: Focus = Focus()


class SourceEncoder(ABC):
    """A camera's own encoder, in hardware. Its methods may be called on any thread.

    Attributes
    ----------
    codec
        What it makes.
    """

    codec: Codec

    @abstractmethod
    def start(
        self, bitrate: int, deliver: Callable[[Packet], None], give_up: Callable[[], None]
    ) -> None:
        """Encode pictures from now on, beginning with a key frame; again for another bitrate.

        Parameters
        ----------
        bitrate
            In bits a second.
        deliver
            Takes each packet, with its time in RTP's clock, on whatever thread.
        give_up
            Called when the encoder fails time and again; nothing is delivered any more.
        """

    @abstractmethod
    def stop(self) -> None:
        """Encode no more."""

    @abstractmethod
    def request_key_frame(self) -> None:
        """Make the next picture one."""


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
    encoder: SourceEncoder | None = None
    """Its own, if it has one."""

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
