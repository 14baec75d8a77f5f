"""How a session gets recorded: what it needs of a recorder, and where it gets one."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import av

from server.media.picture import EncodedPicture
from server.media.recorder import Recorder, RecordingError


class SessionRecorder(Protocol):
    """Keeps what a session saw and said. Only `close` may take time."""

    def video(self, frame: av.VideoFrame | EncodedPicture, time_ms: float) -> None: ...

    def audio(self, frame: av.AudioFrame, time_ms: float) -> None: ...

    def result(self, line: bytes) -> None: ...

    async def close(self, summary: dict[str, Any]) -> None: ...


class RecorderFactory(Protocol):
    """Makes the recorder of a session."""

    def __call__(
        self, session_id: str, *, audio: bool, on_error: Callable[[str], None]
    ) -> SessionRecorder | None:
        """Start recording; None when that can not be done, which ``on_error`` is told."""


def record_to(root: Path) -> RecorderFactory:
    """Recorders that write below a directory, and tell of errors on the event loop."""
    return functools.partial(_record, root)


def _record(
    root: Path, session_id: str, *, audio: bool, on_error: Callable[[str], None]
) -> Recorder | None:
    tell = functools.partial(_call_on_loop, asyncio.get_running_loop(), on_error)
    try:
        return Recorder(root, session_id, audio=audio, on_error=tell)
    except RecordingError as error:
        # The directory was fine at start-up: the disk is full, say. The session goes on.
        on_error(str(error))
        return None


def _call_on_loop(
    loop: asyncio.AbstractEventLoop, callback: Callable[[str], None], message: str
) -> None:
    """The recorder tells of errors on its own thread."""
    loop.call_soon_threadsafe(callback, message)
