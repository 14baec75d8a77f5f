"""Background tasks, and how they are ended."""

import asyncio

import pytest

from server.tasks import cancel_and_wait


async def stubborn(goes_on: asyncio.Event, ending: asyncio.Event) -> None:
    try:
        await asyncio.Event().wait()
    finally:
        ending.set()
        await goes_on.wait()


async def test_a_task_is_done_when_it_was_waited_for():
    goes_on, ending = asyncio.Event(), asyncio.Event()
    task = asyncio.create_task(stubborn(goes_on, ending))
    await asyncio.sleep(0)
    waiting = asyncio.create_task(cancel_and_wait(task))
    await ending.wait()
    assert not waiting.done()
    goes_on.set()
    await waiting
    assert task.cancelled()


async def test_who_waits_can_be_cancelled_too():
    goes_on, ending = asyncio.Event(), asyncio.Event()
    task = asyncio.create_task(stubborn(goes_on, ending))
    await asyncio.sleep(0)
    waiting = asyncio.create_task(cancel_and_wait(task))
    await ending.wait()
    waiting.cancel()
    goes_on.set()
    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_how_it_ends_is_not_told():
    async def failing() -> None:
        raise RuntimeError

    task = asyncio.create_task(failing())
    await asyncio.sleep(0)
    await cancel_and_wait(task)
    assert isinstance(task.exception(), RuntimeError)
