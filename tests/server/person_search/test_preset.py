"""What the older person search's page and clients send and read, against ``--preset search``."""

import json
import shutil

import aiohttp
import pytest

from server.config import parse_settings
from tests.support import pictures, sources
from tests.support.older_clients import ask, receive, socket_to
from tests.support.person_search import (
    FLAGS,
    SAMPLE,
    ExactFound,
    ExactMatches,
    encoded,
    find,
    is_status,
    post,
    single_frame,
    start_tracking,
    until,
)
from tests.support.server import running_server


@pytest.fixture(scope="module")
def gate():
    """A camera elsewhere, over RTSP."""
    with sources.RtspServer(SAMPLE).running() as camera:
        yield f"rtsp://127.0.0.1:{camera.port}/gate"


@pytest.fixture(scope="module")
def preset(tmp_path_factory, gate):
    folder = tmp_path_factory.mktemp("recordings")
    shutil.copy(SAMPLE, folder / "hall.mp4")
    flags = ("--preset", "search", *FLAGS, "--record-to", str(folder), "--allow-source", "*.mp4")
    flags += ("--allow-source", gate)
    with running_server(tmp_path_factory.mktemp("server"), *flags) as running:
        yield running


@pytest.fixture
async def anna(http, preset):
    """The person of the sample, of a form."""
    form = aiohttp.FormData()
    form.add_field("file", pictures.sample_jpegs(1)[0], filename="anna.jpg")
    async with http.post(f"{preset.url}/upload-embedding", data=form) as response:
        assert response.status == 200
        return (await response.json())["embedding"]


async def test_the_page_is_told_in_words_that_it_shows(preset, anna):
    async with socket_to(preset, "/video-stream/cam-1") as socket:
        greeting = await receive(socket)
        assert (greeting["status"], greeting["session_id"]) == ("connected", "cam-1")
        told = await ask(socket, "nonsense")
        assert (told["type"], told["status"], told["session_id"]) == ("status", "error", "cam-1")
        refused = await ask(socket, start_tracking(anna, 1))
        assert refused["status"] == "error"
        assert "--allow-source 1" in refused["message"]
        matches = await ask(socket, single_frame(anna))
        await socket.send(start_tracking(anna, "hall.mp4"))
        messages = await until(socket, lambda m: m["type"] == "matches")
        assert [m["status"] for m in messages[:2]] == ["tracking_started", "video_opened"]
        assert messages[-1]["frame_info"]["frame_number"] >= 0
        await socket.send('{"type": "stop_tracking"}')
        messages = await until(socket, is_status("tracking_stopped"))
        assert "video_closed" in [m.get("status") for m in messages]
    ExactMatches.model_validate_json(json.dumps(matches))
    assert matches["session_id"] == "cam-1"
    assert matches["frame_info"]["frame_number"] == 0, "counted from 0"
    (match,) = matches["matches"]
    x1, y1, x2, y2 = match["bbox"]
    assert match["bbox_format"] == "xyxy"
    assert match["crop_info"] == {"x": x1, "y": y1, "width": x2 - x1, "height": y2 - y1}
    assert match["coordinate_info"] == {
        "unit": "pixels",
        "origin": "top-left",
        "width": 640,
        "height": 480,
    }


async def test_a_camera_over_rtsp_is_tracked_until_it_is_told_to_stop(preset, anna, gate):
    """Begun, stopped and begun again on one socket, as the page's buttons do."""
    async with socket_to(preset, "/video-stream/gate-1") as socket:
        for _ in range(2):
            await socket.send(start_tracking(anna, gate, fps_limit=10))
            messages = await until(socket, lambda m: m["type"] == "matches" and m["matches"])
            told = [m["status"] for m in messages if m["type"] == "status"]
            # The film ends at once, and is then read again.
            assert told.index("tracking_started") + 1 == told.index("video_opened")
            seen = messages[-1]
            assert (seen["session_id"], seen["frame_info"]["source"]) == ("gate-1", gate)
            ExactMatches.model_validate_json(json.dumps(seen))
            await socket.send('{"type": "stop_tracking"}')
            stopped = await until(socket, is_status("tracking_stopped"))
            assert stopped[-1]["session_id"] == "gate-1"
        # Nothing is read any more, and the socket goes on.
        assert (await ask(socket, '{"type": "ping"}'))["status"] == "pong"
        assert (await ask(socket, single_frame(anna)))["matches"]


