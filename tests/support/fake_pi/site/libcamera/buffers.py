"""Memory that pictures are written into."""

import enum
import mmap
import os


class FrameMetadata:
    """How a picture turned out."""

    Status = enum.Enum("Status", "Success Error Cancelled Startup")

    def __init__(self):
        self.status = FrameMetadata.Status.Success
        self.sequence = 0
        self.timestamp = 0
        self.planes = []


class Plane:
    """A piece of shared memory; it keeps a file descriptor of its own."""

    def __init__(self):
        self._fd = -1
        self.offset = 0
        self.length = 0

    @property
    def fd(self):
        return self._fd

    @fd.setter
    def fd(self, given):
        self._fd = os.dup(given)

    def __del__(self):
        if self._fd >= 0:
            os.close(self._fd)


class FrameBuffer:
    """One picture's memory."""

    Plane = Plane

    def __init__(self, planes, cookie=0):
        self.planes = list(planes)
        self.metadata = FrameMetadata()
        self.memory = mmap.mmap(self.planes[0].fd, self.planes[0].length)


class FrameBufferAllocator:
    """Imported by picamera2, and not used: it allocates in the kernel's heap."""
