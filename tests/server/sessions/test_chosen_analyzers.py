"""A session's analyzers under the names they were asked for with, and under their own."""

import pytest
from cryptography.fernet import Fernet

from analyzers.registry import find
from server.security.embeddings import BadSealedEmbedding, EmbeddingCipher
from server.sessions.chosen_analyzers import MAX_OPTIONS_BYTES, ChosenAnalyzers
from server.sessions.embedding_gate import EmbeddingGate
from server.sessions.offered_analyzers import OfferedAnalyzers
from server.workers.messages import Start
from server.workers.pool import WorkerPool
from signaling.errors import TooLarge
from tests.support.server import COUNTER


@pytest.fixture
async def pool():
    """With a worker that has told its analyzers' own names."""
    made = WorkerPool(1, find([COUNTER, "reid"]))
    made.names = {"counter": "my_counter", "reid": "reid"}
    return made


def chosen(pool, gate=None):
    return ChosenAnalyzers(pool, ("counter", "reid"), {"counter": {"by": 1}}, gate)


async def test_a_worker_is_told_their_own_names(pool):
    analyzers = chosen(pool)
    expected = Start("s", ("my_counter", "reid"), {"my_counter": {"by": 1}}, 5.0)
    assert analyzers.start("s", 5.0) == expected
    assert analyzers.names == ("counter", "reid")


@pytest.mark.parametrize("name", ["counter", "my_counter"])
async def test_options_may_be_changed_by_either_name_and_are_kept(pool, name):
    analyzers = chosen(pool)
    changed, unknown = analyzers.change({name: {"from": 7}, "pose": {"num_poses": 2}})
    assert changed == {"my_counter": {"from": 7}}
    assert unknown == ["pose"]
    assert analyzers.start("s", 0.0).options == {"my_counter": {"by": 1, "from": 7}}


async def test_who_is_left_out_gets_no_more(pool):
    analyzers = chosen(pool)
    analyzers.leave_out({"my_counter"})
    assert analyzers.names == ("reid",)
    assert analyzers.start("s", 0.0).analyzers == ("reid",)
    assert analyzers.change({"counter": {"by": 2}}) == ({}, ["counter"])


async def test_an_embedding_that_was_not_sealed_here_changes_nothing(pool):
    analyzers = chosen(pool, EmbeddingGate(EmbeddingCipher([Fernet.generate_key().decode()], 0)))
    with pytest.raises(BadSealedEmbedding):
        analyzers.change({"counter": {"by": 2}, "reid": {"reference": "gAAAA-not-ours"}})
    assert analyzers.start("s", 0.0).options == {"my_counter": {"by": 1}}


async def test_options_are_kept_up_to_a_size_and_what_is_too_much_changes_nothing(pool):
    analyzers = chosen(pool)
    kept = {"counter": {"note": "x" * (MAX_OPTIONS_BYTES - 100)}}
    analyzers.change(kept)
    for number in range(200):
        with pytest.raises(TooLarge):
            analyzers.change({"counter": {f"key {number}": "y" * 100}})
    assert set(analyzers.start("s", 0.0).options["my_counter"]) == {"by", "note"}


async def test_numbers_that_json_can_bring_and_not_give_back_are_options_like_others(pool):
    analyzers = chosen(pool)
    analyzers.change({"counter": {"from": 10**30}})
    assert analyzers.start("s", 0.0).options["my_counter"]["from"] == 10**30


async def test_more_options_than_are_kept_are_refused_from_the_beginning(pool):
    offered = OfferedAnalyzers(pool, ("counter", "reid"), None)
    assert offered.choose(["my_counter"], {"my_counter": {"by": 2}}, None) == (
        ("counter",),
        {"counter": {"by": 2}},
    )
    with pytest.raises(TooLarge):
        offered.choose(None, {"counter": {"note": "x" * MAX_OPTIONS_BYTES}}, None)
