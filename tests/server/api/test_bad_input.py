"""What bad input gets: a clear error in its API's form, with every other session untouched."""

import asyncio
import json
import socket
import struct

import aiohttp
import numpy as np
import pytest
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription

from client_test.errors import Rejected
from client_test.ice_hosts import offering
from client_test.peer import ClientPeer
from server.config import BadSettings, parse_settings
from tests.support.in_process import refusal
from tests.support.server import COUNTER, FAULTY, free_port, run_until_exit, running_server
from tests.support.tracks import ColourTrack, ToneTrack, offer_of

ANALYZERS = f"{COUNTER},{FAULTY}"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with running_server(
        tmp_path_factory.mktemp("server"), "--analyzers", ANALYZERS, "--workers", "1"
    ) as running:
        yield running


@pytest.fixture
async def witness(server):
    """A session that must go on whatever happens in another."""
    async with ClientPeer(server.url) as peer:
        await peer.connect(ColourTrack())
        before = await peer.wait_for(lambda m: "count" in m)
        yield peer
        at = peer.received[-1].get("count", before["count"])
        after = await peer.wait_for(lambda m: m.get("count", 0) >= at + 10)
        assert after["count"] > before["count"]
        assert not [m for m in peer.received if "type" in m], "it heard of another's trouble"
        await peer.end()


@pytest.fixture
async def socket_to(server):
    async with aiohttp.ClientSession() as http, http.ws_connect(f"{server.url}/signaling") as ws:
        yield ws


async def ask(ws, message) -> dict:
    if isinstance(message, bytes):
        await ws.send_bytes(message)
    else:
        await ws.send_str(message if isinstance(message, str) else json.dumps(message))
    return json.loads(await ws.receive_str(timeout=60))


def offer_with(sdp, **extra) -> dict:
    return {"type": "offer", "data": {"sdp": sdp, "type": "offer", **extra}}


@pytest.mark.parametrize(
    ("message", "says"),
    [
        ("hello", "not JSON"),
        ("[1, 2]", "must be an object"),
        ('{"data": {}}', "type"),
        ('{"type": "dance", "data": {}}', "unknown message type"),
        ('{"type": "offer", "data": "v=0"}', "object"),
        ('{"type": "offer", "data": {"type": "offer"}}', "sdp"),
        (b"\x00\x01", "text is due"),
        (offer_with("garbage"), "v=0"),
        (offer_with(""), "empty"),
        (offer_with("v=0\r\n" + "a=x\r\n" * 60_000), "long"),
        (
            {
                "type": "ice-candidate",
                "data": {"candidate": "candidate:1 1 udp 1 127.0.0.1 9 typ host"},
            },
            "offer first",
        ),
    ],
    ids=lambda value: str(value)[:30] if not isinstance(value, dict) else value["type"],
)
async def test_signaling_answers_an_error_and_goes_on(socket_to, witness, message, says):
    error = await ask(socket_to, message)
    assert error["type"] == "error"
    assert error["data"]["code"] == 400
    assert says in error["data"]["message"]
    assert (await ask(socket_to, {"type": "ice-servers"}))["type"] == "ice-servers"


