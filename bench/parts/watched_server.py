"""A server that notes how late its event loop is: what an attack on it costs everybody else.

    python -m bench.parts.watched_server FILE [flags of python -m server]

Each line of FILE is a wake-up that came late: when (by ``time.monotonic()``), by how many ms, and
for how many ms of them this thread had been working. The rest of them it waited for the machine.
"""

import asyncio
import sys
import time
from collections.abc import Coroutine
from typing import Any, NamedTuple, TextIO

from server.__main__ import main

EVERY_S = 0.005
NOTED_FROM_MS = 5.0

_run = asyncio.Runner.run


class Lateness(NamedTuple):
    """A wake-up that came late."""

    at_s: float
    late_ms: float
    own_ms: float


async def note(file: TextIO) -> None:
    """Note until cancelled, beginning with a line that says that somebody watches."""
    print(f"{time.monotonic():.4f} 0.0 0.0", file=file, flush=True)
    while True:
        due_s, worked_s = time.monotonic() + EVERY_S, time.thread_time()
        await asyncio.sleep(EVERY_S)
        late_ms = (time.monotonic() - due_s) * 1000
        if late_ms >= NOTED_FROM_MS:
            own_ms = (time.thread_time() - worked_s) * 1000
            print(f"{time.monotonic():.4f} {late_ms:.1f} {own_ms:.1f}", file=file, flush=True)


def read(text: str, from_s: float, to_s: float) -> Lateness:
    """The latest of a file's wake-ups between two times; zeros without any.

    Raises
    ------
    RuntimeError
        Nobody has watched.
    """
    if not text:
        raise RuntimeError("the server's event loop was not watched")
    noted = (Lateness(*map(float, line.split())) for line in text.splitlines())
    within = [each for each in noted if from_s <= each.at_s < to_s]
    return max(within, key=lambda each: each.late_ms, default=Lateness(from_s, 0.0, 0.0))


async def watched(serving: Coroutine[Any, Any, None], file: TextIO) -> None:
    """Serve, and note."""
    noting = asyncio.create_task(note(file))
    try:
        await serving
    finally:
        noting.cancel()


if __name__ == "__main__":
    with open(sys.argv.pop(1), "w") as noted:
        # The one place where the server's own main enters asyncio.
        asyncio.Runner.run = lambda runner, serving, **more: _run(  # type: ignore[method-assign]
            runner, watched(serving, noted), **more
        )
        main()
