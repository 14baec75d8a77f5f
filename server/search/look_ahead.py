"""Frames of a video, each looked at while the next one is decoded."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Generator
from concurrent.futures import Executor

from server.search.video import SampledFrame


async def look_at_each(
    threads: Executor,
    frames: Generator[SampledFrame],
    look: Callable[[SampledFrame], Awaitable[None]],
    stop: threading.Event,
) -> None:
    """Look at all frames, one after the other.

    Parameters
    ----------
    threads
        Where they are decoded.
    frames
        Decodes one at a time; closed in the end.
    look
        What is done with each; what it raises ends it all.
    stop
        Is set when it ends early: a frame that is on its way is not waited for, nor are those of
        whoever else heeds it.

    Raises
    ------
    SourceError
        A frame can not be read.
    """
    loop = asyncio.get_running_loop()
    upcoming = loop.run_in_executor(threads, next, frames, None)
    try:
        while (frame := await asyncio.shield(upcoming)) is not None:
            upcoming = loop.run_in_executor(threads, next, frames, None)
            await look(frame)
    except BaseException:
        # The next frame may be a minute away.
        stop.set()
        raise
    finally:
        # A generator can not be closed while it runs.
        await asyncio.gather(upcoming, return_exceptions=True)
        await loop.run_in_executor(threads, frames.close)
