"""Pools with real processes, and sessions that write down what they are told."""

import asyncio

from server.workers.pool import WorkerPool

WITHIN_S = 60.0


class Recorded:
    """A session that writes down what it is told, and begins whenever its worker is ready."""

    def __init__(self, sid: str) -> None:
        self.sid, self.client = sid, "somebody"
        self.streaming = True
        self.messages: asyncio.Queue = asyncio.Queue()
        self.restarts: asyncio.Queue = asyncio.Queue()

    def on_worker_message(self, message: object) -> None:
        self.messages.put_nowait(message)

    def worker_restarted(self, fault, left_out) -> None:
        self.restarts.put_nowait((fault.phase, fault.reason, tuple(left_out)))

    async def next(self, kind: type) -> object:
        async with asyncio.timeout(WITHIN_S):
            while not isinstance(message := await self.messages.get(), kind):
                pass
        return message


async def until_ready(pool: WorkerPool) -> None:
    async with asyncio.timeout(WITHIN_S):
        await pool.became_ready.wait()
        while not all(worker.ready for worker in pool.workers):
            await asyncio.sleep(0.02)
