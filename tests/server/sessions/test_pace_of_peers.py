"""A peer that sends more than there is time for is told so, in the way that it understands."""

import aiohttp
import pytest
from aiortc import RTCRtpSender

from client_test.peer import ClientPeer
from tests.support.seen import watching
from tests.support.server import running_server
from tests.support.tracks import ColourTrack

STEADY = "tests.support.models:Steady"
WITHIN_S = 60.0


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("server")
    with running_server(folder, "--analyzers", STEADY, "--workers", "1") as running:
        running.wait_until("/health", lambda h: all(w["ready"] for w in h["workers"]))
        yield running


async def test_a_client_that_keeps_a_pace_is_told_its_rate(server):
    async with ClientPeer(server.url) as peer:
        peer._optional_keys["pace"] = True
        track = ColourTrack(fps=30)
        await peer.connect(track)
        told = [await peer.wait_for(lambda m: m.get("type") == "pace", WITHIN_S)]
        # It has time for twelve a second, and for fewer where others use the machine.
        assert 1 <= told[0]["max_fps"] <= 15
        # It keeps to what it is told, and there is room for all that it sends; so there is more.
        while not told[1:] or not is_more(*told[-2:]):
            keep_to(track, told[-1]["max_fps"])
            told.append(
                await peer.wait_for(
                    lambda m: m.get("type") == "pace" and not any(m is each for each in told),
                    WITHIN_S,
                )
            )


def is_more(before, after):
    return after["max_fps"] is None or after["max_fps"] > before["max_fps"]


def keep_to(track, fps):
    """Have it send at another rate from now on."""
    elapsed_s = track.sent / track._fps
    track._began_s += elapsed_s - track.sent / fps
    track._fps = fps


async def test_what_somebody_watches_stays_as_it_is(server):
    async with ClientPeer(server.url, publish="watched") as peer:
        peer._optional_keys["pace"] = True
        await peer.connect(ColourTrack(fps=30))
        told = await peer.wait_for(lambda m: m.get("type") == "pace", WITHIN_S)
        assert told["max_fps"] is not None
        async with aiohttp.ClientSession() as http, watching(server, http, "watched", "VP8"):
            told = await peer.wait_for(
                lambda m: m.get("type") == "pace" and m["max_fps"] is None, WITHIN_S
            )
            number = peer.received[-1].get("frame", {}).get("number", 0)
            await peer.wait_for(
                lambda m: (m.get("frame") or {}).get("number", 0) > number + 200, WITHIN_S
            )
            last = [m for m in peer.received if m.get("type") == "pace"][-1]
            assert last is told


async def test_any_other_client_is_told_to_send_less(server, monkeypatch):
    rates = []
    take = RTCRtpSender._handle_rtcp_packet

    async def note(self, packet):
        await take(self, packet)
        encoder = getattr(self, "_RTCRtpSender__encoder", None)
        if encoder is not None and hasattr(encoder, "target_bitrate"):
            rates.append(encoder.target_bitrate)

    monkeypatch.setattr(RTCRtpSender, "_handle_rtcp_packet", note)
    async with ClientPeer(server.url, codec="VP8") as peer:
        await peer.connect(ColourTrack(fps=30, size=(320, 240)))
        before = await peer.wait_for(lambda m: "steady" in m, WITHIN_S)
        number = before["frame"]["number"] + 240
        await peer.wait_for(lambda m: (m.get("frame") or {}).get("number", 0) > number, WITHIN_S)
        assert not [m for m in peer.received if m.get("type") == "pace"]
    assert rates
    assert rates[-1] < max(rates)
