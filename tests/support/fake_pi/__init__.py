"""A Raspberry Pi's camera where there is no Pi: the real picamera2 on a double of libcamera.

In this process, `install` does it; for a server, start it as ``python -m tests.support.fake_pi``
with the flags of ``python -m server``. picamera2 is an optional extra: where it is not installed,
tests of it skip (`on_fake_pi`).

Three things are doubled, all of them below picamera2: libcamera's bindings and the display library,
which only windows need (both in ``site``), and the kernel's heap of memory for pictures, which is
ordinary shared memory here.
"""

import ctypes
import fcntl
import os
import sys
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

import pytest

SITE = Path(__file__).parent / "site"
FOLDER = "FAKE_PI"
"""The environment variable that `libcamera.faults` reads."""

ENCODER = "FAKE_PI_ENCODER"
"""The environment variable that gives the Pi of a server an encoder."""

COMMAND = (sys.executable, "-m", "tests.support.fake_pi")
"""What starts a server with the double."""

on_fake_pi = [
    pytest.mark.skipif(
        find_spec("picamera2") is None,
        reason="picamera2 is not installed: apt-get install gcc libcap-dev, pip install -e '.[pi]'",
    ),
    # It starts its threads in an old way.
    pytest.mark.filterwarnings("ignore:setDaemon:DeprecationWarning"),
]
"""What tests of it are marked with."""


class Wires:
    """The camera's wires in a test's hand, wherever the camera is.

    Parameters
    ----------
    folder
        What FAKE_PI names in the process that has the camera.
    """

    def __init__(self, folder):
        self.folder = folder

    def set(self, fault, value=""):
        """Break something; the names stand in `libcamera.faults`."""
        (self.folder / fault).write_text(value)

    def clear(self, fault):
        """Mend it."""
        (self.folder / fault).unlink()


def install():
    """Have picamera2 find the double; may be called again."""
    if str(SITE) not in sys.path:
        sys.path.insert(0, str(SITE))
    import picamera2.allocators.dmaallocator
    import picamera2.dma_heap

    picamera2.dma_heap.heapNames = [os.devnull]
    kernel = SimpleNamespace(ioctl=_ioctl)
    picamera2.dma_heap.fcntl = kernel
    picamera2.allocators.dmaallocator.fcntl = kernel


def install_encoder():
    """Give the Pi an encoder, as a Pi 4 has one.

    picamera2's software encoder stands for the hardware's: it is driven the same way, and has the
    fault that forcing a key frame raises.
    """
    from picamera2 import encoders

    from server.camera import pi_encoder

    pi_encoder._DEVICE = Path(os.devnull)
    encoders.H264Encoder = encoders.LibavH264Encoder


def _ioctl(fd, request, argument):
    """What the kernel does for its heap of memory, with ordinary shared memory."""
    from picamera2 import dma_heap

    if request == dma_heap.DMA_HEAP_IOCTL_ALLOC:
        argument.fd = os.memfd_create("picture", os.MFD_CLOEXEC)
        os.ftruncate(argument.fd, argument.len)
    elif request not in (dma_heap.DMA_BUF_SET_NAME, dma_heap.DMA_BUF_IOCTL_SYNC):
        return fcntl.ioctl(fd, request, argument)
    return 0


def kill(thread):
    """End a thread from outside, as a crash in native code that Python survives would.

    Raises
    ------
    ValueError
        There is no such thread.
    """
    ended = ctypes.pythonapi.PyThreadState_SetAsyncExc(
        ctypes.c_ulong(thread.ident), ctypes.py_object(SystemExit)
    )
    if ended != 1:
        raise ValueError(f"{thread} does not run")
