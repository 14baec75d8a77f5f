"""``POST /find``: a person in a recording."""

import asyncio
import contextlib
import json

import aiohttp
import av
import pytest

from server.api.models_tracking import (
    TrackingError,
)
from tests.support.older_clients import ask, socket_to
from tests.support.person_search import (
    EVENTS,
    FLAGS,
    SAMPLE,
    ExactFound,
    encoded,
    events_of,
    find,
    post,
    single_frame,
    strict,
)
from tests.support.server import running_server

SHORT = "one/short.mp4"


async def test_a_person_is_found_in_a_recording(http, server, embedding):
    status, answer = await post(http, server, "/find", find(embedding))
    assert status == 200
    exact = ExactFound.model_validate_json(json.dumps(answer))
    assert exact.total_matches == len(exact.matches) > 50
    assert exact.processing_time > 0
    numbers = [match.frame_number for match in exact.matches]
    assert numbers == sorted(numbers)
    assert set(numbers) <= set(range(1, 394, 6)), "five a second, in both parts of the file"
    for match in exact.matches:
        assert match.timestamp == pytest.approx((match.frame_number - 1) / 30, abs=0.002)
        assert match.time_formatted == f"00:{int(match.timestamp):02}"
    server.wait_until("/sessions", lambda answer: not answer["sessions"])


async def test_a_stricter_threshold_finds_less(http, server, embedding):
    status, answer = await post(http, server, "/find", find(embedding, SHORT, threshold=0.0001))
    assert status == 200
    assert answer["total_matches"] < 5


async def test_a_search_records_nothing(http, server, recordings, embedding):
    before = sorted(p.name for p in recordings.iterdir())
    assert (await post(http, server, "/find", find(embedding, SHORT)))[0] == 200
    assert sorted(p.name for p in recordings.iterdir()) == before


@pytest.mark.parametrize(
    "path",
    [
        "nothing.mp4",
        "../outside.mp4",
        "one/../../outside.mp4",
        "link.mp4",
        "up/outside.mp4",
        "/etc/passwd",
        "one",
        "a\0b",
        "x" * 1000,
    ],
)
async def test_files_that_are_not_among_the_recordings(http, server, embedding, path):
    status, answer = await post(http, server, "/find", find(embedding, path))
    assert (status, answer["error_code"]) == (404, "FILE_NOT_FOUND")
    strict(TrackingError).model_validate(answer)


async def test_a_file_that_is_no_video(http, server, embedding):
    status, answer = await post(http, server, "/find", find(embedding, "notes.mp4"))
    assert (status, answer["error_code"]) == (422, "INVALID_VIDEO_FORMAT")


@pytest.mark.parametrize("body", [{}, [], {"person": {"embedding": 1}, "video": {"path": "a"}}])
async def test_a_search_that_is_not_understood(http, server, body):
    status, answer = await post(http, server, "/find", body)
    assert (status, answer["error_code"]) == (400, "INVALID_REQUEST")


async def test_a_search_with_events(http, server, embedding):
    body = find(embedding, SHORT)
    async with http.post(f"{server.url}/find", json=body, headers=EVENTS) as response:
        assert response.headers["Content-Type"] == "text/event-stream"
        got = [event async for event in events_of(response)]
    kinds = [kind for kind, _ in got]
    assert kinds.count("result") == 1
    assert kinds[-1] == "result"
    progress = [data["progress"] for kind, data in got if kind == "progress"]
    assert progress == sorted(progress)
    assert progress[-1] == 1.0
    result = got[-1][1]
    told = sorted(data["frame_number"] for kind, data in got if kind == "match")
    assert len(told) > 10
    assert told == [match["frame_number"] for match in result["matches"]]


async def test_a_search_with_events_that_fails(http, server, embedding):
    body = find(embedding, "notes.mp4")
    async with http.post(f"{server.url}/find", json=body, headers=EVENTS) as response:
        got = [event async for event in events_of(response)]
    assert [kind for kind, _ in got][-1] == "error"
    assert got[-1][1]["error_code"] == "INVALID_VIDEO_FORMAT"


@pytest.fixture(scope="module")
def long_recording(recordings):
    """The sample fifty times: more than is searched while a test looks."""
    path = recordings / "one" / "long.mp4"
    with av.open(path, "w") as target:
        stream, offset = None, 0
        for _ in range(50):
            with av.open(SAMPLE) as source:
                played = source.streams.video[0]
                stream = stream or target.add_stream_from_template(played)
                last = 0
                for packet in source.demux(played):
                    if packet.dts is None:
                        continue
                    last = max(last, packet.pts + packet.duration)
                    packet.pts, packet.dts = packet.pts + offset, packet.dts + offset
                    packet.stream = stream
                    target.mux(packet)
                offset += last
    return "one/long.mp4"


@pytest.mark.parametrize("headers", [EVENTS, {}], ids=["events", "one answer"])
async def test_a_search_ends_when_the_client_goes(server, embedding, long_recording, headers):
    async with aiohttp.ClientSession() as http:
        request = asyncio.create_task(
            http.post(f"{server.url}/find", json=find(embedding, long_recording), headers=headers)
        )
        searching = await asyncio.to_thread(
            server.wait_until,
            "/sessions",
            lambda answer: (
                len(answer["sessions"]) == 2
                and all(session["analyzed"] for session in answer["sessions"])
            ),
        )
        assert {session["worker"] for session in searching["sessions"]} == {0, 1}
        if headers:
            (await request).close()
        request.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await request
    server.wait_until("/sessions", lambda answer: not answer["sessions"])


async def test_a_search_leaves_room_for_others(tmp_path, recordings, long_recording, http):
    """Half of the sessions that are free; whoever comes meanwhile is served."""
    flags = ("--record-to", str(recordings), "--max-sessions", "2")
    with running_server(tmp_path, *FLAGS, *flags) as server:
        status, answer = await post(http, server, "/upload-embedding", {"image": encoded()})
        assert status == 200, answer
        body = find(answer["embedding"], long_recording)
        async with http.post(f"{server.url}/find", json=body, headers=EVENTS) as response:
            async for _, told in events_of(response):
                if told.get("frames_looked_at"):
                    break
            assert len(server.get("/sessions")["sessions"]) == 1
            async with socket_to(server, "/video-stream/other") as socket:
                assert (await ask(socket, single_frame(answer["embedding"])))["matches"]
            response.close()
