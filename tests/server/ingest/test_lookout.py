"""A lookout, told what its session sees: what makes a sighting, and what it says is wrong."""

import asyncio

import orjson
import pytest

from analyzers.registry import find
from server.ingest.lookout import Lookout, Wanted
from server.sessions.manager import Limits, SessionManager
from server.sessions.metrics import Metrics
from server.sessions.results import Result, Timing
from server.sessions.values import Values
from server.workers.mailbox import FrameInfo
from server.workers.pool import WorkerPool
from signaling.errors import Busy
from tests.support.server import COUNTER

BEGAN_MS = 1_796_067_933_000
PADDING_S = 0.05


def seen(at_ms, looked_at_ms):
    """What a session tells of a frame, with somebody alike in the look that was last."""
    told = {"matches": [{"distance": 0.3}], "reid": {"looked_at_ms": looked_at_ms}}
    frame = FrameInfo(1, at_ms, BEGAN_MS + at_ms, 0.0, 640, 480)
    values = Values({key: orjson.dumps(value) for key, value in told.items()})
    return Result(frame, values, Timing(0.0, {}, {}), 0)


class Recorder:
    """Refuses the first."""

    def __init__(self):
        self.begun = 0

    async def begin(self):
        self.begun += 1
        if self.begun == 1:
            raise Busy("enough are recorded", retry_after_s=1)
        return f"recording-{self.begun}"

    async def finish(self, name):
        pass


@pytest.fixture
async def lookout():
    pool = WorkerPool(1, find([COUNTER]))
    sessions = SessionManager(pool, ["counter"], Limits(4, 1.0), (), Metrics())
    session = sessions.open_direct(None, None, None, internal=True)
    wanted = Wanted("one", "Anna", "camera", PADDING_S)
    told = []
    lookout = Lookout(wanted, session, lambda *event: told.append(event), Recorder(), lambda: None)
    lookout.told = told
    yield lookout
    await lookout.close()
    await pool.stop()


async def until(condition):
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.01)


async def test_one_look_is_one_match_however_many_frames_tell_it(lookout):
    """Frames do not wait for a look, and have what the last one saw until there is another."""
    for at_ms in (0, 200, 400, 600):
        lookout.result(seen(at_ms, looked_at_ms=0))
    assert lookout.presence.now is None
    lookout.result(seen(800, looked_at_ms=700))
    assert lookout.presence.now is not None
    assert [kind for kind, _ in lookout.told] == ["person.seen"]


async def test_a_recording_that_goes_well_is_no_problem_any_more(lookout):
    lookout.result(seen(0, 0))
    lookout.result(seen(200, 200))
    await until(lambda: lookout.problem == "not recorded: enough are recorded")
    await until(lambda: lookout.presence.now is None)
    lookout.result(seen(900, 900))
    lookout.result(seen(1100, 1100))
    await until(lambda: lookout.presence.sightings[-1].recording == "recording-2")
    assert lookout.problem is None