async def test_offers_without_usable_video(socket_to, server, witness):
    audio_only = await offer_of(ToneTrack())
    video = await offer_of(ColourTrack())
    vp9_only = video.replace("VP8/90000", "VP9/90000").replace("H264/90000", "AV1/90000")
    async with aiohttp.ClientSession() as http:
        for sdp, says in ((audio_only, "video"), (vp9_only, "VP8"), ("v=0\r\n", ""), ("", "empty")):
            error = await ask(socket_to, offer_with(sdp))
            assert (error["type"], error["data"]["code"]) == ("error", 400)
            assert says in error["data"]["message"]
            async with http.post(
                f"{server.url}/offer", json={"sdp": sdp, "type": "offer"}
            ) as response:
                assert response.status == 400
                body = await response.json()
                assert body["code"] == 400
                assert says in body["message"]
        # The same socket still takes a good one.
        answer = await ask(socket_to, offer_with(video))
        assert answer["type"] == "answer"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 400),
        (b"[]", 400),
        (b'{"sdp": "v=0", "type": "answer"}', 400),
        (b'{"sdp": 7, "type": "offer"}', 400),
        (json.dumps({"sdp": "v=0\r\n" * 60_000, "type": "offer"}).encode(), 400),
        (json.dumps({"sdp": "v=0\r\n" * 500_000, "type": "offer"}).encode(), 413),
        (b" " * (9 * 1024 * 1024), 413),
    ],
    ids=["half", "list", "answer", "number", "300 KB", "2 MB", "9 MB"],
)
async def test_http_errors_have_message_and_code(server, witness, body, status):
    async with aiohttp.ClientSession() as http:
        async with http.post(f"{server.url}/offer", data=body) as response:
            assert response.status == status
            answer = await response.json()
            assert answer["code"] == status
            assert answer["message"]
        async with http.get(f"{server.url}/nowhere") as response:
            assert response.status == 404
            assert (await response.json())["code"] == 404


async def test_unknown_analyzers_and_options_are_refused(server, witness):
    for extra in ({"analyzers": ["nosuch"]}, {"options": {"nosuch": {}}}):
        with pytest.raises(Rejected, match="counter"):
            async with ClientPeer(server.url, **extra) as peer:
                await peer.connect(ColourTrack())


async def test_a_data_channel_that_is_never_opened(server, witness):
    """Video alone: the session runs, and its results can be had elsewhere."""
    connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    connection.addTrack(ColourTrack())
    with offering(["127.0.0.1"]):
        await connection.setLocalDescription(await connection.createOffer())
    async with aiohttp.ClientSession() as http:
        offer = {"sdp": connection.localDescription.sdp, "type": "offer"}
        async with http.post(f"{server.url}/offer", json=offer) as response:
            answer = await response.json()
    await connection.setRemoteDescription(RTCSessionDescription(answer["sdp"], "answer"))
    sid = answer["session"]["id"]
    status = await asyncio.to_thread(
        server.wait_until, f"/sessions/{sid}", lambda s: s["analyzed"] > 5
    )
    assert status["last_result"]["count"] > 5
    await connection.close()


async def test_a_second_data_channel_is_told_and_harms_nothing(server, witness):
    async with ClientPeer(server.url) as peer:
        await peer.connect(ColourTrack())
        second = peer.connection.createDataChannel("another")
        told = asyncio.get_running_loop().create_future()
        second.on("message", lambda text: told.done() or told.set_result(json.loads(text)))
        message = await asyncio.wait_for(told, 60)
        assert (message["type"], message["code"]) == ("error", 409)
        at = (await peer.wait_for(lambda m: "count" in m))["count"]
        await peer.wait_for(lambda m: m.get("count", 0) > at + 5)
        # When the first one is closed, a new one takes its place.
        peer.channel.close()
        third = peer.connection.createDataChannel("third")
        heard = asyncio.get_running_loop().create_future()
        third.on("message", lambda text: heard.done() or heard.set_result(json.loads(text)))
        assert "count" in await asyncio.wait_for(heard, 60)
        third.send("end session")


