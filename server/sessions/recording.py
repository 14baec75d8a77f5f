"""What a session needs of whatever records it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import av

from server.media.encoded_frame import EncodedFrame
from server.media.picture import EncodedPicture


class SessionRecorder(Protocol):
    """Keeps what a session saw and said. Only `close` may take time; `amend` comes after it."""

    def video(self, frame: av.VideoFrame | EncodedPicture, time_ms: float) -> None: ...

    def encoded(self, frame: EncodedFrame, time_ms: float) -> bool:
        """Take a video's next frame as it came; whether a key frame is wanted."""

    def audio(self, frame: av.AudioFrame, time_ms: float) -> None: ...

    def result(self, line: bytes) -> None: ...

    async def close(self, summary: dict[str, Any]) -> None: ...

    def amend(self, more: dict[str, Any]) -> None: ...


class RecorderFactory(Protocol):
    """Makes the recorder of a session."""

    def __call__(
        self, session_id: str, *, audio: bool, on_error: Callable[[str], None]
    ) -> SessionRecorder | None:
        """Start recording; None when that can not be done, which ``on_error`` is told."""
