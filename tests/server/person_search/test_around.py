"""What a server can lack, idle clients, and embeddings at other doors."""

import asyncio
import base64
import contextlib
import json

import av
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from analyzers.reid.embedding import Embedding
from client_test.errors import Rejected
from client_test.peer import ClientPeer
from server.security import tokens
from server.security.identity import Scope
from tests.support import pictures, sources
from tests.support.older_clients import ask, receive, socket_to
from tests.support.person_search import (
    FLAGS,
    encoded,
    find,
    is_status,
    post,
    single_frame,
    start_tracking,
    until,
)
from tests.support.server import running_server
from tests.support.tracks import ColourTrack


@pytest.fixture(scope="module")
def strict(tmp_path_factory, site):
    """A server that has recorded nothing, and neither idle clients nor many frames."""
    flags = ("--idle-timeout", "2", "--allow-source", f"http://127.0.0.1:{site.port}/*")
    flags += ("--workers", "1", "--frames-per-second", "5")
    with running_server(tmp_path_factory.mktemp("strict"), *FLAGS, *flags) as running:
        yield running


async def test_a_server_that_has_recorded_nothing(strict, http):
    status, answer = await post(http, strict, "/upload-embedding", {"image": encoded()})
    assert status == 200
    status, answer = await post(http, strict, "/find", find(answer["embedding"]))
    assert (status, answer["error_code"]) == (404, "FILE_NOT_FOUND")
    assert "among the recordings" in answer["detail"]


async def test_a_client_that_says_nothing_is_told_and_sent_away(strict, http, site):
    """But not while the server reads a source for it."""
    site.answers["/idle"] = sources.Pictures(pictures.sample_jpegs(1))
    _, answer = await post(http, strict, "/upload-embedding", {"image": encoded()})
    async with socket_to(strict, "/video-stream/session_1") as socket:
        url = f"http://127.0.0.1:{site.port}/idle"
        await socket.send(start_tracking(answer["embedding"], url, fps_limit=1))
        tracked = []
        while len(tracked) < 5:
            tracked.append(await receive(socket))
        await socket.send('{"type": "stop_tracking"}')
        got = await until(socket, is_status("idle"))
        assert got[-1]["type"] == "status"
        with pytest.raises(ConnectionClosed) as closed:
            await receive(socket)
    assert closed.value.rcvd.code == 1001


async def test_other_doors_take_sealed_references_only(server, embedding):
    async def matches_with(options):
        async with ClientPeer(server.url, analyzers=["reid"], options={"reid": options}) as peer:
            await peer.connect(ColourTrack())
            return (await peer.wait_for(lambda m: "reid" in m))["reid"]["has_reference"]

    assert await matches_with({"reference": embedding})
    plain = Embedding("appearance-1", [1.0] * 10).token()
    with pytest.raises(Rejected, match=r"no embedding of this server's|another server"):
        await matches_with({"reference": plain})


async def test_people_leave_sealed_through_every_door(server, http, recordings):
    """Who asks for everyone's embedding over WebRTC gets what only this server can read."""
    picture = pictures.sample_frames(1)[0]
    async with ClientPeer(
        server.url, analyzers=["reid"], options={"reid": {"enrol": True}}
    ) as peer:
        await peer.connect(Still(picture))
        got = await peer.wait_for(lambda m: m.get("reid_people"), 60)
        final = await peer.end()
    for result in (got, final):
        (person,) = result["reid_people"]
        with pytest.raises(ValueError, match="embedding"):
            Embedding.from_token(person["embedding"])
    async with socket_to(server, "/video-stream/session_1") as socket:
        assert (await ask(socket, single_frame(got["reid_people"][0]["embedding"])))["matches"]
    for lines in recordings.glob("*/results.jsonl"):
        assert b"KCE1" not in base64.b64decode(_first_embedding(lines.read_text()))


def _first_embedding(text):
    for line in text.splitlines():
        for person in json.loads(line).get("reid_people", []):
            return person["embedding"]
    return ""


class Still(ColourTrack):
    """The same picture again and again."""

    def __init__(self, rgb):
        super().__init__(fps=10, size=(rgb.shape[1], rgb.shape[0]))
        self._rgb_picture = rgb

    async def recv(self):
        frame = await super().recv()
        still = av.VideoFrame.from_ndarray(self._rgb_picture, format="rgb24")
        still.pts, still.time_base = frame.pts, frame.time_base
        return still


async def test_who_may_do_what(tmp_path, recordings, http):
    """Looking for someone in one's own frames is one thing, in everybody's recordings another."""
    secret = "s" * 40
    flags = ("--auth-secret", secret, "--record-to", str(recordings), "--allow-source", "one/*")

    def bearer(*scopes, subject=None):
        token = tokens.issue(secret, scopes, 600.0, subject)
        return {"Authorization": f"Bearer {token}"}

    with running_server(tmp_path, *FLAGS, "--workers", "1", *flags) as server:
        publish, control = (bearer(s, subject="ann") for s in (Scope.PUBLISH, Scope.CONTROL))
        url = f"{server.url}/upload-embedding"
        for headers, status in (({}, 401), (bearer(Scope.VIEW), 403), (publish, 200)):
            async with http.post(url, json={"image": encoded()}, headers=headers) as response:
                assert response.status == status
                answer = await response.json()
        body = find(answer["embedding"], "one/short.mp4")
        for headers, status in (({}, 401), (publish, 403), (control, 200)):
            async with http.post(f"{server.url}/find", json=body, headers=headers) as response:
                assert response.status == status, await response.text()
        path = "/video-stream/session_1"
        with pytest.raises(InvalidStatus):
            async with socket_to(server, path):
                pass
        async with socket_to(server, path, additional_headers=publish) as socket:
            assert (await ask(socket, single_frame(answer["embedding"])))["matches"]
            async with http.get(f"{server.url}/sessions", headers=control) as everyone:
                assert len((await everyone.json())["sessions"]) == 1
            async with http.get(f"{server.url}/sessions", headers=bearer(Scope.VIEW)) as others:
                assert (await others.json())["sessions"] == []
            refused = await ask(socket, start_tracking(answer["embedding"], "one/video.mp4"))
            assert refused["type"] == "error"
            assert "control" in refused["message"]
        async with socket_to(server, path, additional_headers=control) as socket:
            started = await ask(socket, start_tracking(answer["embedding"], "one/video.mp4"))
            assert started["status"] == "tracking_started"


async def test_frames_over_the_limit_are_counted_as_dropped(strict, http):
    _, answer = await post(http, strict, "/upload-embedding", {"image": encoded()})
    async with socket_to(strict, "/video-stream/session_1") as socket:
        for _ in range(20):
            await socket.send(single_frame(answer["embedding"]))
        first = await receive(socket)
        assert first["frame_info"]["frame_number"] == 1
        # It goes on when there is room again, and says how many were left out.
        while True:
            await socket.send(single_frame(answer["embedding"]))
            async with asyncio.timeout(60):
                with contextlib.suppress(TimeoutError):
                    got = await asyncio.wait_for(receive(socket), 0.3)
                    if got["frame_info"]["frame_number"] > 20:
                        break
        facts = got["frame_info"]
        assert 15 <= facts["dropped"] <= facts["frame_number"] - 2
