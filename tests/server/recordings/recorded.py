"""Makes recordings of sessions."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av

from server.recordings.session_recorder import Recorder


async def until(condition: Callable[[], bool], within_s: float = 60.0) -> None:
    """Wait for what another thread or process does; it has no event that could be awaited."""
    async with asyncio.timeout(within_s):
        while not condition():
            await asyncio.sleep(0.001)


async def submit(recorder: Recorder, frame: av.VideoFrame, time_ms: float) -> None:
    """Hand a frame over, no faster than it is encoded."""
    submitted = recorder.frames_written + recorder.frames_dropped
    recorder.video(frame, time_ms)
    await until(lambda: recorder.frames_written + recorder.frames_dropped > submitted)


async def record(
    root: Path,
    video: list[tuple[av.VideoFrame, float]],
    audio: list[tuple[av.AudioFrame, float]] | None = None,
) -> Recorder:
    """Record in the order of time, audio first where times are equal; and close."""
    recorder = Recorder(root, "session", audio=audio is not None)
    items = [(time, 0, frame) for frame, time in audio or []]
    items += [(time, 1, frame) for frame, time in video]
    for time_ms, _, frame in sorted(items, key=lambda item: item[:2]):
        if isinstance(frame, av.VideoFrame):
            await submit(recorder, frame, time_ms)
        else:
            recorder.audio(frame, time_ms)
    await recorder.close({})
    assert recorder.error is None
    return recorder


def summary_of(recorder: Recorder) -> dict[str, Any]:
    return json.loads((recorder.directory / "summary.json").read_bytes())
