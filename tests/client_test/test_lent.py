"""A track that is lent to one connection after the other."""

import asyncio

import pytest
from aiortc import MediaStreamTrack
from aiortc.mediastreams import MediaStreamError

from client_test.sources import Lent


class Numbers(MediaStreamTrack):
    kind = "video"

    def __init__(self, most):
        super().__init__()
        self.given, self.most = 0, most

    async def recv(self):
        if self.given == self.most:
            raise MediaStreamError
        self.given += 1
        return self.given


async def test_the_one_that_begins_last_has_all_that_follows():
    track, ended = Numbers(4), []
    first, second = Lent(track, lambda: ended.append(1)), Lent(track, lambda: ended.append(2))
    assert [await first.recv(), await first.recv()] == [1, 2]
    assert await second.recv() == 3
    waiting = asyncio.create_task(first.recv())
    assert await second.recv() == 4
    with pytest.raises(MediaStreamError):
        await second.recv()
    assert not waiting.done()
    assert ended == [2]
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
