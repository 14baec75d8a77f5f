"""Single pictures into a session of their own: each result finds its picture, nothing piles up."""

import asyncio
import gc
import weakref

import orjson
import pytest

from analyzers.registry import find
from server.ingest.picture_stream import PictureStream, look_once
from server.media.picture import BadPicture, EncodedPicture
from server.sessions.manager import Limits, SessionManager
from server.sessions.metrics import Metrics
from server.workers.pool import WorkerPool
from signaling.errors import BadMessage, Busy
from tests.support import pictures
from tests.support.server import COUNTER

WITHIN_S = 60.0


class Client:
    """Writes down what it is told."""

    def __init__(self):
        self.told_of = asyncio.Queue()

    def answered(self, result, context):
        self.told_of.put_nowait(("answered", result, context))

    def unreadable(self, message, context):
        self.told_of.put_nowait(("unreadable", message, context))

    def told(self, message):
        self.told_of.put_nowait(("told", message, None))

    def ended(self, result):
        self.told_of.put_nowait(("ended", result, None))

    async def next(self):
        async with asyncio.timeout(WITHIN_S):
            return await self.told_of.get()


class Context:
    """What comes along with a picture; can be watched going away."""

    def __init__(self, name):
        self.name = name


@pytest.fixture
async def sessions():
    pool = WorkerPool(1, find([COUNTER]))
    pool.start()
    manager = SessionManager(pool, [COUNTER_NAME], Limits(2, 0), (), Metrics())
    async with asyncio.timeout(WITHIN_S):
        await pool.became_ready.wait()
    yield manager
    await manager.drain("the test is over")
    await pool.stop()


(COUNTER_NAME,) = (spec.name for spec in find([COUNTER]))


def picture(width=64, height=48):
    data = pictures.plain_jpeg((200, 60, 30), (width, height))
    return EncodedPicture.read(data, max_pixels=1_000_000)


def damaged():
    return EncodedPicture(pictures.jpeg_cut_inside(), 64, 48)


async def test_the_session_opens_with_the_first_picture(sessions):
    client = Client()
    stream = PictureStream(sessions, client, [COUNTER_NAME])
    assert list(sessions.known) == []
    assert stream.put(picture(), "first") == 1
    assert list(sessions.known) == [stream.session]
    kind, result, context = await client.next()
    assert (kind, context) == ("answered", "first")
    assert (result.frame.number, result.frame.width, result.frame.height) == (1, 64, 48)
    await stream.close("done")
    assert (await client.next())[0] == "ended"
    assert list(sessions.known) == []


async def test_each_result_comes_with_what_was_given_along(sessions):
    client = Client()
    stream = PictureStream(sessions, client, [COUNTER_NAME])
    for number, (sent, kind) in enumerate(
        [(picture(), "answered"), (damaged(), "unreadable"), (picture(32, 24), "answered")], 1
    ):
        assert stream.put(sent, number) == number
        got, _, context = await client.next()
        assert (got, context) == (kind, number)
    await stream.close("done")


async def test_what_came_with_skipped_pictures_is_let_go(sessions):
    client = Client()
    stream = PictureStream(sessions, client, [COUNTER_NAME])
    contexts = [Context(number) for number in range(1, 301)]
    watched = [weakref.ref(context) for context in contexts]
    while contexts:
        stream.put(picture(), contexts.pop(0))
    answered = []
    while not answered or answered[-1] != 300:
        _, result, context = await client.next()
        assert context.name == result.frame.number
        answered.append(context.name)
    del context
    assert len(answered) < 300, "some were skipped"
    gc.collect()
    assert [ref for ref in watched if ref() is not None] == []
    await stream.close("done")


async def test_a_session_that_somebody_else_ends(sessions, monkeypatch):
    monkeypatch.setattr("server.sessions.directory.ENDED_KEPT", 0)
    client = Client()
    stream = PictureStream(sessions, client, [COUNTER_NAME])
    stream.put(picture())
    await client.next()
    await sessions.end(stream.session.sid, "ended over HTTP")
    kind, result, _ = await client.next()
    assert (kind, result.final) == ("ended", True)
    assert stream.put(picture()) == 0, "it takes no more"
    # It is not even remembered any more.
    await stream.close("done")


async def test_options_set_before_the_first_picture_and_after_it(sessions):
    client = Client()
    stream = PictureStream(sessions, client, [COUNTER_NAME], {COUNTER_NAME: {"a": 1}})
    stream.configure({COUNTER_NAME: {"b": 2}})
    stream.put(picture())
    assert options_in(await client.next()) == {"a": 1, "b": 2}
    stream.configure({COUNTER_NAME: {"c": 3}})
    stream.put(picture())
    assert options_in(await client.next()) == {"a": 1, "b": 2, "c": 3}
    await stream.close("done")


def options_in(answered):
    return orjson.loads(answered[1].fragments["options"])


async def test_looking_once_leaves_nothing_behind(sessions):
    result = await look_once(sessions, picture(), [COUNTER_NAME])
    assert result.fragments["count"] == b"1"
    assert list(sessions.known) == []
    with pytest.raises(BadPicture, match="can not be decoded"):
        await look_once(sessions, damaged(), [COUNTER_NAME])
    with pytest.raises(BadMessage, match="no analyzer 'pose'"):
        await look_once(sessions, picture(), ["pose"])
    assert list(sessions.known) == []


async def test_looking_once_takes_a_place_like_any_session(sessions):
    streams = [PictureStream(sessions, Client(), [COUNTER_NAME]) for _ in range(2)]
    for stream in streams:
        stream.put(picture())
    with pytest.raises(Busy, match="sessions of this server are taken"):
        await look_once(sessions, picture(), [COUNTER_NAME])
    for stream in streams:
        await stream.close("done")


async def test_a_look_that_is_given_up_ends_its_session(sessions):
    looking = asyncio.create_task(look_once(sessions, picture(), [COUNTER_NAME]))
    while not list(sessions.known):
        await asyncio.sleep(0)
    looking.cancel()
    await asyncio.gather(looking, return_exceptions=True)
    assert list(sessions.known) == []
