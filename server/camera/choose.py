"""Which camera a name stands for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from server.camera.clip import Clip
from server.camera.source import CameraUnavailable, Mode, Source
from server.camera.v4l2 import V4l2

_FIRST_DEVICE = Path("/dev/video0")
_DEVICES = "/dev/"


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
    if name in ("auto", "picamera2", "picamera"):
        return _picamera2(mode)
    if name == "pattern":
        # It is drawn with OpenCV, which takes a while to import and which no camera needs.
        from server.camera.pattern import Pattern

        return lambda: Pattern(mode)
    # The second is what an older camera server called it.
    if name in ("v4l2", "opencv"):
        return lambda: V4l2(mode, _FIRST_DEVICE)
    path = Path(name)
    if name.startswith(_DEVICES):
        # It need not be there yet: a USB camera may be plugged in later.
        return lambda: V4l2(mode, path)
    if not path.is_file():
        raise CameraUnavailable(
            f"{name} is neither a camera's kind, nor a device, nor a file: give picamera2, v4l2,"
            " pattern, a device as /dev/video0, or a video file (--camera, PI_CAMERA_BACKEND)"
        )
    return lambda: Clip(mode, path)


def _picamera2(mode: Mode) -> Callable[[], Source]:
    try:
        from server.camera.picamera import PiCamera
    except ImportError as error:
        raise CameraUnavailable(
            f"picamera2 can not be imported ({error}): on a Pi, sudo apt install"
            " python3-picamera2, and a virtual environment made with --system-site-packages;"
            " elsewhere, start the server with --camera /dev/video0, a video file, or pattern"
        ) from error
    return lambda: PiCamera(mode)
