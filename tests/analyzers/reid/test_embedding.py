"""Embeddings: their distance, their text, and what they refuse."""

import base64
import json

import numpy as np
import pytest

from analyzers.reid.embedding import BadEmbedding, Embedding, OtherModel, mean, parse

RANDOM = np.random.default_rng(4)


def random(size=256, model="retail-0288"):
    return Embedding(model, RANDOM.normal(size=size).astype(np.float32))


def test_a_vector_is_scaled_to_length_one_and_can_not_be_changed():
    given = np.array([3.0, 0, 4.0])
    embedding = Embedding("net", given)
    assert embedding.vector.dtype == np.float32
    assert embedding.vector == pytest.approx([0.6, 0, 0.8])
    assert given.tolist() == [3, 0, 4]
    with pytest.raises(ValueError, match="read-only"):
        embedding.vector[0] = 1


@pytest.mark.parametrize(
    ("other", "distance"),
    [((2, 0), 0), ((0, 5), 1), ((-1, 0), 2), ((1, 1), 1 - np.sqrt(0.5)), ((1, -1e-9), 0)],
)
def test_the_distance_is_the_cosine_s(other, distance):
    one, two = Embedding("net", np.array([1.0, 0])), Embedding("net", np.array(other, float))
    assert one.distance(two) == pytest.approx(distance, abs=1e-6)
    assert two.distance(one) == one.distance(two)
    assert 0 <= one.distance(two) <= 2


def test_embeddings_of_two_networks_are_not_compared():
    with pytest.raises(OtherModel, match=r"made with osnet \(256 values\).*those of retail-0288"):
        random(model="osnet").distance(random())
    with pytest.raises(OtherModel, match=r"\(512 values\).*\(256 values\)"):
        random(512).distance(random())


def test_a_token_gives_the_same_back():
    embedding = random(model="größer")
    again = Embedding.from_token(embedding.token())
    assert again.model == "größer"
    assert np.array_equal(again.vector, embedding.vector)
    assert embedding.distance(again) == pytest.approx(0, abs=1e-6)


def test_a_token_begins_with_the_vector():
    embedding = random()
    raw = base64.b64decode(embedding.token())
    assert np.array_equal(np.frombuffer(raw, "<f4", 256), embedding.vector)


@pytest.mark.parametrize(
    "token",
    [
        "",
        "no base64!",
        "AAAA",
        base64.b64encode(bytes(1024)).decode(),
        base64.b64encode(np.ones(256, np.float32).tobytes()).decode(),
        random().token()[4:],
        random().token()[:-8],
        "ü" * 40,
    ],
)
def test_what_is_no_token_is_refused(token):
    with pytest.raises(BadEmbedding, match="no embedding of this server's"):
        Embedding.from_token(token)


def test_every_cut_token_is_refused():
    token = random(8).token()
    for length in range(len(token)):
        with pytest.raises(BadEmbedding):
            Embedding.from_token(token[:length])


@pytest.mark.parametrize("vector", [np.zeros(4), np.array([1, np.nan]), np.eye(2), np.zeros(0)])
def test_a_vector_that_is_none_is_refused(vector):
    with pytest.raises(BadEmbedding, match="an embedding"):
        Embedding("net", vector)


def test_the_mean_lies_between():
    one, two = Embedding("net", np.array([1.0, 0])), Embedding("net", np.array([0.0, 9]))
    assert mean([one, two]).vector == pytest.approx([np.sqrt(0.5)] * 2)
    with pytest.raises(BadEmbedding):
        mean([])
    with pytest.raises(OtherModel):
        mean([one, Embedding("another", np.array([1.0, 0]))])


def test_a_reference_has_three_forms():
    embedding = random()
    forms = [
        embedding.token(),
        [embedding.token(), embedding.token()],
        {"model": "retail-0288", "vector": [7 * float(value) for value in embedding.vector]},
    ]
    for form in forms:
        parsed = parse(json.loads(json.dumps(form)))
        assert parsed.distance(embedding) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize(
    ("reference", "complaint"),
    [
        ([0.1, 0.2], "without its model's name"),
        ([], "neither"),
        (7, "neither"),
        ({"vector": [1]}, "neither"),
        ({"model": "net", "vector": [1, "2"]}, "not a number"),
        ({"model": "net", "vector": [True]}, "not a number"),
        ({"model": 3, "vector": [1]}, "not text"),
        ({"model": "net", "vector": "1"}, "not a list"),
        ({"model": "", "vector": [1]}, "no model's name"),
        ({"model": "net", "vector": [10**400]}, "an embedding"),
        ([random().token(), "x"], "no embedding of this server's"),
    ],
)
def test_other_references_are_refused(reference, complaint):
    with pytest.raises(BadEmbedding, match=complaint):
        parse(reference)
