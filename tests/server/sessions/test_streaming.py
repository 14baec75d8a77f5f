"""Sessions from their first frame to their final result, over real peer connections."""

import asyncio
import itertools
import signal
import time

import aiohttp
import pytest

from client_test.peer import ClientPeer
from tests.support.server import COUNTER, running_server
from tests.support.tracks import ColourTrack, ToneTrack


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with running_server(
        tmp_path_factory.mktemp("server"), "--analyzers", COUNTER, "--workers", "1"
    ) as running:
        yield running


async def test_every_frame_gives_a_result_that_names_it(server):
    track = ColourTrack(rgb=(200, 60, 30))
    async with ClientPeer(server.url) as peer:
        await peer.connect(track)
        results = []
        async with asyncio.timeout(60):
            async for result in peer.results():
                results.append(result)
                if len(results) == 30:
                    break
        final = await peer.end()
    first, last = results[0], results[-1]
    assert first["final"] is False
    # On a busy machine the very first may have been replaced by the next one.
    assert first["frame"]["pts"] == pytest.approx((first["frame"]["number"] - 1) * 1000 / 30, abs=1)
    assert (first["frame"]["width"], first["frame"]["height"]) == (160, 120)
    assert first["size"] == [120, 160], "rows first, as numpy has them"
    # Red stays red: the planes and their order are right.
    assert first["mean_rgb"] == pytest.approx([200, 60, 30], abs=12)
    numbers = [result["frame"]["number"] for result in results]
    assert numbers == sorted(set(numbers))
    # 30 fps: the frames' own times, not those of their arrival.
    steps = [
        (b["frame"]["pts"] - a["frame"]["pts"]) / (b["frame"]["number"] - a["frame"]["number"])
        for a, b in itertools.pairwise(results)
    ]
    assert steps == pytest.approx([1000 / 30] * len(steps), abs=1)
    assert last["timestamp_ms"] == pytest.approx(last["frame"]["pts"], abs=0.01)
    assert abs(last["timestamp"] - time.time() * 1000) < 10_000
    assert last["timing"]["analyzers"].keys() == {"counter"}
    assert last["dropped"] == last["frame"]["number"] - last["count"]
    assert final["final"] is True
    assert final["total"] >= final["count"] >= 30


async def ended(server, peer):
    """What is told of a peer's session once it has ended, a moment after its final result."""
    path = f"/sessions/{peer.session.id}"
    return await asyncio.to_thread(server.wait_until, path, lambda s: s["state"] == "ended")


@pytest.mark.parametrize("use", ["websocket", "legacy", "http"])
async def test_every_door_opens_a_session(server, use):
    async with ClientPeer(server.url, use=use) as peer:
        await peer.connect(ColourTrack())
        result = await peer.wait_for(lambda m: "count" in m)
        assert result["count"] >= 1
        assert server.get(f"/sessions/{peer.session.id}")["state"] == "streaming"
        await peer.end()


async def test_h264_works_as_vp8_does(server):
    async with ClientPeer(server.url, codec="H264") as peer:
        await peer.connect(ColourTrack(rgb=(40, 180, 90)))
        result = await peer.wait_for(lambda m: m.get("count", 0) > 5)
        assert result["mean_rgb"] == pytest.approx([40, 180, 90], abs=12)
        await peer.end()


async def test_a_session_without_one_frame_gets_its_final_result(server):
    async with ClientPeer(server.url) as peer:
        track = ColourTrack(fps=0.001)
        track.sent = 1
        await peer.connect(track)
        final = await peer.end()
        assert final["final"] is True
        assert final["total"] == 0
        assert final["frame"] is None


async def test_the_end_of_the_track_ends_the_session(server):
    async with ClientPeer(server.url) as peer:
        await peer.connect(ColourTrack())
        await peer.wait_for(lambda m: m.get("count", 0) > 3)
        await peer.connection.getSenders()[0].stop()
        final = await peer.wait_for(lambda m: m.get("final"))
        assert final["total"] >= 3
    status = await ended(server, peer)
    assert status["states"] == ["new", "streaming", "ending", "ended"]
    assert status["end_reason"] == "the video track ended"


@pytest.mark.parametrize("leave", ["close", "vanish"])
async def test_a_resumed_session_goes_on_counting(server, leave):
    async with ClientPeer(server.url) as peer:
        await peer.connect(ColourTrack())
        before = await peer.wait_for(lambda m: m.get("count", 0) >= 10)
        await getattr(peer, leave)()
        began = time.monotonic()
        await asyncio.to_thread(
            server.wait_until,
            f"/sessions/{peer.session.id}",
            lambda status: status["state"] == "disconnected",
        )
        # Within 5 s, and more where the machine has none to spare; ICE alone takes half a minute.
        assert time.monotonic() - began < 20.0, "a peer that is gone is noticed"
    async with ClientPeer(server.url, resume=peer.session.resume) as again:
        await again.connect(ColourTrack())
        after = await again.wait_for(lambda m: "count" in m)
        assert again.session.id == peer.session.id
        assert after["count"] > before["count"]
        assert after["frame"]["pts"] > before["frame"]["pts"], "time goes on, with a gap"
        final = await again.end()
        assert final["total"] > before["count"]
    states = (await ended(server, peer))["states"]
    assert states == ["new", "streaming", "disconnected", "streaming", "ending", "ended"]


