"""The pool with real processes: killed, stopped, hung, refused."""

import asyncio
import itertools
import os
import signal
import time

import psutil
import pytest

from server.workers import pool as module
from server.workers.messages import ChangeOptions, End, Final, Ready, Start
from server.workers.pool import ANSWER_WITHIN_S, LAGS_AFTER_S, WorkerHandle
from tests.server.workers.pooled import WITHIN_S, Recorded, until_ready
from tests.support.server import COUNTER, FAULTY

BUSY = "tests.support.models:Busy"


async def test_sessions_go_to_the_worker_with_the_fewest(make_pool):
    pool = make_pool(2, COUNTER)
    await until_ready(pool)
    workers = [pool.assign(Recorded(str(n))) for n in range(4)]
    assert [worker.index for worker in workers] == [0, 1, 0, 1]
    pool.release(workers[0], "0")
    pool.release(workers[2], "2")
    assert pool.assign(Recorded("5")).index == 0
    # One whose peer is gone for now weighs next to nothing.
    for session in workers[1].sessions.values():
        session.streaming = False
    assert pool.assign(Recorded("6")).index == 1


async def test_workers_run_below_the_server_and_end_with_it(make_pool):
    pool = make_pool(1, COUNTER)
    await until_ready(pool)
    pid = pool.workers[0].pid
    assert os.getpriority(os.PRIO_PROCESS, pid) > os.getpriority(os.PRIO_PROCESS, 0)
    process = psutil.Process(pid)
    await pool.stop()
    _, alive = await asyncio.to_thread(psutil.wait_procs, [process], WITHIN_S)
    assert not alive


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV, signal.SIGSTOP])
async def test_a_worker_that_dies_or_stops_is_replaced(make_pool, number):
    pool = make_pool(1, COUNTER)
    await until_ready(pool)
    session = Recorded("a")
    worker = pool.assign(session)
    before = worker.pid
    os.kill(before, number)
    phase, reason, left_out = await asyncio.wait_for(session.restarts.get(), WITHIN_S)
    says = "did not answer" if number == signal.SIGSTOP else f"signal {number}"
    assert says in reason
    assert left_out == ()
    assert phase == ("crash" if number == signal.SIGSEGV else "")
    await session.next(Ready)
    assert worker.pid != before
    worker.send(Start("a", ("counter",), {}, 0.0))
    worker.send(End("a", 0.0))
    final = await session.next(Final)
    assert final.fragments == {"total": b"0"}
    assert worker.restarts == 1


async def test_workers_are_not_blamed_when_the_server_itself_stood_still(make_pool, monkeypatch):
    monkeypatch.setattr(module, "ANSWER_WITHIN_S", 3.0)
    pool = make_pool(1, COUNTER)
    await until_ready(pool)
    session = Recorded("a")
    worker = pool.assign(session)
    pid = worker.pid
    time.sleep(6.0)  # noqa: ASYNC251 - the event loop, as under SIGSTOP.
    went_on_s = time.monotonic()
    async with asyncio.timeout(WITHIN_S):
        while worker.heard_s < went_on_s + 4 * module.WATCH_EVERY_S:
            await asyncio.sleep(0.02)
    assert worker.pid == pid
    assert session.restarts.empty()


async def test_a_lane_that_blocks_for_ever_is_left_out_the_second_time(make_pool):
    """The other session of the same worker is told of restarts and loses no analyzer."""
    pool = make_pool(1, COUNTER, FAULTY)
    await until_ready(pool)
    blocked, other = Recorded("blocked"), Recorded("other")
    worker = pool.assign(blocked)
    assert pool.assign(other) is worker
    for left_out in ((), ("faulty",)):
        began = time.monotonic()
        worker.send(Start("blocked", ("counter", "faulty"), {"faulty": {"start": "block"}}, 0.0))
        phase, reason, said = await asyncio.wait_for(blocked.restarts.get(), WITHIN_S)
        assert time.monotonic() - began > ANSWER_WITHIN_S
        assert "faulty" in reason
        assert (phase, said) == ("hang", left_out)
        assert (await asyncio.wait_for(other.restarts.get(), WITHIN_S))[2] == ()
        await blocked.next(Ready)


async def test_a_lane_that_crashes_its_process_is_left_out_and_no_busy_neighbour(make_pool):
    """After the first crash two may have been it; then they run one at a time, and it shows."""
    pool = make_pool(1, BUSY, FAULTY)
    await until_ready(pool)
    crashing, busy = Recorded("crashing"), Recorded("busy")
    worker = pool.assign(crashing)
    assert pool.assign(busy) is worker
    for left_out in ((), ("faulty",)):
        worker.send(Start("busy", ("busy",), {}, 0.0))
        worker.send(ChangeOptions("busy", {"busy": {}}))
        worker.send(Start("crashing", ("faulty",), {"faulty": {"start": "exit soon"}}, 0.0))
        phase, reason, said = await asyncio.wait_for(crashing.restarts.get(), WITHIN_S)
        assert (phase, said) == ("crash", left_out)
        assert "status 3" in reason
        assert (await asyncio.wait_for(busy.restarts.get(), WITHIN_S))[2] == ()
        await crashing.next(Ready)