@pytest.mark.parametrize(
    ("sent", "says"),
    [
        (b"\x01\x02", "text"),
        ("hello", "JSON"),
        ('{"type": "fly"}', "ping"),
        ('{"type": "rate", "hz": -1}', "hz"),
        ('{"type": "subscribe", "keys": "all"}', "keys"),
        ("x" * 70_000, "characters"),
        ('{"type": "ping", "t": 1000000000000000000000000000000000000000000000}', ""),
        ('{"type": "configure", "options": {"nosuch": {}}}', "nosuch"),
    ],
    ids=[
        *("binary", "no JSON", "unknown type", "negative rate", "wrong shape", "too long"),
        *("huge number", "unknown analyzer"),
    ],
)
async def test_bad_control_messages(server, witness, sent, says):
    async with ClientPeer(server.url) as peer:
        await peer.connect(ColourTrack())
        peer.send(sent)
        error = await peer.wait_for(lambda m: m.get("type") in ("error", "pong"))
        assert error.get("code", 400) == 400
        assert says in error.get("message", "")
        at = max(m.get("count", 0) for m in peer.received)
        await peer.wait_for(lambda m: m.get("count", 0) > at)
        await peer.end()


async def test_a_text_message_that_is_not_utf8(server, witness):
    async with ClientPeer(server.url) as peer:
        await peer.connect(ColourTrack())
        await peer.wait_for(lambda m: "count" in m)
        string = 51  # The payload type of text, RFC 8831, section 8.
        peer.connection.sctp._data_channel_queue.append((peer.channel, string, b"\xff\xfe"))
        await peer.connection.sctp._data_channel_flush()
        at = max(m.get("count", 0) for m in peer.received)
        await peer.wait_for(lambda m: m.get("count", 0) > at + 5)
        await peer.ping()
        await peer.end()


async def test_options_that_are_nested_too_deep(socket_to, server, witness):
    options: dict = {}
    for _ in range(500):
        options = {"deeper": options}
    sdp = await offer_of(ColourTrack())
    error = await ask(socket_to, offer_with(sdp, options={"counter": options}))
    assert error["data"]["code"] == 400
    assert "deep" in error["data"]["message"]


async def test_a_socket_that_is_cut_in_mid_negotiation(server, witness):
    sdp = await offer_of(ColourTrack())
    async with aiohttp.ClientSession() as http:
        for message in (offer_with(sdp), {"type": "ice-servers"}):
            ws = await http.ws_connect(f"{server.url}/signaling")
            for _ in range(5):
                await ws.send_json(message)
            ws.get_extra_info("socket").setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
            )
            ws._response.connection.transport.abort()
    status = await asyncio.to_thread(server.get, "/health")
    assert status["ready"]
    assert server.log.count("Traceback") == 0


@pytest.mark.parametrize("phase", ["start", "frame", "end"])
async def test_an_analyzer_that_raises_costs_its_own_result_only(server, witness, phase):
    async with ClientPeer(server.url, options={"faulty": {phase: "raise"}}) as peer:
        await peer.connect(ColourTrack())
        await peer.wait_for(lambda m: m.get("count", 0) > 10)
        final = await peer.end()
        assert final["total"] > 10
        errors = [m for m in peer.received if m.get("type") == "analyzer_error"]
        assert len(errors) == 1, "told once"
        assert errors[0]["analyzer"] == "faulty"
        assert errors[0]["phase"] == phase
        assert f"broken in {phase}" in errors[0]["message"]
        assert "Traceback" not in errors[0]["message"]


async def test_what_an_analyzer_raises_may_be_no_text(server, witness):
    async with ClientPeer(server.url, options={"faulty": {"frame": "raise surrogate"}}) as peer:
        await peer.connect(ColourTrack())
        error = await peer.wait_for(lambda m: m.get("type") == "analyzer_error")
        assert "no file" in error["message"]
        await peer.wait_for(lambda m: m.get("count", 0) > 10)
        await peer.end()


@pytest.mark.parametrize(
    ("how", "value", "says"),
    [("numpy", 1.5, "float32"), ("nan", None, "NaN"), ("bytes", "absent", "bytes")],
)
async def test_what_json_cannot_hold(server, witness, how, value, says):
    async with ClientPeer(server.url, options={"faulty": {"frame": how, "end": how}}) as peer:
        await peer.connect(ColourTrack())
        error = await peer.wait_for(lambda m: m.get("type") == "analyzer_error")
        assert error["analyzer"] == "faulty"
        assert says.lower() in error["message"].lower()
        result = await peer.wait_for(lambda m: m.get("count", 0) > 5)
        assert result.get("faulty", "absent") == value
        await peer.end()


