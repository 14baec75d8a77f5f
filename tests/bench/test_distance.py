"""The relay delays and loses what it says, and a server behind it can be measured."""

import argparse
import asyncio
import json

import pytest

from bench import distance
from bench.distance import COMPACT, JSON, PLACES, Place, Seen, checks, seen
from bench.harness import far
from bench.harness.far import LOSES_AFTER_S, QUEUE_S, Line, Way, with_candidate

WITHIN_S = 60.0
SIZE = 1000
SDP = "\r\n".join(
    [
        *("v=0", "m=video 40000 UDP/TLS/RTP/SAVPF 97", "c=IN IP4 127.0.0.1"),
        "a=candidate:1 1 tcp 1 10.0.0.7 9 typ host tcptype active",
        "a=candidate:2 1 udp 2130706431 127.0.0.1 40000 typ host",
        *("a=candidate:3 1 udp 2130706430 10.0.0.7 40001 typ host", "a=end-of-candidates"),
        *("m=application 40000 UDP/DTLS/SCTP webrtc-datachannel", "a=mid:1"),
        *("a=candidate:2 1 udp 2130706431 127.0.0.1 40000 typ host", ""),
    ]
)


def arrivals(way, times_s, size=SIZE, seed=1):
    line = Line(way, seed)
    return [line.arrival_s(now_s, size) for now_s in times_s]


def test_a_delay_keeps_the_order():
    times_s = [number / 1000 for number in range(100)]
    arrived = arrivals(Way(delay_s=0.025), times_s)
    assert arrived == pytest.approx([now_s + 0.025 for now_s in times_s])


def test_jitter_has_some_overtake_others():
    times_s = [number / 1000 for number in range(1000)]
    arrived = arrivals(Way(delay_s=0.025, jitter_s=0.010), times_s)
    assert arrived != sorted(arrived)
    later = [at - now_s for at, now_s in zip(arrived, times_s, strict=True)]
    assert 0.025 <= min(later) < 0.026
    assert 0.034 < max(later) <= 0.035


def test_so_many_are_lost_and_the_same_ones_again():
    times_s = [0.0, *(LOSES_AFTER_S + number / 1000 for number in range(20_000))]
    lost = [at is None for at in arrivals(Way(loss=0.02), times_s)]
    assert sum(lost) == pytest.approx(400, abs=80)
    assert lost == [at is None for at in arrivals(Way(loss=0.02), times_s)]
    assert lost != [at is None for at in arrivals(Way(loss=0.02), times_s, seed=2)]


def test_nothing_is_lost_while_a_session_connects():
    times_s = [5.0 + LOSES_AFTER_S * number / 1000 for number in range(1000)]
    assert None not in arrivals(Way(loss=0.5), times_s)


def test_a_narrow_line_lets_some_wait_and_drops_the_rest():
    way = Way(delay_s=0.010, bandwidth_bps=1e6)
    arrived = arrivals(way, [1.0] * 100)
    kept = [at for at in arrived if at is not None]
    # A packet takes 8 ms.
    assert len(kept) == pytest.approx(QUEUE_S / 0.008 + 1, abs=1)
    assert kept == pytest.approx([1.018 + 0.008 * number for number in range(len(kept))])
    assert arrived[: len(kept)] == kept
    line = Line(way, 1)
    assert line.arrival_s(1.0, SIZE) == pytest.approx(1.018)
    assert line.arrival_s(2.0, SIZE) == pytest.approx(2.018), "the line was free again"


def test_a_description_has_one_candidate_for_each_section():
    text, own = with_candidate(SDP, ("127.0.0.1", 5))
    assert own == ("127.0.0.1", 40000)
    candidates = [line for line in text.splitlines() if line.startswith("a=candidate")]
    assert candidates == ["a=candidate:1 1 udp 2130706431 127.0.0.1 5 typ host"] * 2
    others = [line for line in SDP.splitlines() if not line.startswith("a=candidate")]
    assert [line for line in text.splitlines() if line not in candidates] == others
    with pytest.raises(ValueError, match="no candidate"):
        with_candidate("v=0\r\nm=video 9 UDP/TLS/RTP/SAVPF 97\r\n", ("127.0.0.1", 5))


class Peer(asyncio.DatagramProtocol):
    """Keeps what comes."""

    def __init__(self):
        self.received = asyncio.Queue()

    def connection_made(self, transport):
        self.transport = transport
        self.address = transport.get_extra_info("sockname")

    def datagram_received(self, data, address):
        self.received.put_nowait((data, address))


async def test_datagrams_pass_both_ways_in_order():
    loop = asyncio.get_running_loop()
    near, behind = await far.open_ends(Way(delay_s=0.002), 1)
    peers = [
        (await loop.create_datagram_endpoint(Peer, local_addr=("127.0.0.1", 0)))[1]
        for _ in range(2)
    ]
    client, server = peers
    near.peer, behind.peer = client.address, server.address
    # Each sees the other under the relay's address.
    for sender, receiver, to, seen_as in (
        (client, server, near, behind),
        (server, client, behind, near),
    ):
        for number in range(50):
            sender.transport.sendto(b"%d" % number, to.address)
        got = [await asyncio.wait_for(receiver.received.get(), WITHIN_S) for _ in range(50)]
        assert got == [(b"%d" % number, seen_as.address) for number in range(50)]
    for each in (near, behind):
        each.close()
    for each in peers:
        each.transport.close()


def test_what_is_told_is_beyond_the_way():
    results = [(0.1 * n, 50.0 + n) for n in range(1, 21)]
    told = {"seconds": 2.0, "streams": [{"results": results, "bytes": 4000}]}
    there = seen(told, Place("25 ms", 25.0))
    assert (there.p50_ms, there.results_per_s, there.bytes_per_result) == (10.5, 10.0, 200.0)


def test_each_target_can_be_missed():
    near = Seen(20.0, 30.0, 30.0, 6000.0)
    fine, bad = Seen(20.0, 30.0, 30.0, 6000.0), Seen(80.0, 90.0, 20.0, 6000.0)
    for how, counts in ((JSON, [1, 1, 2]), (COMPACT, [2, 2, 3])):
        for place, count in zip(PLACES, counts, strict=True):
            assert [c.reached for c in checks(how, place, fine, near)] == [True] * count
            assert [c.reached for c in checks(how, place, bad, near)] == [False] * count
    assert not list(checks(JSON, Place("own", 1.0), bad, near))


async def test_a_server_at_a_distance_is_measured(server, clip, monkeypatch):
    monkeypatch.setattr(distance, "WARM_UP_S", 0.5)
    asked = argparse.Namespace(seconds=1.5, packets=clip)
    latencies = []
    monkeypatch.setattr(distance, "seen", lambda told, place: latencies.extend(told["streams"]))
    await distance.measure(server.url, Place("40 ms", 40.0), JSON, asked)
    (stream,) = latencies
    assert len(stream["results"]) > 5, json.dumps(stream)
    assert min(ms for _, ms in stream["results"]) > 80.0