async def test_a_second_offer_on_the_same_socket_continues_the_session(server):
    first = ClientPeer(server.url, use="websocket")
    await first.connect(ColourTrack())
    counted = await first.wait_for(lambda m: m.get("count", 0) >= 5)
    offers = aiohttp.ClientSession()
    socket = await offers.ws_connect(f"{server.url}/signaling")
    second = ClientPeer(server.url, resume=first.session.resume)
    await second.connect(ColourTrack())
    later = await second.wait_for(lambda m: "count" in m)
    assert later["count"] > counted["count"]
    # The place is taken over: the first connection is closed by the server.
    async with asyncio.timeout(60):
        async for _ in first.messages():
            pass
    await second.end()
    for closing in (socket, offers, first, second):
        await closing.close()


async def test_an_unknown_resume_token_opens_a_new_session(server):
    async with ClientPeer(server.url, resume="long-forgotten") as peer:
        await peer.connect(ColourTrack())
        await peer.wait_for(lambda m: "count" in m)
        assert peer.session.resume != "long-forgotten"
        status = server.get(f"/sessions/{peer.session.id}")
        assert status["states"] == ["new", "streaming"]
        await peer.end()


async def test_sound_is_drained_and_a_second_video_is_not_taken(server):
    red, blue = ColourTrack(rgb=(220, 30, 30)), ColourTrack(rgb=(30, 30, 220))
    tone = ToneTrack()
    async with ClientPeer(server.url) as peer:
        await peer.connect(tone, red, blue)
        results = []
        async with asyncio.timeout(60):
            async for result in peer.results():
                results.append(result)
                if len(results) == 40:
                    break
        assert all(result["mean_rgb"][0] > result["mean_rgb"][2] for result in results)
        assert tone.sent > 40
        assert blue.sent == 0, "the answer refuses it"
        await peer.end()


async def test_control_messages(server):
    async with ClientPeer(server.url, options={"counter": {"colour": "red"}}) as peer:
        await peer.connect(ColourTrack())
        clock = await peer.ping()
        assert abs(clock.offset_ms) < 1000, "one machine, one clock"
        assert (await peer.wait_for(lambda m: "count" in m))["options"] == {"colour": "red"}
        peer.send({"type": "configure", "options": {"counter": {"speed": 3}}})
        await peer.wait_for(lambda m: m.get("options") == {"colour": "red", "speed": 3})
        peer.send({"type": "subscribe", "keys": ["count"]})
        thin = await peer.wait_for(lambda m: "count" in m and "size" not in m)
        assert thin.keys() == {"count", "final", "timestamp", "frame", "timing", "dropped"}
        peer.send({"type": "rate", "hz": 5})
        # What is on its way still comes; then there is one in 200 ms, of 30 frames a second.
        times_ms = []
        async with asyncio.timeout(60):
            async for result in peer.results():
                times_ms.append(result["timestamp"])
                if len(times_ms) > 10 and times_ms[-1] - times_ms[-11] >= 1000:
                    break
        await peer.end()


async def test_a_client_that_reads_nothing_costs_no_memory_and_no_one_else(server):
    deaf = ClientPeer(server.url)
    await deaf.connect(ColourTrack())
    await deaf.wait_for(lambda m: "count" in m)

    async def ignore(*_):
        """Take SCTP packets in and never acknowledge them."""

    deaf.connection.sctp._handle_data = ignore
    dropped = "kinecast_results_dropped_total"
    before = server.metric(dropped)
    await asyncio.to_thread(
        server.wait_until,
        "/metrics",
        lambda text: float(text.split(f"\n{dropped} ")[1].split()[0]) > before + 10,
        30,
    )
    async with ClientPeer(server.url) as other:
        await other.connect(ColourTrack())
        await other.wait_for(lambda m: m.get("count", 0) > 20)
        await other.end()
    await deaf.close()


async def test_results_as_server_sent_events(server):
    async with ClientPeer(server.url) as peer, aiohttp.ClientSession() as http:
        await peer.connect(ColourTrack())
        url = f"{server.url}/sessions/{peer.session.id}/results"
        async with http.get(url) as response, asyncio.timeout(60):
            assert response.content_type == "text/event-stream"
            events = []
            async for line in response.content:
                if line.startswith(b"event: "):
                    events.append(line.split()[1])
                if events.count(b"result") == 3 and not peer.final:
                    await peer.end()
        assert events[-1] == b"final"


