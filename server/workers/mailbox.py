"""The mailbox: a session's newest frame, in memory that the server and one worker share.

The server writes and the worker reads; of annotated frames, the other way round.

One writer, one reader, no lock: Simpson's four-slot mechanism ("Four-slot fully asynchronous
communication mechanism", IEE Proceedings 137, 1990). The writer never waits and never touches what
the reader reads; the reader always gets the newest whole frame; either may be killed at any moment
and harms nothing. A lock would be left locked by a killed worker.

Only raw pictures take this way: of the machine's own cameras, of files that are searched and of
sources that no worker decodes, and those that a worker shows. What comes encoded crosses encoded,
in a message. A frame is stored as I420, half the bytes of RGB; the colours are converted in the
worker.
"""

from __future__ import annotations

import os
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing import resource_tracker
from multiprocessing.shared_memory import SharedMemory

import numpy as np

from server.media.decoding import Array
from server.media.planes import I420Frame, even, planes_bytes, store_planes

# Control bytes at the start of the segment: the pair last written, the pair being read, and for
# each of the two pairs the slot last written.
_LATEST, _READING, _SLOT = 0, 1, 2
_CONTROL_BYTES = 64
# number, pts_ms, received_at_ms, received_monotonic_s, width, height
_HEADER = struct.Struct("<qdddII")
_HEADER_BYTES = 64
# A worker opens memory of the server's on one thread and makes its own on another, which is to be
# known to the resource tracker: it gives it back if the worker is killed.
_registering = threading.Lock()


@dataclass(frozen=True, slots=True)
class FrameInfo:
    """What is known of one frame."""

    number: int
    """Counts the session's frames, from 1."""
    pts_ms: float
    """Milliseconds since the session's first frame."""
    received_at_ms: float
    """When the last of it arrived, in milliseconds since the epoch."""
    received_monotonic_s: float
    """The same by ``time.monotonic()``, which the processes of a machine share."""
    width: int
    height: int
    """0 x 0 of a video's frame that is not decoded yet."""


class MailboxWriter:
    """The end that has frames. Owns the shared memory, which grows when the frames do."""

    def __init__(self) -> None:
        self._memory: SharedMemory | None = None

    @property
    def name(self) -> str | None:
        """Name of the shared memory, None before the first frame. Changes when frames grow."""
        return self._memory.name if self._memory else None

    def put(self, frame: I420Frame, info: FrameInfo) -> None:
        """Store a frame in place of the one before it, read or not.

        Raises
        ------
        OSError
            There is no shared memory left for frames of this size.
        """

        def store(view: memoryview) -> None:
            store_planes(np.frombuffer(view, np.uint8), frame)

        self._publish(planes_bytes(frame.width, frame.height), info, store)

    def put_planes(self, planes: Array, info: FrameInfo) -> None:
        """Store planes as `MailboxReader.take` gives them, in place of the frame before.

        Raises
        ------
        OSError
            There is no shared memory left for frames of this size.
        """

        def store(view: memoryview) -> None:
            np.frombuffer(view, np.uint8)[:] = planes.reshape(-1)

        self._publish(planes.size, info, store)

    def _publish(
        self,
        content_bytes: int,
        info: FrameInfo,
        store: Callable[[memoryview], None],
    ) -> None:
        slot_bytes = _HEADER_BYTES + content_bytes
        if self._memory is None or _slot_capacity(self._memory) < slot_bytes:
            self.close()
            self._memory = _create(_CONTROL_BYTES + 4 * slot_bytes)
        control = _buffer(self._memory)
        pair = 1 - control[_READING]
        slot = 1 - control[_SLOT + pair]
        view = _slot_view(self._memory, pair, slot)
        _HEADER.pack_into(
            view,
            0,
            info.number,
            info.pts_ms,
            info.received_at_ms,
            info.received_monotonic_s,
            info.width,
            info.height,
        )
        store(view[_HEADER_BYTES:slot_bytes])
        _memory_fence()
        control[_SLOT + pair] = slot
        control[_LATEST] = pair

    def close(self) -> None:
        """Give the shared memory back. A reader that still has it keeps it until it lets go."""
        if self._memory is not None:
            self._memory.close()
            self._memory.unlink()
            self._memory = None


class MailboxReader:
    """The end that wants them."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._memory = _attach(name)

    def take(self) -> tuple[FrameInfo, Array]:
        """The newest frame.

        Returns
        -------
        info
            What is known of it.
        planes
            As OpenCV has them, (height * 3 / 2, width) with both rounded up to even. A view into
            the shared memory, whole until the next call.
        """
        control = _buffer(self._memory)
        pair = control[_LATEST]
        control[_READING] = pair
        _memory_fence()
        slot = control[_SLOT + pair]
        view = _slot_view(self._memory, pair, slot)
        info = FrameInfo(*_HEADER.unpack_from(view))
        even_width, even_height = even(info.width), even(info.height)
        planes = np.frombuffer(view, np.uint8, planes_bytes(info.width, info.height), _HEADER_BYTES)
        return info, planes.reshape(even_height * 3 // 2, even_width)

    def close(self) -> None:
        """Let go of the shared memory."""
        self._memory.close()


def _create(size: int) -> SharedMemory:
    """New shared memory that is really there.

    Without asking for its pages now, a full /dev/shm (64 MB in a container, unless told otherwise)
    would show at the first write, as a signal that ends the process.
    """
    with _registering:
        memory = SharedMemory(create=True, size=size)
    try:
        with open(f"/dev/shm/{memory.name}", "r+b") as file:
            os.posix_fallocate(file.fileno(), 0, size)
    except FileNotFoundError:
        pass  # Not on Linux: the system has other ways.
    except OSError:
        memory.close()
        memory.unlink()
        raise
    return memory


def _attach(name: str) -> SharedMemory:
    """Open shared memory that another process owns.

    Before Python 3.13 (``track=False``) merely opening it makes this process's resource tracker
    unlink it at exit, under its owner's feet.
    """
    with _registering:
        register = resource_tracker.register
        resource_tracker.register = lambda *_: None
        try:
            return SharedMemory(name=name)
        finally:
            resource_tracker.register = register


def _memory_fence() -> None:
    """Order what was written before against what is read after, on ARM too.

    Taking a lock is an atomic instruction, which the processor does not move memory accesses past.
    """
    with threading.Lock():
        pass


def _buffer(memory: SharedMemory) -> memoryview:
    assert memory.buf is not None, "the mailbox is closed"
    return memory.buf


def _slot_capacity(memory: SharedMemory) -> int:
    return (memory.size - _CONTROL_BYTES) // 4


def _slot_view(memory: SharedMemory, pair: int, slot: int) -> memoryview:
    capacity = _slot_capacity(memory)
    start = _CONTROL_BYTES + (2 * pair + slot) * capacity
    return _buffer(memory)[start : start + capacity]
