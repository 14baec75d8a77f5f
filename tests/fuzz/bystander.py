"""A session that goes on while others are attacked: its results, counted in a thread of its own."""

import asyncio
import threading
import time
from types import TracebackType
from typing import Any, Self

from client_test.peer import ClientPeer
from tests.support.tracks import ColourTrack

FPS = 10.0
STARTS_WITHIN_S = 60.0


class Bystander:
    """Streams ten frames a second until the end.

    Parameters
    ----------
    url
        The server's.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._arrivals_s: list[float] = []
        self._streams = threading.Event()
        self._over = asyncio.Event()
        self._loop = asyncio.new_event_loop()
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="bystander", daemon=True)

    def share_since(self, began_s: float) -> float:
        """The share of the results due since a time of ``time.monotonic()`` that has come."""
        if self._error is not None:
            raise self._error
        due = (time.monotonic() - began_s) * FPS
        return sum(arrival >= began_s for arrival in self._arrivals_s) / due

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._streams.wait(STARTS_WITHIN_S), f"no result: {self._error}"
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join()

    def _run(self) -> None:
        try:
            self._loop.run_until_complete(self._stream())
        except BaseException as error:
            self._error = error

    async def _stream(self) -> None:
        async with ClientPeer(
            self._url, history=0, analyzers=["counter"], on_result=self._count
        ) as peer:
            await peer.connect(ColourTrack(fps=FPS))
            await self._over.wait()

    def _count(self, _result: dict[str, Any]) -> None:
        self._arrivals_s.append(time.monotonic())
        self._streams.set()
