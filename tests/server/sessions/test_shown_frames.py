"""What is asked of a worker that does not know of the session yet, or has been replaced."""

import asyncio

from server.sessions.shown_frames import ShownFrames
from server.workers.messages import Draw, Shoot


async def test_a_small_picture_that_nobody_made_is_asked_for_again():
    """What was said to a worker that is gone, or not there yet, is lost."""
    sent = []
    shown = ShownFrames("s", sent.append, annotated=False)
    waits = [asyncio.create_task(shown.shoot()) for _ in range(2)]
    await asyncio.sleep(0)
    assert sent == [Shoot("s")]
    # Whoever asked has given up meanwhile.
    waits.pop().cancel()
    shown.ask()
    assert sent == [Shoot("s"), Shoot("s")]
    shown.take("", b"jpeg")
    assert await asyncio.wait_for(waits.pop(), 60) == b"jpeg"
    shown.ask()
    assert len(sent) == 2


async def test_what_is_watched_is_asked_for_again():
    sent = []
    shown = ShownFrames("s", sent.append, annotated=True)
    shown.ask()
    assert sent == []
    shown.subscribe(print)
    shown.ask()
    assert sent == [Draw("s", True, True)] * 2
    shown.close()
