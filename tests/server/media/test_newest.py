"""The newest replaces the one that waits: on the event loop, and from a thread to it."""

import asyncio
import threading

import pytest

from server.media.newest import NewestOnLoop, NewestWork

WITHIN_S = 60.0


class Work:
    """Begins each thing at once and ends it when it is let."""

    def __init__(self):
        self.begun = []
        self.ended = []
        self.gates = asyncio.Queue()
        self.came = asyncio.Queue()

    async def __call__(self, item):
        self.begun.append(item)
        self.came.put_nowait(item)
        fault = await self.gates.get()
        if fault is not None:
            raise fault
        self.ended.append(item)

    async def next(self):
        async with asyncio.timeout(WITHIN_S):
            return await self.came.get()


async def done(newest):
    async with asyncio.timeout(WITHIN_S):
        await newest._task


async def test_one_at_a_time_and_only_the_newest_waits():
    work = Work()
    newest = NewestWork(work, "work")
    newest.put(1)
    assert await work.next() == 1
    for item in (2, 3, 4):
        newest.put(item)
    await asyncio.sleep(0)
    assert work.begun == [1], "nothing else is begun before this is done"
    work.gates.put_nowait(None)
    assert await work.next() == 4
    work.gates.put_nowait(None)
    await done(newest)
    assert work.ended == [1, 4]


async def test_it_goes_on_after_a_rest():
    work = Work()
    newest = NewestWork(work, "work")
    for item in range(3):
        newest.put(item)
        assert await work.next() == item
        work.gates.put_nowait(None)
        await done(newest)
    assert work.ended == [0, 1, 2]


async def test_what_comes_before_it_has_begun_is_replaced():
    work = Work()
    newest = NewestWork(work, "work")
    newest.put(1)
    newest.put(2)
    assert await work.next() == 2
    newest.close()


async def test_a_fault_ends_one_thing_only(caplog):
    work = Work()
    newest = NewestWork(work, "encode it")
    newest.put(1)
    await work.next()
    newest.put(2)
    work.gates.put_nowait(ValueError("too large"))
    assert await work.next() == 2, "the one that waited has its turn"
    work.gates.put_nowait(None)
    await done(newest)
    assert work.ended == [2]
    (record,) = caplog.records
    assert record.getMessage() == "It failed to encode it"
    assert str(record.exc_info[1]) == "too large"


async def test_closed_it_works_on_nothing():
    work = Work()
    newest = NewestWork(work, "work")
    newest.put(1)
    await work.next()
    newest.put(2)
    newest.close()
    with pytest.raises(asyncio.CancelledError):
        await done(newest)
    newest.put(3)
    await asyncio.sleep(0)
    assert (work.begun, work.ended) == ([1], [])


async def test_closed_before_anything_came():
    work = Work()
    newest = NewestWork(work, "work")
    newest.close()
    newest.put(1)
    await asyncio.sleep(0)
    assert work.begun == []


def from_thread(puts):
    """Put all from one thread, and wait for its end without turning the event loop."""
    thread = threading.Thread(target=puts)
    thread.start()
    thread.join(WITHIN_S)
    assert not thread.is_alive()


async def turns():
    """Let the event loop do all that it was told until now."""
    told = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_soon(told.set_result, None)
    await told


async def test_a_loop_that_is_behind_gets_the_newest_only():
    loop = asyncio.get_running_loop()
    taken, faults = [], []
    loop.set_exception_handler(lambda loop, context: faults.append(context))
    newest = NewestOnLoop(loop.call_soon_threadsafe, taken.append)
    from_thread(lambda: [newest.put(item) for item in range(100)])
    assert taken == []
    await turns()
    assert taken == [99]
    from_thread(lambda: newest.put(100))
    await turns()
    assert taken == [99, 100]
    assert not faults, "those that were replaced are announced, and nothing is done"


async def test_they_are_taken_on_the_loop_s_thread():
    taken = asyncio.Queue()
    newest = NewestOnLoop(
        asyncio.get_running_loop().call_soon_threadsafe,
        lambda item: taken.put_nowait((item, threading.current_thread())),
    )
    from_thread(lambda: newest.put(1))
    async with asyncio.timeout(WITHIN_S):
        assert await taken.get() == (1, threading.current_thread())


async def test_the_last_one_always_arrives_and_order_is_kept():
    """Whatever the two threads do at the same moment."""
    loop = asyncio.get_running_loop()
    taken = []
    last = asyncio.Event()

    def take(item):
        taken.append(item)
        if item == 4999:
            last.set()

    newest = NewestOnLoop(loop.call_soon_threadsafe, take)
    thread = threading.Thread(target=lambda: [newest.put(item) for item in range(5000)])
    thread.start()
    async with asyncio.timeout(WITHIN_S):
        await last.wait()
    thread.join(WITHIN_S)
    assert taken == sorted(set(taken))


async def test_what_the_loop_refuses_the_thread_is_told():
    def closed(call):
        raise RuntimeError("Event loop is closed")

    with pytest.raises(RuntimeError):
        NewestOnLoop(closed, print).put(1)
