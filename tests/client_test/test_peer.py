"""The client's peer, against real answerers."""

import asyncio
import json
from pathlib import Path
from typing import Any

import aioice.ice
import pytest
from aiohttp import web

from client_test.clip import ClipTrack
from client_test.errors import ClientError, DoorMissing, NoFinalResult, NotConnected, Rejected
from client_test.ice_hosts import offering
from client_test.inbox import is_result
from client_test.peer import ClientPeer


def signaling_app(answer: Any, path: str = "/signaling") -> web.Application:
    """A WebSocket server that answers every message with `answer` (text, or what JSON takes)."""

    async def handle(request: web.Request) -> web.WebSocketResponse:
        websocket = web.WebSocketResponse()
        await websocket.prepare(request)
        async for _ in websocket:
            text = answer if isinstance(answer, str) else json.dumps(answer)
            await websocket.send_str(text)
            await websocket.close()
        return websocket

    app = web.Application()
    app.router.add_get(path, handle)
    return app


async def test_streams_and_ends(http_only: str, clip: Path) -> None:
    track = ClipTrack(clip)
    results = []
    async with ClientPeer(http_only, on_result=results.append) as peer:
        await peer.connect(track)
        assert peer.door == f"{http_only}/offer"
        await track.wait_ended()
        final = await peer.end()
        assert final["frames"] > 20
        assert peer.final == final
    assert peer.states == ["new", "connecting", "connected", "closed"]
    assert results[-1] == final
    numbers = [result["barcode"] for result in results[:-1]]
    assert numbers == list(range(len(numbers)))


async def test_results_iterate_from_the_first_to_the_final_one(http_only: str, clip: Path) -> None:
    async with ClientPeer(http_only) as peer:
        await peer.connect(ClipTrack(clip, loop=True))
        await peer.wait_for(lambda message: message.get("barcode") == 10)
        numbers = []
        async for result in peer.results():
            if result["final"]:
                break
            numbers.append(result["barcode"])
            if len(numbers) == 15:
                peer.send("end session")
        # Each once and in order; on a busy machine some frames are left out.
        assert numbers[0] == 0
        assert numbers[:15] == sorted(set(numbers[:15]))


async def test_wait_for_looks_at_what_has_come_already(http_only: str, clip: Path) -> None:
    async with ClientPeer(http_only) as peer:
        await peer.connect(ClipTrack(clip))
        await peer.wait_for(lambda message: message.get("barcode") == 12)
        earlier = await peer.wait_for(lambda message: message.get("barcode") == 5, timeout_s=0.1)
        assert earlier["barcode"] == 5


async def test_wait_for_ends_when_the_connection_does(http_only: str, clip: Path) -> None:
    async with ClientPeer(http_only) as peer:
        await peer.connect(ClipTrack(clip, loop=True))
        waiting = asyncio.create_task(peer.wait_for(lambda message: False, timeout_s=30))
        await peer.wait_for(lambda message: message.get("barcode") == 3)
        await peer.close()
        with pytest.raises(NotConnected):
            await waiting


async def test_no_answer_to_ping_is_a_timeout(http_only: str, clip: Path) -> None:
    async with ClientPeer(http_only) as peer:
        await peer.connect(ClipTrack(clip, loop=True))
        with pytest.raises(TimeoutError):
            await peer.ping(timeout_s=0.3)


async def test_after_vanishing_nothing_can_be_asked(http_only: str, clip: Path) -> None:
    async with ClientPeer(http_only) as peer:
        await peer.connect(ClipTrack(clip, loop=True))
        await peer.wait_for(lambda message: message.get("barcode") == 3)
        await peer.vanish()
        assert peer.gone
        with pytest.raises(NoFinalResult):
            await peer.end(timeout_s=1.0)


async def test_offers_loopback_alone_to_a_server_on_loopback(http_only: str, clip: Path) -> None:
    async with ClientPeer(http_only) as peer:
        await peer.connect(ClipTrack(clip))
        assert peer.connection is not None
        offered = [
            line.split()[4]
            for line in peer.connection.localDescription.sdp.splitlines()
            if line.startswith("a=candidate:")
        ]
    assert set(offered) == {"127.0.0.1"}


