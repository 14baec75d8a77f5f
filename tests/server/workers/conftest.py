"""A dispatcher that a test steps, and pools with real processes."""

import pytest

from analyzers.registry import find
from server.workers.pool import WorkerPool
from tests.server.workers.seeing_all import fresh
from tests.server.workers.stepped import Worker


@pytest.fixture
def make_worker():
    made = []

    def make(*analyzers):
        made.append(Worker(*analyzers))
        return made[-1]

    yield make
    for worker in made:
        worker.close()


@pytest.fixture
async def make_pool():
    pools = []

    def make(size: int, *names: str, memory_bytes: int = 0) -> WorkerPool:
        pool = WorkerPool(size, find(names), memory_bytes=memory_bytes)
        pool.start()
        pools.append(pool)
        return pool

    yield make
    for pool in pools:
        await pool.stop()


@pytest.fixture
def make_fresh_worker(make_worker):
    def make(*analyzers):
        worker = make_worker(*analyzers)
        worker.now = fresh()
        return worker

    return make
