"""The process that workers are forked from: what forks share, and what is done without it."""

import asyncio
import os
import resource
import signal

import psutil
import pytest

from analyzers.registry import find
from server.workers.messages import ChangeOptions, End, Final, Ready, Start
from server.workers.pool import WorkerPool
from server.workers.process import FORKS_WITHIN_S
from server.workers.template import NAME
from tests.server.workers.pooled import WITHIN_S, Recorded, until_ready
from tests.support.server import COUNTER, FAULTY


def template_of(worker):
    return psutil.Process(worker.pid).parent()


async def serves(worker, session):
    """Have a session begin and end in a worker."""
    worker.send(Start(session.sid, ("counter",), {}, 0.0))
    worker.send(ChangeOptions(session.sid, {}))
    worker.send(End(session.sid, 1.0))
    await session.next(Final)


def sockets(pid):
    links = [os.readlink(f"/proc/{pid}/fd/{each}") for each in os.listdir(f"/proc/{pid}/fd")]
    return [link for link in links if link.startswith("socket:")]


async def test_workers_are_forked_from_one_process_and_told_by_their_name(make_pool):
    pool = make_pool(2, COUNTER)
    await until_ready(pool)
    first, second = pool.workers
    assert template_of(first) == template_of(second)
    assert [psutil.Process(worker.pid).name() for worker in pool.workers] == [NAME, NAME]
    await serves(first, pool_session(pool, first))


def pool_session(pool, worker):
    session = Recorded(f"in {worker.index}")
    worker.sessions[session.sid] = session
    return session


async def test_a_worker_holds_no_connection_but_its_own(make_pool):
    pool = make_pool(3, COUNTER)
    await until_ready(pool)
    held = [sockets(worker.pid) for worker in pool.workers]
    assert [len(each) for each in held] == [1, 1, 1]
    assert len({each for (each,) in held}) == 3
    # The template's is the one to the pool.
    assert len(sockets(template_of(pool.workers[0]).pid)) == 1


@pytest.mark.parametrize("names", [("pose", "exercise", "reid"), (COUNTER,)])
async def test_no_thread_runs_in_what_is_forked(make_pool, names):
    """Of a thread a fork has only the locks that it held."""
    pool = make_pool(1, *names)
    await until_ready(pool)
    assert template_of(pool.workers[0]).num_threads() == 1


async def test_without_its_template_a_worker_goes_on_and_is_replaced(make_pool):
    pool = make_pool(2, COUNTER)
    await until_ready(pool)
    goes_on, dies = pool.workers
    pids = [worker.pid for worker in pool.workers]
    template = template_of(goes_on)
    template.kill()
    await asyncio.to_thread(psutil.wait_procs, [template], WITHIN_S)
    await serves(goes_on, pool_session(pool, goes_on))
    session = pool_session(pool, dies)
    os.kill(dies.pid, signal.SIGKILL)
    async with asyncio.timeout(WITHIN_S):
        phase, reason, _ = await session.restarts.get()
    assert (phase, reason) == ("", "died (signal 9)")
    await session.next(Ready)
    await serves(dies, session)
    assert goes_on.pid == pids[0]
    assert dies.pid != pids[1]
    assert template_of(dies) != template


async def test_a_template_that_does_not_answer_is_replaced(make_pool):
    pool = make_pool(2, COUNTER)
    await until_ready(pool)
    goes_on, dies = pool.workers
    template, pid = template_of(goes_on), goes_on.pid
    session = pool_session(pool, dies)
    template.suspend()
    os.kill(dies.pid, signal.SIGKILL)
    async with asyncio.timeout(WITHIN_S + FORKS_WITHIN_S):
        await session.next(Ready)
    assert not template.is_running()
    assert goes_on.pid == pid
    await serves(goes_on, pool_session(pool, goes_on))


@pytest.fixture
def many_descriptors():
    """Whatever is opened has a number above 1024, as on a server with a thousand connections."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(before[0], 2048), before[1]))
    with open(os.devnull) as file:
        held = [os.dup(file.fileno()) for _ in range(1100)]
    yield
    for each in held:
        os.close(each)
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


async def test_a_worker_of_a_server_with_a_thousand_connections_is_replaced(
    make_pool, many_descriptors
):
    pool = make_pool(1, COUNTER)
    await until_ready(pool)
    (worker,) = pool.workers
    session = pool_session(pool, worker)
    # Nobody tells of its end, so that it is looked for by its descriptor.
    template_of(worker).suspend()
    os.kill(worker.pid, signal.SIGKILL)
    async with asyncio.timeout(WITHIN_S):
        assert (await session.restarts.get())[1] == "died (signal 9)"
    await session.next(Ready)
    await serves(worker, session)
    await pool.stop()


async def test_nothing_is_left_when_the_pool_has_stopped():
    pool = WorkerPool(2, find([COUNTER]))
    pool.start()
    await until_ready(pool)
    processes = [psutil.Process(worker.pid) for worker in pool.workers]
    processes.append(template_of(pool.workers[0]))
    await pool.stop()
    _, alive = await asyncio.to_thread(psutil.wait_procs, processes, WITHIN_S)
    assert not alive


async def test_whoever_asks_while_the_template_begins_waits_for_its_imports(make_pool, monkeypatch):
    monkeypatch.setattr("server.workers.process.FORKS_WITHIN_S", 0.05)
    pool = make_pool(3, COUNTER)
    await until_ready(pool)
    assert len({template_of(worker) for worker in pool.workers}) == 1
    assert [worker.restarts for worker in pool.workers] == [0, 0, 0]


async def test_a_pool_that_stops_while_the_template_begins_leaves_nothing():
    before = set(psutil.Process().children(recursive=True))
    pool = WorkerPool(2, find([FAULTY]))
    pool.start()
    async with asyncio.timeout(WITHIN_S):
        while not set(psutil.Process().children(recursive=True)) - before:
            await asyncio.sleep(0.001)
    started = set(psutil.Process().children(recursive=True)) - before
    await pool.stop()
    _, alive = await asyncio.to_thread(psutil.wait_procs, list(started), WITHIN_S)
    assert not alive


async def test_workers_draw_other_random_numbers(make_pool):
    pool = make_pool(2, "tests.support.models:Dice")
    await until_ready(pool)
    rolled = []
    for worker in pool.workers:
        session = pool_session(pool, worker)
        worker.send(Start(session.sid, ("dice",), {}, 0.0))
        worker.send(End(session.sid, 1.0))
        rolled.append((await session.next(Final)).fragments)
    assert rolled[0] != rolled[1]
