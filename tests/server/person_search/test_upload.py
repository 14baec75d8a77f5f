"""``POST /upload-embedding``: whose embedding is given, and what gives none."""

import base64

import numpy as np
import pytest

from analyzers.reid.embedding import Embedding
from server.api.models_tracking import (
    TrackingError,
    UploadedEmbedding,
)
from tests.support import pictures
from tests.support.person_search import (
    encoded,
    post,
    strict,
)


@pytest.mark.parametrize("prefix", ["", "data:image/jpeg;base64,"])
async def test_a_person_s_embedding(http, server, prefix):
    status, answer = await post(http, server, "/upload-embedding", {"image": prefix + encoded()})
    assert status == 200
    exact = strict(UploadedEmbedding).model_validate(answer)
    assert exact.people == 1
    assert len(exact.shape) == 1
    assert exact.shape[0] > 100
    assert base64.b64decode(exact.embedding)


async def test_several_people_are_told_of_each_by_a_server_without_a_detector(http, server):
    (one,) = pictures.sample_frames(1)
    image = encoded(pictures.jpeg(np.concatenate([one, one], axis=1)))
    status, answer = await post(http, server, "/upload-embedding", {"image": image})
    assert status == 200
    exact = strict(UploadedEmbedding).model_validate(answer)
    assert (exact.people, len(exact.persons)) == (2, 2)
    assert (exact.width, exact.height) == (2 * one.shape[1], one.shape[0])
    middles = sorted(
        (x0 + x1) / 2 / exact.width for x0, _, x1, _ in (p.bbox for p in exact.persons)
    )
    assert middles == pytest.approx([0.25, 0.75], abs=0.06)
    assert exact.embedding == exact.persons[0].embedding
    assert exact.persons[0].embedding != exact.persons[1].embedding
    assert (exact.fallback, exact.detector) == (True, "pose")


async def test_an_embedding_is_sealed(embedding):
    """Nothing of it can be read: neither the vector nor the network's name."""
    with pytest.raises(ValueError, match="embedding"):
        Embedding.from_token(embedding)
    assert b"appearance" not in base64.b64decode(embedding)


@pytest.mark.parametrize(
    ("image", "status", "code"),
    [
        (encoded(pictures.jpeg(pictures.sample_frames(1)[0] * 0 + 90)), 422, "NO_PERSON_DETECTED"),
        ("%%%", 400, "INVALID_IMAGE_FORMAT"),
        (encoded(b"this is no picture"), 400, "INVALID_IMAGE_FORMAT"),
        (encoded(pictures.jpeg_cut_inside()), 400, "INVALID_IMAGE_FORMAT"),
        (encoded(pictures.bomb_png()), 413, "IMAGE_TOO_LARGE"),
        (7, 400, "INVALID_REQUEST"),
        (None, 400, "INVALID_REQUEST"),
    ],
)
async def test_pictures_that_give_no_embedding(http, server, image, status, code):
    got, answer = await post(http, server, "/upload-embedding", {"image": image})
    assert (got, answer["error_code"]) == (status, code)
    strict(TrackingError).model_validate(answer)
    if code == "NO_PERSON_DETECTED":
        assert answer["detail"] == "No person detected, please try with another image"


async def test_a_body_that_is_no_json(http, server):
    async with http.post(f"{server.url}/upload-embedding", data=b"{") as response:
        assert response.status == 400
        assert (await response.json())["error_code"] == "INVALID_REQUEST"