async def test_a_picture_that_can_not_be_decoded_is_422(http, preset):
    for image in (encoded(b"no picture"), "%%%"):
        status, answer = await post(http, preset, "/upload-embedding", {"image": image})
        assert (status, answer["error_code"]) == (422, "INVALID_IMAGE_FORMAT")
    status, _ = await post(http, preset, "/upload-embedding", {"image": 7})
    assert status == 400


async def test_a_search_in_every_form(http, preset, anna):
    status, usual = await post(http, preset, "/find", find(anna, "hall.mp4"))
    assert status == 200, usual
    ExactFound.model_validate_json(json.dumps(usual))
    assert min(match["frame_number"] for match in usual["matches"]) == 0
    boxes = [(m["frame_number"], m["bbox"]) for m in usual["matches"]]

    async def same(path, body):
        status, answer = await post(http, preset, path, body)
        assert status == 200, answer
        assert [(m["frame_number"], m["bbox"]) for m in answer["matches"]] == boxes

    await same("/find/17", {"person": {"id": 17, "embed": anna}, "video": {"path": "hall.mp4"}})
    await same("/find", {"embed": anna, "video_path": "hall.mp4"})
    await same("/find", {"embed": anna, "video": {"path": "hall.mp4"}})
    await same("/find", {"person": {"embed": anna}, "video_path": "hall.mp4"})


@pytest.mark.parametrize("is_sent_as", ["file", "video", None])
async def test_a_search_in_a_form(http, preset, anna, is_sent_as):
    form = aiohttp.FormData(default_to_multipart=True)
    form.add_field("person", json.dumps({"name": "Anna", "embed": anna}))
    if is_sent_as:
        form.add_field(is_sent_as, SAMPLE.read_bytes(), filename="hall.mp4")
    else:
        form.add_field("video_path", "hall.mp4")
    async with http.post(f"{preset.url}/find/17", data=form) as response:
        answer = await response.json()
        assert response.status == 200, answer
    ExactFound.model_validate_json(json.dumps(answer))
    assert answer["total_matches"] > 5


@pytest.mark.parametrize("fields", [{}, {"person": "["}, {"person": "[]"}, {"embed": "x"}])
async def test_a_form_that_asks_for_nothing(http, preset, fields):
    form = aiohttp.FormData({"unused": "1", **fields})
    form.add_field("other", b"x", filename="x")
    async with http.post(f"{preset.url}/find/17", data=form) as response:
        answer = await response.json()
        assert (response.status, answer["status"]) == (400, "error")


async def test_a_form_without_a_video_is_told_so(http, preset, anna):
    form = aiohttp.FormData(default_to_multipart=True)
    form.add_field("embed", anna)
    async with http.post(f"{preset.url}/find", data=form) as response:
        answer = await response.json()
        assert (response.status, answer["error_code"]) == (400, "INVALID_REQUEST")
        assert "neither video_path nor the video" in answer["detail"]


async def test_without_it_errors_are_errors(server, embedding):
    async with socket_to(server, "/video-stream/x") as socket:
        error = await ask(socket, start_tracking(embedding, 3))
    assert (error["type"], error["session_id"]) == ("error", "x")
    assert "--allow-source 3" in error["message"]


async def test_the_camera_of_this_machine_is_read(tmp_path, http):
    assert parse_settings(["--preset", "search"]).allow_source == ("0",)
    with running_server(tmp_path, "--preset", "search", *FLAGS) as server:
        picture = {"image": encoded(pictures.sample_jpegs(1)[0])}
        _, person = await post(http, server, "/upload-embedding", picture)
        async with socket_to(server, "/video-stream/cam") as socket:
            await receive(socket)
            # As the page asks for it. A machine without a camera says that it has none.
            told = await ask(socket, start_tracking(person["embedding"], 0))
            assert told["status"] in ("tracking_started", "error")
            assert "--allow-source" not in told["message"]
            if told["status"] == "error":
                assert "camera 0" in told["message"]