async def test_a_worker_that_takes_too_much_memory_is_replaced_without_what_took_it(make_pool):
    pool = make_pool(1, COUNTER, FAULTY, memory_bytes=400_000_000)
    await until_ready(pool)
    leaking = Recorded("leaking")
    worker = pool.assign(leaking)
    for left_out in ((), ("faulty",)):
        worker.send(Start("leaking", ("faulty",), {"faulty": {"start": "leak"}}, 0.0))
        phase, reason, said = await asyncio.wait_for(leaking.restarts.get(), WITHIN_S)
        assert (phase, said) == ("memory", left_out)
        assert "400 MB" in reason
        await leaking.next(Ready)


async def test_an_analyzer_that_can_not_be_loaded_is_reported(make_pool):
    pool = make_pool(1, "tests.support.models:Nothing")
    text = await asyncio.wait_for(pool.refused, WITHIN_S)
    assert "Nothing" in text


async def test_an_analyzer_that_lacks_something_leaves_the_others_running(
    make_pool, tmp_path, monkeypatch
):
    (tmp_path / "lacking.py").write_text(
        "from analyzers.base_model import AnalyzerUnavailable, BaseModel\n"
        "class Lacking(BaseModel):\n"
        "    def __init__(self):\n"
        "        raise AnalyzerUnavailable('needs a part: pip install part')\n"
        "    def frame(self, sid, frame, timestamp):\n"
        "        return None\n"
        "class Dependent(BaseModel):\n"
        "    requires = ('lacking',)\n"
        "    def frame(self, sid, frame, timestamp):\n"
        "        return None\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    pool = make_pool(1, COUNTER, "lacking:Lacking", "lacking:Dependent")
    await until_ready(pool)
    assert pool.unavailable["lacking"] == "needs a part: pip install part"
    assert "lacking" in pool.unavailable["dependent"]
    assert pool.names == {"counter": "counter"}


async def test_a_worker_that_dies_while_loading_is_started_with_growing_pauses(
    make_pool, tmp_path, monkeypatch
):
    starts = tmp_path / "starts"
    (tmp_path / "deadly.py").write_text(
        f"import os, time\nopen({str(starts)!r}, 'a').write(f'{{time.time()}}\\n')\nos._exit(7)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    pool = make_pool(1, "deadly:Deadly")
    async with asyncio.timeout(WITHIN_S):
        while pool.workers[0].restarts < 3:
            await asyncio.sleep(0.05)
    times = [float(line) for line in starts.read_text().split()]
    pauses = [b - a for a, b in itertools.pairwise(times)]
    assert pauses[0] >= 0.5
    assert pauses[1] >= 1.0
    assert not pool.ready


async def test_a_session_that_fails_costs_neither_the_worker_nor_the_others(make_pool):
    class Failing(Recorded):
        def on_worker_message(self, message):
            raise ValueError("a fault of ours")

        def worker_restarted(self, fault, left_out):
            raise ValueError("another")

    pool = make_pool(1, COUNTER)
    await until_ready(pool)
    failing, other = Failing("failing"), Recorded("other")
    worker = pool.assign(failing)
    pool.assign(other)
    for sid in ("failing", "other"):
        worker.send(Start(sid, ("counter",), {}, 0.0))
        worker.send(End(sid, 0.0))
    assert (await other.next(Final)).sid == "other"
    os.kill(worker.pid, signal.SIGKILL)
    await asyncio.wait_for(other.restarts.get(), WITHIN_S)
    await other.next(Ready)
    assert worker.restarts == 1


async def test_a_model_that_breaks_later_does_not_stop_the_server(make_pool, tmp_path, monkeypatch):
    model = tmp_path / "edited.py"
    source = (
        "from analyzers.base_model import BaseModel\n"
        "class Edited(BaseModel):\n"
        "    def frame(self, sid, frame, timestamp):\n"
        "        return None\n"
    )
    model.write_text(source)
    monkeypatch.syspath_prepend(tmp_path)
    pool = make_pool(1, "edited:Edited")
    await until_ready(pool)
    model.write_text("this is no Python\n")
    worker = pool.workers[0]
    os.kill(worker.pid, signal.SIGKILL)
    async with asyncio.timeout(WITHIN_S):
        while worker.restarts < 2:
            await asyncio.sleep(0.05)
    assert not pool.refused.done()
    model.write_text(source)
    await until_ready(pool)


class Buffer:
    """A connection's writer, of which so much is not taken yet."""

    def __init__(self):
        self.waiting = 0
        self.transport = self

    def get_write_buffer_size(self):
        return self.waiting

    def is_closing(self):
        return False

    def write(self, data):
        self.waiting += len(data)


def test_a_worker_lags_that_does_not_take_what_it_was_sent():
    worker, now_s = WorkerHandle(0), 100.0
    assert not worker.lags(now_s)
    worker.writer = Buffer()
    worker.send("something")
    assert not worker.lags(now_s)
    worker.send("more")
    assert not worker.lags(now_s + LAGS_AFTER_S / 2)
    assert worker.lags(now_s + LAGS_AFTER_S * 1.1)
    worker.writer.waiting = 0
    assert not worker.lags(now_s + 9)


def test_a_worker_that_takes_all_and_is_always_sent_more_does_not_lag():
    worker, now_s = WorkerHandle(0), 100.0
    worker.writer = Buffer()
    for _ in range(20):
        # What there was is taken, and another piece waits whenever somebody looks.
        worker.writer.waiting = 0
        worker.send("a large picture")
        assert not worker.lags(now_s)
        now_s += LAGS_AFTER_S / 2
