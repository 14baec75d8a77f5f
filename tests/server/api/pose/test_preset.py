"""What the game around the older pose backend sends and reads, against ``--preset pose``."""

import asyncio
import json

import aiohttp
import pytest
from websockets.exceptions import InvalidStatus

from server.api.game import PICKS_PER_S, POSES
from tests.server.api.pose.answers import FLAGS, SECRET, STAND_IN, post
from tests.support import pictures
from tests.support.older_clients import ask, receive, socket_to
from tests.support.server import running_server


@pytest.fixture(scope="module")
def preset(tmp_path_factory):
    flags = ("--preset", "pose", "--analyzers", "pose", *FLAGS, "--expensive-per-minute", "0")
    with running_server(tmp_path_factory.mktemp("server"), *flags) as running:
        yield running


SAMPLE = pictures.sample_jpegs(1)[0]


async def test_landmarks_are_in_pixels_and_in_capitals(preset, http):
    width, height = 640, 480
    async with socket_to(preset, "/ws") as socket:
        answer = await ask(socket, SAMPLE)
    async with socket_to(preset, "/ws?coordinates=relative&names=lower") as socket:
        ours = await ask(socket, SAMPLE)
    _, posted = await post(http, preset, SAMPLE)
    assert answer["landmarks"][0]["name"] == posted["landmarks"][0]["name"] == "NOSE"
    assert ours["landmarks"][0]["name"] == "nose"
    for theirs, mark in zip(answer["landmarks"], ours["landmarks"], strict=True):
        assert theirs["name"] == mark["name"].upper()
        assert theirs["x"] == pytest.approx(mark["x"] * width)
        assert theirs["y"] == pytest.approx(mark["y"] * height)
        assert theirs["z"] == pytest.approx(mark["z"] * width), "as wide as it is deep"
        assert (theirs["index"], theirs["visibility"]) == (mark["index"], mark["visibility"])
    assert posted["landmarks"][0]["x"] > 1


async def test_without_the_preset_a_client_asks_for_it(server, http):
    form = aiohttp.FormData()
    form.add_field("image", SAMPLE, filename="picture.jpg")
    asked = f"{server.url}/pose?coordinates=pixels&names=upper"
    async with http.post(asked, data=form) as response:
        nose = (await response.json())["landmarks"][0]
    assert nose["name"] == "NOSE"
    assert nose["x"] > 1
    async with socket_to(server, "/ws?coordinates=pixels&names=upper") as socket:
        answer = await ask(socket, SAMPLE)
    assert answer["landmarks"][0]["name"] == "NOSE"
    assert answer["landmarks"][0]["x"] > 1
    with pytest.raises(InvalidStatus) as refused:
        await socket_to(server, "/ws?coordinates=metres")
    assert refused.value.response.status_code == 400
    assert "coordinates" in refused.value.response.body.decode()


async def test_errors_have_both_keys(preset, http):
    async with socket_to(preset, "/ws") as socket:
        damaged, text = await ask(socket, b"no picture"), await ask(socket, "hello")
    assert (damaged["error"], text["error"]) == ("decode_failed", "send_binary_frames")
    assert damaged["detail"]
    assert "binary" in text["detail"]
    status, refused = await post(http, preset, b"no picture")
    assert (status, refused["error"]) == (400, "decode_failed")
    status, refused = await post(http, preset, SAMPLE, name="picture")
    assert (status, refused["error"]) == (400, "send_a_form")


async def test_all_players_get_the_next_pose(preset):
    async with socket_to(preset, "/ws/control") as one, socket_to(preset, "/ws/control") as other:
        picked = await ask(one, json.dumps({"type": "next"}))
        assert picked["type"] == "pose"
        assert picked["pose"] in POSES
        assert await receive(other) == picked
        assert await ask(other, "{") == {"error": "invalid_json"}
        assert await ask(other, "[1]") == {"type": "error", "detail": "unknown_type"}
        await other.send(b"\x00")
        assert (await ask(other, '{"type": "else"}'))["detail"] == "unknown_type"


async def test_who_asks_without_end_is_not_followed_by_all(preset):
    async with socket_to(preset, "/ws/control") as one, socket_to(preset, "/ws/control") as other:
        for _ in range(200):
            await one.send('{"type": "next"}')
        answers = [await receive(one) for _ in range(200)]
        poses = [answer for answer in answers if answer["type"] == "pose"]
        assert f"more than {PICKS_PER_S:g} poses" in json.dumps(answers)
        assert 1 <= len(poses) < 100
        assert [await receive(other) for _ in poses] == poses


async def test_players_of_another_subject_play_another_game(tmp_path):
    from server.security import tokens
    from server.security.identity import Scope

    def path(subject):
        return "/ws/control?token=" + tokens.issue(SECRET, [Scope.PUBLISH], 600, subject)

    flags = ("--preset", "pose", "--analyzers", STAND_IN, "--auth-secret", SECRET, *FLAGS)
    with running_server(tmp_path, *flags) as server:
        async with socket_to(server, path("ann")) as ann, socket_to(server, path("bob")) as bob:
            await ask(ann, '{"type": "next"}')
            assert (await ask(bob, "{")) == {"error": "invalid_json"}, "and nothing before it"
            # Whoever asks without end uses up what their own game gets.
            for _ in range(200):
                await ann.send('{"type": "next"}')
            answers = [await receive(ann) for _ in range(200)]
            assert f"more than {PICKS_PER_S:g} poses" in json.dumps(answers)
            assert (await ask(bob, '{"type": "next"}'))["type"] == "pose"
        with pytest.raises(InvalidStatus) as refused:
            await socket_to(server, "/ws/control")
        assert refused.value.response.status_code == 401


async def test_a_text_comes_back(preset):
    async with socket_to(preset, "/ws/test") as socket:
        assert await ask(socket, "hello") == {"type": "ack", "received": "hello"}
        async with asyncio.timeout(60):
            await socket.close()
