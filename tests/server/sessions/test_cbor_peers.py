"""Results as CBOR over real connections: the same as JSON, beside clients that read JSON."""

import asyncio
import json
import struct

import aiohttp
import pytest

from client_test.errors import Rejected
from client_test.peer import ClientPeer
from tests.support.server import running_server
from tests.support.squatter import FRAMES, SQUATTER
from tests.support.tracks import ColourTrack

STEP = 0.0001
# aiortc's 12 bytes of SCTP's head and 16 of a chunk's (RFC 9260, sections 3 and 3.3.1) with it.
PACKET_BYTES = 1100 + 28


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with running_server(
        tmp_path_factory.mktemp("server"), "--analyzers", SQUATTER, "--workers", "1"
    ) as running:
        yield running


def droppable(server, **settings):
    """A client as pages' is."""
    return ClientPeer(
        server.url, events=True, ordered=False, max_retransmits=0, label="kinecast", **settings
    )


def bytes_of(channel):
    """The messages that come as bytes on a client's channel, from now on."""
    came = []
    channel.on("message", lambda data: came.append(data) if isinstance(data, bytes) else None)
    return came


async def events_of(server, peer, count):
    """So many results of a peer's session, as anybody reads them along."""
    results = {}
    url = f"{server.url}/sessions/{peer.session.id}/results"
    async with aiohttp.ClientSession() as http, http.get(url) as response:
        async for line in response.content:
            if line.startswith(b"data: {"):
                result = json.loads(line.removeprefix(b"data: "))
                results[result["frame"]["number"]] = result
            if len(results) == count:
                return results
    raise AssertionError("the stream ended")


def within_a_step(value):
    """As a comparison takes it: numbers of landmarks may be half a step off."""
    match value:
        case dict():
            return {key: within_a_step(item) for key, item in value.items()}
        case list():
            return [within_a_step(item) for item in value]
        case float():
            return pytest.approx(value, abs=0.5001 * STEP)
    return value


async def test_the_same_results_come_as_cbor_and_as_json_and_an_older_client_is_there(server):
    old = ClientPeer(server.url)
    async with droppable(server, results="cbor") as peer, old, asyncio.timeout(60):
        await old.connect(ColourTrack())
        await peer.connect(ColourTrack())
        came = bytes_of(peer.channel)
        await peer.wait_for(lambda m: m.get("seen", 0) > 3)
        as_json = await events_of(server, peer, 25)
        last = max(as_json)
        await peer.wait_for(lambda m: (m.get("frame") or {}).get("number", 0) > last)
        as_cbor = {m["frame"]["number"]: m for m in peer.received if "seen" in m}
        assert len(as_cbor.keys() & as_json.keys()) > 20
        for number in as_cbor.keys() & as_json.keys():
            assert as_cbor[number] == within_a_step(as_json[number])
            assert list(as_cbor[number]) == list(as_json[number])
        assert came
        old_one = await old.wait_for(lambda m: m.get("seen", 0) > 20)
        assert old_one["landmarks"][1]["y"] == pytest.approx(
            old_one["seen"] % 100 / 100 + 0.00001, abs=1e-9
        ), "all five decimals"
        finals = [await each.end() for each in (peer, old)]
    assert [final["total"] > 20 for final in finals] == [True, True]
    assert finals[0]["landmarks"][3]["name"] == "left_eye_outer"


async def test_a_final_result_can_be_asked_for_as_json(server):
    async with ClientPeer(server.url, results="cbor") as peer:
        await peer.connect(ColourTrack())
        await peer.wait_for(lambda m: m.get("seen", 0) > 3)
        final = await peer.end()
    last = server.get(f"/sessions/{peer.session.id}")["last_result"]
    assert last == final


