"""Embeddings between analyzers and clients: plain within, sealed outside."""

import numpy as np
import orjson
import pytest
from cryptography.fernet import Fernet

from analyzers.compact import compact, plain
from analyzers.reid.embedding import Embedding
from server.security.embeddings import BadSealedEmbedding, EmbeddingCipher
from server.sessions.embedding_gate import EmbeddingGate
from server.sessions.values import Values


@pytest.fixture
def cipher():
    return EmbeddingCipher([Fernet.generate_key().decode()], 0)


@pytest.fixture
def gate(cipher):
    return EmbeddingGate(cipher)


TOKEN = Embedding("some-1", np.array([3.0, 4.0])).token()


def test_a_sealed_reference_is_opened(gate, cipher):
    sealed = cipher.seal(TOKEN)
    assert gate.opened({"reference": sealed, "threshold": 0.3}) == {
        "reference": TOKEN,
        "threshold": 0.3,
    }
    assert gate.opened({"reference": [sealed, sealed]}) == {"reference": [TOKEN, TOKEN]}


@pytest.mark.parametrize("reference", [None, {"model": "some-1", "vector": [1, 2]}, [1, 2], 7])
def test_what_is_no_embedding_of_ours_is_left_to_the_analyzer(gate, reference):
    assert gate.opened({"reference": reference}) == {"reference": reference}
    assert gate.opened({}) == {}


@pytest.mark.parametrize("wrong", [TOKEN, [TOKEN], "x", ""])
def test_plain_embeddings_are_refused(gate, wrong):
    with pytest.raises(BadSealedEmbedding):
        gate.opened({"reference": wrong})


def test_a_list_with_something_else_in_it_is_refused(gate, cipher):
    with pytest.raises(BadSealedEmbedding):
        gate.opened({"reference": [cipher.seal(TOKEN), 1]})


def test_people_in_results_are_sealed(gate, cipher):
    people = [{"bbox": [1, 2, 3, 4], "embedding": TOKEN}]
    fragments = {"reid_people": orjson.dumps(people), "matches": b"[]"}
    cbor = {key: compact(value) for key, value in fragments.items()}
    for values in (Values(fragments), Values(None, cbor), Values(fragments, cbor)):
        forms = values.forms
        sealed = gate.sealed(values)
        assert sealed.forms == values.forms == forms
        assert sealed.json["matches"] == b"[]"
        said = [orjson.loads(sealed.json["reid_people"]), plain(sealed.cbor["reid_people"])]
        assert said[0] == said[1], "the same token in both forms"
        assert said[0][0]["bbox"] == [1, 2, 3, 4]
        assert cipher.open(said[0][0]["embedding"]) == TOKEN
        assert TOKEN.encode() not in sealed.json["reid_people"] + sealed.cbor["reid_people"]
        assert TOKEN.encode() in values.cbor["reid_people"]


def test_what_holds_no_embedding_is_left_as_it_is(gate):
    for values in (Values({"matches": b"[]"}), Values(None, {"matches": compact(b"[]")})):
        assert gate.sealed(values) is values
