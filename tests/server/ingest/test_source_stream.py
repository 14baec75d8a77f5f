"""A file that a real worker decodes: each answer is of its frame, the last before the end."""

import asyncio

import orjson
import pytest

from analyzers.registry import find
from server.ingest.source_stream import SourceStream
from server.recordings.session_recorder import record_to
from server.sessions.manager import Limits, SessionManager
from server.sessions.metrics import Metrics
from server.sources.allowed import AllowList
from server.sources.named import File
from server.workers.pool import WorkerPool
from tests.server.recordings.movies import play
from tests.server.sources.test_frames import movie

WITHIN_S = 60.0
# On a machine that does something else meanwhile.
ATTEMPTS = 5
PLENTY = 1 << 24
NUMBERS = "tests.support.models:BarCode"


class Client:
    """Writes down what it is told."""

    def __init__(self):
        self.answers = []
        self.history = []
        self.over = asyncio.Event()

    def opened(self):
        self.history.append("opened")

    def answered(self, result, number):
        assert "ended" not in self.history
        self.answers.append((number, orjson.loads(result.fragments["number"])))

    def lost(self, message, retry_in_s):
        self.history.append(("lost", message))

    def told(self, message):
        self.history.append(message)

    def ended(self, message):
        self.history.append("ended" if message is None else message)
        self.over.set()


@pytest.fixture
async def pool():
    pool = WorkerPool(1, find([NUMBERS]))
    pool.start()
    async with asyncio.timeout(WITHIN_S):
        await pool.became_ready.wait()
    yield pool
    await pool.stop()


class Watched:
    """A source in a session of its own, to its end."""

    def __init__(self, pool, clip, *, recordings=None, fps_limit=30.0):
        recorder = record_to(recordings) if recordings is not None else None
        self.client = Client()
        self.manager = SessionManager(
            pool, [NUMBERS_NAME], Limits(2, 0), (), Metrics(), recorder=recorder
        )
        self.stream = SourceStream(
            *(self.manager, File(str(clip)), self.client, AllowList([str(clip)])),
            *((NUMBERS_NAME,), {}),
            fps_limit=fps_limit,
            max_pixels=PLENTY,
            max_encoded_pixels=PLENTY,
        )

    async def until_its_end(self):
        self.stream.start()
        async with asyncio.timeout(WITHIN_S):
            await self.client.over.wait()
        await self.stream.close("it has ended")
        await self.manager.drain("the test is over")


(NUMBERS_NAME,) = (spec.name for spec in find([NUMBERS]))


@pytest.mark.parametrize(
    ("name", "codec"), [("clip.mp4", "h264"), ("clip.webm", "vp8"), ("clip.avi", "mjpeg")]
)
async def test_each_answer_is_of_its_frame_and_the_last_comes_before_the_end(
    pool, tmp_path, name, codec
):
    clip = movie(tmp_path / name, codec, 50)
    for _ in range(ATTEMPTS):
        watched = Watched(pool, clip)
        await watched.until_its_end()
        assert watched.client.history == ["opened", "ended"]
        answers = watched.client.answers
        assert [number - 1 for number, _ in answers] == [code for _, code in answers]
        # A starved worker leaves the last ones out, too, as they come too late.
        if answers[-1] == (50, 49):
            break
    assert answers[-1] == (50, 49)
    numbers = [number for number, _ in answers]
    assert numbers == sorted(set(numbers))
    if codec != "mjpeg":
        # Of what is decoded here, those that were replaced never came so far.
        assert watched.stream.session.dropped == 50 - len(numbers)


async def test_a_rate_thins_what_is_analyzed_and_not_what_is_decoded(pool, tmp_path):
    clip = movie(tmp_path / "clip.mp4", "h264", 75)
    for _ in range(ATTEMPTS):
        watched = Watched(pool, clip, fps_limit=5.0)
        await watched.until_its_end()
        answers = watched.client.answers
        assert [number - 1 for number, _ in answers] == [code for _, code in answers]
        assert len(answers) <= 16, "of three seconds"
        assert watched.client.history == ["opened", "ended"]
        # A worker that gets no time has frames left out, as they came too late.
        if len(answers) >= 10:
            return
    raise AssertionError(f"of fifteen frames only {len(answers)} were looked at")


async def test_a_source_is_recorded_as_it_is(pool, tmp_path):
    clip = movie(tmp_path / "clip.mp4", "h264", 40)
    watched = Watched(pool, clip, recordings=tmp_path / "kept")
    await watched.until_its_end()

    session = tmp_path / "kept" / watched.stream.session.sid
    kept = play(session / "video.mp4")
    assert kept.numbers == list(range(40))
    assert kept.times_ms == pytest.approx([40.0 * n for n in range(40)], abs=0.1)


async def test_the_end_does_not_wait_for_an_answer_that_never_comes(pool, tmp_path, monkeypatch):
    monkeypatch.setattr("server.ingest.source_stream.LAST_ANSWER_WITHIN_S", 0.2)
    watched = Watched(pool, movie(tmp_path / "clip.mp4", "h264", 10))
    watched.stream.session.intake.refuse_video()
    watched.stream._last.note(1, 0, True)
    await watched.until_its_end()

    assert watched.client.history == ["opened", "ended"]
    assert watched.client.answers == []
