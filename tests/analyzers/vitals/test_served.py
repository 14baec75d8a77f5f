"""Over a real server: a clip with a pulse, through a real encoder and a real connection.

How soon there is a number depends on the machine, and on one that is very busy there is none; that
it is right, and that a photograph gets none, does not.
"""

import asyncio
import contextlib
from collections import Counter

import pytest

from analyzers.networks.errors import FetchError
from bench.parts.faces import actor, portrait
from bench.parts.vitals_codec import write
from bench.parts.vitals_scene import Scene, frames
from client_test.client import Client
from client_test.clip import ClipTrack
from tests.support.server import running_server

FPS = 20
BPM, BREATHS = 96.0, 18.0
# Long enough for a machine that does much else; it plays over and over meanwhile.
WITHIN_S = 120.0
# Of the twenty.
ENOUGH_FPS = 17.0
KEYS = ("vitals", "vitals_summary")
# What is said when it has looked at a whole window and seen no pulse.
LOOKED = {"no_pulse", "too_compressed", "light_flickers"}

# To draw and to encode takes a while where others work, too.
pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(400)]


def written(path, person, scene):
    """A clip in which an encoder has left the pulse."""
    write(frames(person, scene), path, FPS)
    return path


@pytest.fixture(scope="module")
def person():
    try:
        return actor(portrait())
    except FetchError as error:
        pytest.skip(f"there is no portrait: {error}")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("server")
    with running_server(folder, "--analyzers", "pose,vitals", "--workers", "1") as running:
        yield running


async def seen(url, clip, until):
    """All that was said of vitals, to the first that will do, and the final result."""
    said = []
    source = ClipTrack(clip, loop=True)
    async with Client(url, source, keys=KEYS, codec="VP8") as client:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(WITHIN_S):
                async for result in client:
                    if "vitals" in result:
                        said.append(result["vitals"])
                        if until(said[-1]):
                            break
        final = await client.end()
    if not until(said[-1]):
        skip_if_starved(result)
        reasons = Counter(one["reason"] and one["reason"]["code"] for one in said)
        raise AssertionError(f"it said {reasons} in {WITHIN_S} s, and {result}")
    return said, final


def skip_if_starved(result):
    """Where others take the machine, frames do not come, or are left out, and there is no rate."""
    frame = result["frame"]
    rate = frame["number"] / (frame["pts"] / 1000.0)
    left_out = result["timing"]["every_frame"]["vitals"]["dropped"]
    if rate < ENOUGH_FPS or left_out > 0:
        pytest.skip(f"the machine is busy: {rate:.0f} frames a second, {left_out} left out")


async def test_a_pulse_is_told_over_a_connection(server, person, tmp_path):
    scene = Scene(bpm=BPM, breaths=BREATHS, strength=0.02, seconds=15.0, fps=FPS, seed=6)
    clip = written(tmp_path / "pulse.mp4", person, scene)
    said, final = await seen(server.url, clip, lambda one: one["heart_rate_bpm"] is not None)
    assert abs(said[-1]["heart_rate_bpm"] - BPM) < 5.0
    assert said[-1]["confidence"] >= 0.7
    assert said[-1]["reason"] is None
    assert all(one["reason"]["text"] for one in said[:-1])
    assert abs(final["vitals_summary"]["heart_rate_bpm"] - BPM) < 5.0


async def test_a_photograph_is_given_no_number_and_a_reason(server, person, tmp_path):
    # From fourteen seconds on it is said that there is none to be seen.
    scene = Scene(strength=0.0, seconds=18.0, fps=FPS, seed=7)
    clip = written(tmp_path / "photograph.mp4", person, scene)
    looked = lambda one: one["reason"] is None or one["reason"]["code"] in LOOKED  # noqa: E731
    said, final = await seen(server.url, clip, looked)
    assert {one["heart_rate_bpm"] for one in said} == {None}
    assert said[-1]["reason"]["code"] in LOOKED
    assert final["vitals_summary"]["heart_rate_bpm"] is None
