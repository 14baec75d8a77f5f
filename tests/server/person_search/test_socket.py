"""``WS /video-stream/{session_id}``: the frames that a client sends."""

import asyncio
import base64
import json

import aiohttp
import pytest
from websockets.exceptions import ConnectionClosed

from analyzers.reid.embedding import Embedding
from server.api.models_tracking import (
    SocketError,
    TrackingStatus,
)
from server.security.embeddings import EmbeddingCipher
from tests.support import pictures
from tests.support.older_clients import ask, receive, socket_to
from tests.support.person_search import (
    ExactMatches,
    encoded,
    post,
    single_frame,
    start_tracking,
    strict,
)


async def test_frames_are_answered_with_matches(server, embedding):
    async with socket_to(server, "/video-stream/session_1") as socket:
        for number, jpeg in enumerate(pictures.sample_jpegs(4), start=1):
            answer = await ask(socket, single_frame(embedding, jpeg))
            exact = ExactMatches.model_validate_json(json.dumps(answer))
            facts = exact.frame_info
            assert (facts.frame_number, facts.width, facts.height) == (number, 640, 480)
            assert facts.processing_time > 0
            assert facts.source is None
            (match,) = exact.matches
            x1, y1, x2, y2 = match.bbox
            assert 0 <= x1 < x2 <= 640
            assert 0 <= y1 < y2 <= 480
            assert y2 - y1 > 200, "the person is tall"
            assert 0 <= match.distance < 0.2
            assert 0.5 < match.confidence <= 1


async def test_a_frame_without_anyone_is_answered_too(server, embedding):
    async with socket_to(server, "/video-stream/session_1") as socket:
        empty = pictures.jpeg(pictures.sample_frames(1)[0] * 0 + 90)
        assert (await ask(socket, single_frame(embedding)))["matches"]
        answer = await ask(socket, single_frame(embedding, empty))
        assert answer["type"] == "matches"
        assert answer["matches"] == [], "of exactly this frame"
        assert (await ask(socket, single_frame(embedding)))["matches"]


async def test_ping(server):
    async with socket_to(server, "/video-stream/session_1") as socket:
        answer = await ask(socket, '{"type": "ping"}')
        status = strict(TrackingStatus).model_validate(answer)
        assert status.status == "pong"


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ("{", "not JSON"),
        ("[]", "type"),
        ('{"type": "dance"}', "start_tracking, single_frame, stop_tracking or ping"),
        ('{"type": "single_frame"}', "frame"),
        ('{"type": "single_frame", "frame": "%%%", "person_embed": "x"}', "base64"),
        (single_frame("x"), "no embedding of this server's"),
        (start_tracking("x", 255), "no embedding of this server's"),
        (start_tracking("x", True), "video_source"),
        (start_tracking("x", 0, fps_limit=31), "fps_limit"),
        (start_tracking("x", 0, fps_limit=0), "fps_limit"),
        (b"\xff\xd8", "JSON"),
    ],
)
async def test_what_is_wrong_is_told_and_the_socket_goes_on(server, embedding, message, words):
    async with socket_to(server, "/video-stream/session_1") as socket:
        answer = await ask(socket, message)
        assert answer["type"] == "error"
        assert words in answer["message"]
        strict(SocketError).model_validate(answer)
        assert (await ask(socket, single_frame(embedding)))["matches"]


@pytest.mark.parametrize("session_id", ["a%20b", "x" * 129, "%C3%A4", "a%2Fb"])
async def test_a_bad_session_id(server, session_id):
    with pytest.raises(ConnectionClosed) as closed:
        async with socket_to(server, f"/video-stream/{session_id}") as socket:
            await receive(socket)
    assert closed.value.rcvd.code == 1008
    assert "1 to 128" in closed.value.rcvd.reason


async def test_an_embedding_in_plain_text_is_refused(server):
    """Made by hand, for a model that is right."""
    plain = Embedding("appearance-1", [1.0] * 10).token()
    async with socket_to(server, "/video-stream/session_1") as socket:
        answer = await ask(socket, single_frame(plain))
        assert answer["type"] == "error"
        assert "embedding" in answer["message"]


async def test_a_tampered_embedding(server, embedding):
    data = bytearray(base64.b64decode(embedding))
    data[len(data) // 2] ^= 1
    async with socket_to(server, "/video-stream/session_1") as socket:
        answer = await ask(socket, single_frame(base64.b64encode(data).decode()))
        assert "changed on its way" in answer["message"]


async def test_no_answer_is_of_another_person_than_it_was_asked_for(server, http, embedding):
    """Two people in turns, faster than they are answered: each answer fits its question."""
    frame = pictures.sample_frames(1)[0]
    # The same person in other colours is another one to what tells by colours.
    other = pictures.jpeg(frame[..., ::-1].copy())
    status, answer = await post(http, server, "/upload-embedding", {"image": encoded(other)})
    assert status == 200, answer
    mine = pictures.sample_jpegs(1)[0]
    asked = {}
    async with socket_to(server, "/video-stream/session_1") as socket:
        for number in range(1, 41):
            asked[number] = (embedding, answer["embedding"])[number % 2]
            await socket.send(single_frame(asked[number], mine))
        near, far = [], []
        async with asyncio.timeout(60):
            # The last of each person are never skipped.
            while {39, 40} & asked.keys():
                got = await receive(socket)
                assert got["type"] == "matches", got
                reference = asked.pop(got["frame_info"]["frame_number"])
                distances = [match["distance"] for match in got["matches"]]
                (near if reference == embedding else far).append(distances)
    assert near
    assert far
    assert all(len(d) == 1 and d[0] < 0.05 for d in near)
    assert all(not d or d[0] > 0.1 for d in far)


async def test_an_embedding_of_another_model_is_refused_by_name(server, embedding, key):
    """Sealed with the same key, on a server that had another network."""
    other = EmbeddingCipher([key], 0).seal(Embedding("another-1", [1.0] * 8).token())
    async with socket_to(server, "/video-stream/session_1") as socket:
        answer = await ask(socket, single_frame(other))
        assert answer["type"] == "error"
        assert "another-1" in answer["message"]
        assert "appearance-1" in answer["message"]
        assert (await ask(socket, single_frame(embedding)))["matches"]
        # In mid-session too.
        assert (await ask(socket, single_frame(other)))["type"] == "error"
        assert (await ask(socket, single_frame(embedding)))["matches"]
    async with aiohttp.ClientSession() as http:
        for body in ({"person": {"embedding": other}, "video": {"path": "one/video.mp4"}},):
            status, refused = await post(http, server, "/find", body)
            assert (status, refused["error_code"]) == (400, "EMBEDDING_OTHER_MODEL")
            assert "another-1" in refused["detail"]


async def test_a_session_that_is_ended_closes_the_socket(server, http, embedding):
    async with socket_to(server, "/video-stream/session_1") as socket:
        await ask(socket, single_frame(embedding))
        (session,) = server.get("/sessions")["sessions"]
        async with http.delete(f"{server.url}/sessions/{session['id']}") as response:
            assert response.status == 200
        assert "ended over HTTP" in (await receive(socket))["message"]
        with pytest.raises(ConnectionClosed) as closed:
            await receive(socket)
    assert closed.value.rcvd.code == 1001
