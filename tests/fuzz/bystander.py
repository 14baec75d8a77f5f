"""A session that goes on while others are attacked: its results, counted in a process of its own.

In a thread beside the attacker it would wait for Python's lock while attacks are made up, and get
fewer results than the server sent.

    python -m tests.fuzz.bystander URL [TOKEN]     prints when results came, until its input ends
"""

import asyncio
import subprocess
import sys
import threading
import time
from types import TracebackType
from typing import Self

from client_test.peer import ClientPeer
from tests.support.server import ROOT
from tests.support.tracks import ColourTrack

FPS = 10.0
STARTS_WITHIN_S = 60.0


class Bystander:
    """Streams ten frames a second until the end.

    Parameters
    ----------
    url
        The server's.
    token
        One with the scope `publish`, where the server asks for one.
    """

    def __init__(self, url: str, token: str | None = None) -> None:
        self._arguments = [url, *([token] if token else [])]
        self._arrivals_s: list[float] = []
        self._streams = threading.Event()
        self._reader = threading.Thread(target=self._read, name="bystander", daemon=True)

    def share_since(self, began_s: float) -> float:
        """The share of the results due since a time of ``time.monotonic()`` that has come."""
        assert self._process.poll() is None, "the bystander has ended"
        due = (time.monotonic() - began_s) * FPS
        return sum(arrival >= began_s for arrival in self._arrivals_s) / due

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.fuzz.bystander", *self._arguments],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._reader.start()
        assert self._streams.wait(STARTS_WITHIN_S), "the bystander gets no result"
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(60)
        self._reader.join()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._arrivals_s.append(float(line))
            self._streams.set()


async def stream(url: str, token: str | None = None) -> None:
    """Stream, and print when each result came, by ``time.monotonic()``, one for all processes."""

    def tell(_result: dict[str, object]) -> None:
        print(time.monotonic(), flush=True)

    async with ClientPeer(
        url, token=token, history=0, analyzers=["counter"], on_result=tell
    ) as peer:
        await peer.connect(ColourTrack(fps=FPS))
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(stream(*sys.argv[1:]))