async def test_addresses_are_offered_within_the_block_only() -> None:
    with offering(["127.0.0.1"]):
        assert aioice.ice.get_host_addresses(True, True) == ["127.0.0.1"]

        async def elsewhere() -> list[str]:
            with offering(["127.0.0.2"]):
                await asyncio.sleep(0)
                return aioice.ice.get_host_addresses(True, True)

        both = await asyncio.gather(elsewhere(), elsewhere())
        assert both == [["127.0.0.2"], ["127.0.0.2"]]
        assert aioice.ice.get_host_addresses(True, True) == ["127.0.0.1"]
    assert "127.0.0.1" not in aioice.ice.get_host_addresses(True, False)


async def test_nobody_there_names_every_door(unused_tcp_port: int, clip: Path) -> None:
    track = ClipTrack(clip)
    async with ClientPeer(f"127.0.0.1:{unused_tcp_port}") as peer:
        with pytest.raises(DoorMissing) as failure:
            await peer.connect(track)
    track.stop()
    text = str(failure.value)
    assert f"ws://127.0.0.1:{unused_tcp_port}/signaling: Connection refused" in text
    assert f"ws://127.0.0.1:{unused_tcp_port + 1}/" in text
    assert f"http://127.0.0.1:{unused_tcp_port}/offer: Connection refused" in text
    assert "Is the server running" in text


@pytest.mark.parametrize(("use", "doors"), [("websocket", 1), ("legacy", 1), ("http", 1)])
async def test_one_door_is_tried_alone(unused_tcp_port: int, use: Any, doors: int) -> None:
    async with ClientPeer(f"127.0.0.1:{unused_tcp_port}", use=use) as peer:
        with pytest.raises(DoorMissing) as failure:
            await peer.connect()
    assert str(failure.value).count("Connection refused") == doors


async def test_error_over_websocket_ends_the_search(serve: Any) -> None:
    error = {"type": "error", "data": {"message": "no room", "code": 503, "retry_after": 7}}
    port = await serve(signaling_app(error))
    async with ClientPeer(f"127.0.0.1:{port}") as peer:
        with pytest.raises(Rejected, match="503: no room; try again in 7 s") as failure:
            await peer.connect()
    assert (failure.value.code, failure.value.retry_after_s) == (503, 7)


async def test_error_over_http_has_code_and_message(serve: Any) -> None:
    async def refuse(request: web.Request) -> web.Response:
        return web.json_response(
            {"message": "no room", "code": 503}, status=503, headers={"Retry-After": "4"}
        )

    app = web.Application()
    app.router.add_post("/offer", refuse)
    async with ClientPeer(f"127.0.0.1:{await serve(app)}", use="http") as peer:
        with pytest.raises(Rejected) as failure:
            await peer.connect()
    assert (failure.value.code, failure.value.message) == (503, "no room")
    assert failure.value.retry_after_s == 4


async def test_handshake_turned_down_is_no_missing_door(serve: Any) -> None:
    async def refuse(request: web.Request) -> web.Response:
        assert request.headers["Authorization"] == "Bearer wrong"
        return web.Response(status=401)

    app = web.Application()
    app.router.add_get("/signaling", refuse)
    async with ClientPeer(f"127.0.0.1:{await serve(app)}", token="wrong") as peer:
        with pytest.raises(Rejected) as failure:
            await peer.connect()
    assert failure.value.code == 401


@pytest.mark.parametrize(
    "answer", ["no JSON", "[]", {"type": "answer", "data": {"sdp": 5, "type": "answer"}}]
)
async def test_nonsense_for_an_answer(serve: Any, answer: Any) -> None:
    port = await serve(signaling_app(answer))
    async with ClientPeer(f"127.0.0.1:{port}", use="websocket") as peer:
        with pytest.raises(ClientError, match="answered"):
            await peer.connect()


async def test_silence_is_told_as_such(serve: Any) -> None:
    hanging = asyncio.Event()

    async def hang(request: web.Request) -> web.Response:
        await hanging.wait()
        return web.Response()

    app = web.Application()
    app.router.add_post("/offer", hang)
    port = await serve(app)
    async with ClientPeer(f"127.0.0.1:{port}", use="http", timeout_s=0.3) as peer:
        with pytest.raises(DoorMissing, match=r"no answer within 0\.3 s"):
            await peer.connect()
    hanging.set()


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ({"final": False, "has_pose": True}, True),
        ({"final": True, "type": "an analyzer's"}, True),
        ({"has_pose": True}, True),
        ({"type": "pong", "t": 1}, False),
    ],
)
def test_tells_results_from_other_messages(message: dict[str, Any], expected: bool) -> None:
    assert is_result(message) is expected
