"""Exercises by demonstration in an offer and in `configure`: a hostile one is 400, by name."""

import json
import math

import aiohttp
import pytest

from analyzers.registry import find
from server.sessions.chosen_analyzers import ChosenAnalyzers
from server.sessions.offered_analyzers import OfferedAnalyzers
from server.workers.pool import WorkerPool
from signaling.errors import BadMessage
from tests.analyzers.exercise.demonstration.test_definition import definition
from tests.support.server import running_server
from tests.support.tracks import ColourTrack, offer_of

HOSTILE = {
    "an unknown version": (definition(version=99), "version is 99"),
    "not a number": (definition(out_s=math.nan), "out_s is nan"),
    "huge": (definition(signals=[{"name": "elbows_2d", "rest": 0, "turn": 10**9}]), "elbows_2d"),
    "deep": (definition(joints=[[[[[]]]]]), "joints must be a list of 9"),
    "another type": (definition(signals="elbows_2d"), "signals must be a list"),
}


@pytest.fixture
async def pool():
    """With a worker that has told its analyzers' own names."""
    made = WorkerPool(1, find(["pose", "exercise"]))
    made.names = {"pose": "pose", "exercise": "exercise"}
    return made


@pytest.mark.parametrize("which", sorted(HOSTILE))
async def test_a_hostile_one_is_refused_before_a_worker_hears_of_it(pool, which):
    value, says = HOSTILE[which]
    options = {"exercise": {"custom": [value]}}
    with pytest.raises(BadMessage, match=rf"'band_pull'.*{says}") as raised:
        OfferedAnalyzers(pool, ["pose", "exercise"], None).choose(None, options, None)
    assert raised.value.code == 400
    chosen = ChosenAnalyzers(pool, ("pose", "exercise"), {"exercise": {"person": 1}}, None)
    with pytest.raises(BadMessage, match=says):
        chosen.change(options)
    assert chosen.options == {"exercise": {"person": 1}}


async def test_a_good_one_goes_to_the_worker(pool):
    options = {"exercise": {"custom": [definition()], "learn": {"name": "other"}}}
    _, known = OfferedAnalyzers(pool, ["pose", "exercise"], None).choose(None, options, None)
    assert known == options


async def test_an_offer_with_a_hostile_one_is_answered_with_400(tmp_path):
    with running_server(tmp_path, "--analyzers", "pose,exercise", "--workers", "1") as server:
        sdp = await offer_of(ColourTrack())
        async with aiohttp.ClientSession() as http:
            for value, says in HOSTILE.values():
                body = {"sdp": sdp, "options": {"exercise": {"custom": [value]}}}
                text = json.dumps(body)
                async with http.post(
                    f"{server.url}/offer", data=text, headers={"Content-Type": "application/json"}
                ) as answer:
                    told = await answer.json()
                assert answer.status == 400
                # NaN is no JSON: such an offer is not read at all.
                assert "nan" in says or says in told["message"]