async def test_a_session_can_be_ended_over_http(server):
    async with ClientPeer(server.url) as peer, aiohttp.ClientSession() as http:
        await peer.connect(ColourTrack())
        await peer.wait_for(lambda m: "count" in m)
        assert peer.session.id in [s["id"] for s in server.get("/sessions")["sessions"]]
        async with http.delete(f"{server.url}/sessions/{peer.session.id}") as response:
            assert (await response.json())["state"] == "ended"
        assert (await peer.wait_for(lambda m: m.get("final")))["total"] >= 1
        async with http.delete(f"{server.url}/sessions/none") as response:
            assert response.status == 404
            assert (await response.json())["code"] == 404


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_the_final_result_goes_out_when_the_server_stops(tmp_path, number):
    with running_server(tmp_path, "--analyzers", COUNTER, "--workers", "1") as server:
        async with ClientPeer(server.url) as peer:
            await peer.connect(ColourTrack())
            await peer.wait_for(lambda m: m.get("count", 0) > 3)
            server.process.send_signal(number)
            final = await peer.wait_for(lambda m: m.get("final"))
            assert final["total"] > 3
            assert await asyncio.to_thread(server.process.wait, 60) == 0
        assert "Traceback" not in server.log


async def test_an_expired_session_ends(tmp_path):
    with running_server(
        tmp_path, "--analyzers", COUNTER, "--workers", "1", "--resume-window", "0.2"
    ) as server:
        async with ClientPeer(server.url) as peer:
            await peer.connect(ColourTrack())
            await peer.wait_for(lambda m: m.get("count", 0) > 3)
        status = await asyncio.to_thread(
            server.wait_until,
            f"/sessions/{peer.session.id}",
            lambda status: status["state"] == "ended",
        )
        assert status["end_reason"] == "the peer went away"
        assert status["last_result"]["final"] is True


async def test_a_failed_attempt_to_resume_does_not_end_the_session(server):
    async with ClientPeer(server.url) as peer:
        await peer.connect(ColourTrack())
        before = await peer.wait_for(lambda m: m.get("count", 0) >= 5)
    url = f"{server.url}/offer"
    async with aiohttp.ClientSession() as http:
        body = {"sdp": "v=0\r\n", "type": "offer", "resume": peer.session.resume}
        async with http.post(url, json=body) as response:
            assert response.status == 400
    async with ClientPeer(server.url, resume=peer.session.resume) as again:
        await again.connect(ColourTrack())
        assert (await again.wait_for(lambda m: "count" in m))["count"] > before["count"]
        await again.end()


async def test_a_session_that_made_room_ends_properly(tmp_path):
    recordings = tmp_path / "recordings"
    with running_server(
        tmp_path,
        *("--analyzers", COUNTER, "--workers", "1", "--max-sessions", "1"),
        *("--record-to", str(recordings)),
    ) as server:
        async with ClientPeer(server.url) as gone:
            await gone.connect(ColourTrack())
            await gone.wait_for(lambda m: m.get("count", 0) > 3)
        sid = gone.session.id
        await asyncio.to_thread(
            server.wait_until, f"/sessions/{sid}", lambda s: s["state"] == "disconnected"
        )
        async with ClientPeer(server.url) as next_one:
            await next_one.connect(ColourTrack())
            status = await asyncio.to_thread(
                server.wait_until, f"/sessions/{sid}", lambda s: s["state"] == "ended"
            )
            assert status["end_reason"] == "its place was needed"
            assert status["last_result"]["total"] > 3
            await next_one.end()
    assert (recordings / sid / "summary.json").exists()


async def test_a_reader_of_events_gets_notices_too(server):
    from server.api.sessions import MAX_WAITING, EventSink
    from server.sessions.results import Result, Timing
    from server.sessions.values import Values

    sink = EventSink()
    sink.notice({"type": "analyzers_restarted"})
    for number in range(10):
        sink.result(Result(None, Values({"n": str(number).encode()}), Timing(0, {}, {}), 0))
    sink.final(Result(None, Values(), Timing(0, {}, {}), 0, final=True))
    events = [event async for event in sink]
    assert events[0].startswith(b"event: analyzers_restarted\n")
    assert len(events) == 1 + MAX_WAITING
    assert b'"n":9' in events[-2]
    assert events[-1].startswith(b"event: final\n")


async def test_notices_do_not_pile_up_for_a_slow_reader_of_events():
    from server.api.sessions import MAX_NOTICES, EventSink
    from server.sessions.results import Result, Timing
    from server.sessions.values import Values

    sink = EventSink()
    for number in range(10 * MAX_NOTICES):
        sink.notice({"type": "unreadable_frame", "frame": number})
    sink.final(Result(None, Values(), Timing(0, {}, {}), 0, final=True))
    *notices, final = [event async for event in sink]
    assert len(notices) == MAX_NOTICES
    assert f"{10 * MAX_NOTICES - 1}".encode() in notices[-1], "the newest are kept"
    assert final.startswith(b"event: final\n")