async def test_frames_that_change_size_in_mid_stream(server, witness):
    track = ColourTrack(size=(160, 120))
    async with ClientPeer(server.url) as peer:
        await peer.connect(track)
        await peer.wait_for(lambda m: m.get("size") == [120, 160])
        for width, height in ((641, 361), (64, 64), (1280, 720)):
            track.size = (width, height)
            result = await peer.wait_for(
                lambda m, w=width, h=height: m.get("size") == [h, w], timeout_s=20
            )
            assert (result["frame"]["width"], result["frame"]["height"]) == (width, height)
            assert result["mean_rgb"] == pytest.approx([200, 60, 30], abs=16)
        final = await peer.end()
        assert final["total"] == final["count"]


def test_a_bad_setting_ends_the_process_with_status_2():
    status, text = run_until_exit("--port", "banana")
    assert status == 2
    assert text.count("\n") == 1
    assert text.startswith("kinecast: --port: ")


def test_ports_in_use_are_one_clear_line():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        status, text = run_until_exit("--port", str(port), "--analyzers", COUNTER)
    assert status == 2
    assert text.strip().splitlines()[-1].startswith(f"kinecast: port {port} of 127.0.0.1 is in use")
    assert "Traceback" not in text


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        (["--port", "banana"], "--port"),
        (["--port", "70000"], "--port"),
        (["--nonsense"], "--nonsense"),
        (["--analyzers", "nosuch"], "nosuch"),
        (["--analyzers", "no.such.module:Thing"], "no.such"),
        (["--analyzers", "tests.support.models:Nothing"], "Nothing"),
        (["--analyzers", "tests.support.models:NotAnAnalyzer"], "NotAnAnalyzer"),
        (["--workers", "0"], "--workers"),
        (["--ice-address", "example"], "--ice-address"),
        (["--ice-port-range", "9-5"], "--ice-port-range"),
        (["--ice-port", "80"], "--ice-port"),
        (["--ice-port", "50000", "--ice-port-range", "50000-50010"], "exclude each other"),
        (["--ice-servers", "http://x"], "--ice-servers"),
        (
            ["--cert-file", "/nowhere/cert.pem", "--key-file", "/nowhere/key.pem"],
            "/nowhere/cert.pem",
        ),
        (["--cert-file", "README.md"], "--key-file"),
        (["--cert-file", "README.md", "--key-file", "README.md"], "README.md"),
        (["--record-to", "/proc/nowhere"], "--record-to"),
        (["--record-to", "README.md/below"], "--record-to"),
        (["--pose-model", "/nowhere.task"], "--pose-model"),
        (
            ["--camera-hook", "no.such:hook"],
            "--camera-hook: 'no.such:hook' can not be loaded",
        ),
    ],
    ids=lambda flags: "-".join(flags)[:40].replace("/", "_") if isinstance(flags, list) else "",
)
async def test_a_bad_setting_is_one_clear_line(flags, says):
    line = await refusal("--port", str(free_port()), *flags)
    assert "\n" not in line
    assert says in line


def test_the_environment_counts_less_than_flags(monkeypatch):
    monkeypatch.setenv("PORT", "banana")
    with pytest.raises(BadSettings, match="--port"):
        parse_settings([])
    with pytest.raises(BadSettings, match="--workers") as refused:
        parse_settings(["--port", str(free_port()), "--workers", "0"])
    assert "--port" not in str(refused.value)


def test_numpy_is_really_what_the_faulty_analyzer_returns():
    from tests.support.models import Faulty

    faulty = Faulty()
    faulty.start("s", options={"frame": "numpy"})
    assert isinstance(faulty.frame("s", None, 0)["faulty"], np.float32)
