"""``WS /video-stream/{session_id}``: videos that the server reads for a client."""

import json

import pytest

from client_test.peer import ClientPeer
from server.api.models_tracking import (
    TrackingStatus,
)
from tests.support import pictures, sources
from tests.support.older_clients import ask, receive, socket_to
from tests.support.person_search import (
    FLAGS,
    ExactMatches,
    encoded,
    is_status,
    post,
    single_frame,
    start_tracking,
    strict,
    until,
)
from tests.support.server import running_server
from tests.support.tracks import ColourTrack


async def test_a_source_that_is_refused_leaves_the_rest_alone(server, embedding):
    """What the older examples do: a camera of the server's, and frames at the same time."""
    async with socket_to(server, "/video-stream/session_1") as socket:
        await socket.send(start_tracking(embedding, 0, fps_limit=5))
        await socket.send(single_frame(embedding))
        refused = await receive(socket)
        assert refused["type"] == "error"
        assert "camera 0" in refused["message"]
        assert (await receive(socket))["matches"]
        stopped = await ask(socket, '{"type": "stop_tracking"}')
        assert strict(TrackingStatus).model_validate(stopped).status == "tracking_stopped"


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (255, "there is no camera 255"),
        ("one/nothing.mp4", "No such file"),
        ("notes.mp4", "none of the sources"),
        ("../outside.mp4", "none of the sources"),
        ("up/outside.mp4", "none of the sources"),
        ("/etc/passwd", "none of the sources"),
        ("http://example.com/a.mp4", "none of the sources"),
        ("file:///etc/passwd", "only http, https, rtsp"),
        ("rtsp://127.0.0.1/a", "none of the sources"),
    ],
)
async def test_sources_that_are_not_there_or_not_allowed(server, embedding, source, words):
    async with socket_to(server, "/video-stream/session_1") as socket:
        answer = await ask(socket, start_tracking(embedding, source))
        assert answer["type"] == "error"
        assert words in answer["message"]
    server.wait_until("/sessions", lambda answer: not answer["sessions"])


async def test_a_file_is_tracked(server, embedding):
    async with socket_to(server, "/video-stream/session_1") as socket:
        await socket.send(start_tracking(embedding, "one/video.mp4", fps_limit=10))
        started = await receive(socket)
        assert started["status"] == "tracking_started"
        assert started["message"] == "Started tracking on source: one/video.mp4"
        got = [await receive(socket) for _ in range(6)]
        for message in got:
            exact = ExactMatches.model_validate_json(json.dumps(message))
            assert exact.frame_info.source == "one/video.mp4"
            assert exact.matches
        numbers = [message["frame_info"]["frame_number"] for message in got]
        assert numbers == sorted(set(numbers))
        assert all(number % 3 == 1 for number in numbers), "every third of 30 a second"
        # Frames of the client's own are looked at meanwhile.
        await socket.send(single_frame(embedding))
        own = await until(
            socket, lambda m: m["type"] == "matches" and not m["frame_info"]["source"]
        )
        assert own[-1]["frame_info"]["frame_number"] == 1
        await socket.send('{"type": "stop_tracking"}')
        await until(socket, is_status("tracking_stopped"))
    server.wait_until("/sessions", lambda answer: not answer["sessions"])


async def test_a_url_that_drops_and_comes_back(server, site, embedding):
    camera = site.answers["/cam"] = sources.Pictures(pictures.sample_jpegs(3))
    async with socket_to(server, "/video-stream/session_1") as socket:
        url = f"http://127.0.0.1:{site.port}/cam"
        await socket.send(start_tracking(embedding, url))
        first = await until(socket, lambda m: m["type"] == "matches")
        assert first[0]["status"] == "tracking_started"
        camera.cut()
        again = await until(socket, is_status("reconnected"))
        assert [m["status"] for m in again if m["type"] == "status"] == [
            "reconnecting",
            "reconnected",
        ]
        lost = next(m for m in again if is_status("reconnecting")(m))
        assert "the next attempt is in 1 s" in lost["message"]
        assert (await until(socket, lambda m: m["type"] == "matches"))[-1]["matches"]


async def test_another_source_replaces_the_first(server, site, embedding):
    site.answers["/a"] = sources.Pictures(pictures.sample_jpegs(1))
    site.answers["/b"] = sources.Pictures(pictures.sample_jpegs(1))
    base = f"http://127.0.0.1:{site.port}"
    async with socket_to(server, "/video-stream/session_1") as socket:
        await socket.send(start_tracking(embedding, f"{base}/a"))
        await until(socket, lambda m: m["type"] == "matches")
        # One that is refused replaces nothing.
        await socket.send(start_tracking(embedding, 0))
        await until(socket, lambda m: m["type"] == "error")
        got = await until(socket, lambda m: m["type"] == "matches")
        assert got[-1]["frame_info"]["source"] == f"{base}/a"
        await socket.send(start_tracking(embedding, f"{base}/b"))
        await until(socket, lambda m: f"{base}/b" in m.get("message", ""))
        got = await until(socket, lambda m: m["type"] == "matches")
        assert got[-1]["frame_info"]["source"] == f"{base}/b"
        assert len(server.get("/sessions")["sessions"]) == 1


async def test_the_source_is_left_when_the_client_goes(server, site, embedding):
    site.answers["/c"] = sources.Pictures(pictures.sample_jpegs(1))
    async with socket_to(server, "/video-stream/session_1") as socket:
        await socket.send(start_tracking(embedding, f"http://127.0.0.1:{site.port}/c"))
        await until(socket, lambda m: m["type"] == "matches")
        socket.transport.abort()
    server.wait_until("/sessions", lambda answer: not answer["sessions"])


async def test_someone_in_another_s_stream(server, embedding):
    """Of a session that streams over WebRTC, by the name that it is published under."""
    async with ClientPeer(server.url, analyzers=["pose"], publish="hall-published") as peer:
        await peer.connect(ColourTrack())
        await peer.wait_for(lambda m: "has_pose" in m)
        async with socket_to(server, "/video-stream/watcher") as socket:
            await socket.send(start_tracking(embedding, "hall-published"))
            got = await until(socket, lambda m: m["type"] == "matches")
            assert got[0]["status"] == "tracking_started"
            facts = got[-1]["frame_info"]
            assert (facts["width"], facts["height"]) == (160, 120)
            await peer.end()
            ended = await until(socket, is_status("tracking_stopped"))
            assert "has ended" in ended[-1]["message"]


async def test_someone_in_another_s_pictures(tmp_path, http):
    """Of a session that gets pictures over a WebSocket; it goes on whatever its watcher does."""
    with running_server(tmp_path, *FLAGS, "--workers", "1", "--allow-source", "*") as server:
        _, answer = await post(http, server, "/upload-embedding", {"image": encoded()})
        embedding = answer["embedding"]
        async with socket_to(server, "/ws") as publisher:
            await ask(publisher, pictures.sample_jpegs(1)[0])
            (session,) = server.get("/sessions")["sessions"]
            async with socket_to(server, "/video-stream/watcher") as socket:
                await socket.send(start_tracking(embedding, session["id"]))
                await until(socket, is_status("tracking_started"))
                await ask(publisher, pictures.sample_jpegs(1)[0])
                got = await until(socket, lambda m: m["type"] == "matches")
                assert len(got[-1]["matches"]) == 1
                assert got[-1]["frame_info"]["source"] == session["id"]
            assert (await ask(publisher, pictures.sample_jpegs(1)[0]))["has_pose"]