async def test_a_channels_protocol_asks_for_cbor_too(server):
    async with ClientPeer(server.url, protocol="cbor") as peer:
        await peer.connect(ColourTrack())
        came = bytes_of(peer.channel)
        assert (await peer.wait_for(lambda m: "seen" in m))["frame"]["number"] >= 1
        await peer.wait_for(lambda m: m.get("seen", 0) > 5)
        assert came
        assert peer.received[0]["type"] == "layout"
        await peer.end()


async def test_another_protocol_means_what_the_offer_said(server):
    async with ClientPeer(server.url, protocol="soap") as peer:
        await peer.connect(ColourTrack())
        came = bytes_of(peer.channel)
        await peer.wait_for(lambda m: m.get("seen", 0) > 5)
        assert not came
        await peer.end()


@pytest.mark.parametrize("use", ["websocket", "http"])
async def test_another_form_is_refused_with_those_that_there_are(server, use):
    track = ColourTrack()
    async with ClientPeer(server.url, use=use, results="xml") as peer:
        with pytest.raises(Rejected, match="must be 'json' or 'cbor'") as refusal:
            await peer.connect(track)
    assert refusal.value.code == 400


async def test_the_layout_can_be_asked_for_again(server):
    async with droppable(server, results="cbor") as peer:
        await peer.connect(ColourTrack())
        first = await peer.wait_for(lambda m: m.get("type") == "layout")
        peer.received.clear()
        peer.send({"type": "layout"})
        assert await peer.wait_for(lambda m: m.get("type") == "layout") == first
        peer.send({"type": "subscribe", "keys": ["reps"]})
        await peer.wait_for(lambda m: "reps" in m and "landmarks" not in m)
        await peer.end()


async def test_a_damaged_result_ends_nothing(server):
    async with droppable(server, results="cbor") as peer:
        await peer.connect(ColourTrack())
        await peer.wait_for(lambda m: m.get("seen", 0) > 3)
        whole = bytes_of(peer.channel)
        async with asyncio.timeout(60):
            while not whole:
                await asyncio.sleep(0.01)
        count = len(peer.received)
        for damaged in (b"", b"\xff", whole[0][:-1], b"\xa1\x18\xff\x01", b"\x05", b"\x81" * 9999):
            peer.channel.emit("message", damaged)
        assert len(peer.received) == count
        at = peer.received[-1]["seen"]
        await peer.wait_for(lambda m: m.get("seen", 0) > at)
        assert (await peer.end())["final"] is True


async def test_a_result_beyond_one_packet_comes_in_pieces(server):
    async with droppable(server, results="cbor", options={"squatter": {"people": 8}}) as peer:
        sizes = []
        await peer.connect(ColourTrack())
        take, came = peer.connection.sctp._handle_data, bytes_of(peer.channel)

        async def measure(data):
            sizes.append(len(data))
            await take(data)

        peer.connection.sctp._handle_data = measure
        result = await peer.wait_for(lambda m: m.get("seen", 0) > 10)
        assert [person["id"] for person in result["people"]] == list(range(8))
        assert result["people"][7]["world_landmarks"][32]["y"] == pytest.approx(0.07 + 0.0003)
        assert max(map(len, came)) > 4 * 1100
        assert 1000 < max(sizes) <= PACKET_BYTES
        await peer.end()


# ---- two channels


async def open_channel(peer, label, **settings):
    """Another channel of a client that is connected; what comes on it, decoded."""
    channel = peer.connection.createDataChannel(label, **settings)
    opened, came = asyncio.Event(), []
    channel.on("open", opened.set)

    @channel.on("message")
    def on_message(data):
        came.append(json.loads(data) if isinstance(data, str) else peer._compact.read(data))

    async with asyncio.timeout(60):
        await opened.wait()
    return channel, came


async def until(condition):
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.02)


def numbers(came):
    """Of results that came: which frames', and of those that are events which repetition."""
    return [
        (m["frame"]["number"], (m["repetition"] or {}).get("number")) for m in came if "seen" in m
    ]


