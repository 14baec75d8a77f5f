"""Which camera a name stands for."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from server.camera.clip import Clip
from server.camera.pattern import Pattern
from server.camera.source import CameraUnavailable, Mode, Source
from server.camera.v4l2 import V4l2

_FIRST_DEVICE = Path("/dev/video0")


def choose(name: str, mode: Mode) -> Callable[[], Source]:
    """Make what makes the camera.

    Parameters
    ----------
    name
        ``auto``, ``picamera2``, ``v4l2``, ``pattern``, a device, or a file.
    mode
        What is asked of it.

    Raises
    ------
    CameraUnavailable
        There is none by that name on this machine.
    """
    if name == "auto" and find_spec("picamera2") is None:
        raise CameraUnavailable(
            "none was chosen, and picamera2 is not installed: start the server with --camera"
            " /dev/video0, a video file, or pattern"
        )
    if name in ("auto", "picamera2"):
        return _picamera2(mode)
    if name == "pattern":
        return lambda: Pattern(mode)
    if name == "v4l2":
        return lambda: V4l2(mode, _FIRST_DEVICE)
    path = Path(name)
    if path.is_char_device():
        return lambda: V4l2(mode, path)
    if not path.is_file():
        raise CameraUnavailable(f"{name} is neither a camera's kind, nor a device, nor a file")
    return lambda: Clip(mode, path)


def _picamera2(mode: Mode) -> Callable[[], Source]:
    try:
        from server.camera.picamera import PiCamera
    except ImportError as error:
        raise CameraUnavailable(
            f"picamera2 can not be imported ({error}): on a Pi, sudo apt install"
            " python3-picamera2, and a virtual environment made with --system-site-packages"
        ) from error
    return lambda: PiCamera(mode)