@pytest.mark.parametrize("results", ["json", "cbor"])
@pytest.mark.parametrize("first", ["events", "data"])
async def test_the_order_in_which_they_open_makes_no_difference(server, results, first):
    second = "data" if first == "events" else "events"
    async with ClientPeer(server.url, label=first, results=results) as peer:
        await peer.connect(ColourTrack())
        # Alone it carries everything, whatever it is called.
        await peer.wait_for(lambda m: m.get("seen", 0) > FRAMES + 2)
        assert len(numbers(peer.received)) > FRAMES // 2
        channel, came = await open_channel(peer, second)
        events, droppable = (peer.received, came) if first == "events" else (came, peer.received)
        await until(lambda: came)
        peer.received.clear()
        await until(lambda: len(numbers(events)) >= 3 and len(numbers(droppable)) > 10)
        told = [repetition for _, repetition in numbers(events)]
        assert told[1:] == [told[0] + n for n in range(1, len(told))]
        assert not {n for n, _ in numbers(events)} & {n for n, _ in numbers(droppable)}
        _, refusals = await open_channel(peer, "more")
        await until(lambda: refusals)
        assert refusals[0]["code"] == 409
        # When the second closes, the first carries everything again.
        channel.close()
        await until(lambda: channel.readyState == "closed")
        peer.received.clear()
        await until(lambda: len(numbers(peer.received)) > 2 * FRAMES)
        repetitions = {repetition for _, repetition in numbers(peer.received)}
        assert len(repetitions) >= 2
        assert (await peer.end())["final"] is True


def pieces(packet):
    """Stream and number of each piece of a message in a packet (RFC 9260, sections 3 and 3.3.1)."""
    at = 12
    while at < len(packet):
        kind, _, length = struct.unpack_from("!BBH", packet, at)
        if kind == 0:
            number, stream = struct.unpack_from("!LH", packet, at + 4)
            yield stream, number
        at += length + -length % 4


class LossyLine:
    """Loses each piece of a client's events once, and one in three of its results."""

    def __init__(self, peer):
        self._events, self._results = peer.events.id, peer.channel.id
        self._association = peer.connection.sctp
        self._take = peer.connection.sctp._handle_data
        self._sent = set()
        self.lost = {self._events: 0, self._results: 0}
        peer.connection.sctp._handle_data = self._handle_data

    async def _handle_data(self, packet):
        lost = [stream for stream, number in pieces(packet) if self._loses(stream, number)]
        for stream in lost:
            self.lost[stream] += 1
        if not lost:
            await self._take(packet)

    def _loses(self, stream, number):
        if stream == self._results:
            return number % 3 == 0
        is_first, _ = (stream, number) not in self._sent, self._sent.add((stream, number))
        return stream == self._events and is_first

    def mend(self):
        """Lose no more."""
        self._association._handle_data = self._take
        return self.lost[self._events], self.lost[self._results]


def read_from(peer, channel):
    """Results that come as bytes on a channel, from now on."""
    came = []

    @channel.on("message")
    def on_message(data):
        if isinstance(data, bytes):
            came.append(peer._compact.read(data))

    return came


async def test_what_must_arrive_comes_however_much_is_lost(server):
    async with droppable(server, results="cbor") as peer:
        await peer.connect(ColourTrack())
        events, results = (read_from(peer, each) for each in (peer.events, peer.channel))
        await peer.wait_for(lambda m: m.get("seen", 0) > 3)
        line = LossyLine(peer)
        await until(lambda: len(results) > 60 and len(events) >= 6)
        events_lost, results_lost = line.mend()
        final = await peer.end()
    told = [repetition for _, repetition in numbers(events)]
    assert told == [*range(1, final["repetition"]["number"] + 1), told[-1]], "and the final one"
    assert events_lost >= 6
    assert results_lost > 20
    seen = {message["seen"] for message in events + results}
    missing = set(range(min(seen), max(seen))) - seen
    assert len(missing) > 10, "what was lost of the others is not sent again"
    assert not any(number % FRAMES == 0 for number in missing)
