"""What a peer that is let in, and means ill, gets of SCTP: its packet costs itself."""

import asyncio
import itertools
import struct

import aiortc.rtcsctptransport as aiortc_sctp
import pytest
from aiortc import RTCPeerConnection
from aiortc.rtcsctptransport import (
    SCTP_DATA_FIRST_FRAG,
    SCTP_DATA_LAST_FRAG,
    Chunk,
    DataChunk,
    SackChunk,
    serialize_packet,
    tsn_plus_one,
)
from hypothesis import given
from hypothesis import strategies as st

from server import rtc
from server.rtc import sctp

WITHIN_S = 60.0


class Raw(Chunk):
    """A chunk of whatever bytes."""

    def __init__(self, kind, body, flags=0):
        super().__init__(flags, body)
        self.type = kind


class Whole(Chunk):
    """Chunks that are bytes already."""

    def __bytes__(self):
        return self.body


@pytest.fixture
async def peers():
    """A client and the server's side of its connection, with a data channel open between them."""
    rtc.install()
    rtc.set_ice_hosts(["127.0.0.1"])
    client, ours = RTCPeerConnection(), RTCPeerConnection()
    opened = asyncio.get_running_loop().create_future()
    ours.on("datachannel", lambda c: opened.done() or opened.set_result(c))
    channel = client.createDataChannel("data")
    await client.setLocalDescription(await client.createOffer())
    await ours.setRemoteDescription(client.localDescription)
    await ours.setLocalDescription(await ours.createAnswer())
    await client.setRemoteDescription(ours.localDescription)
    there = await asyncio.wait_for(opened, WITHIN_S)
    there.on("message", lambda message: there.send(message))
    yield Client(client, channel), ours
    await client.close()
    await ours.close()
    rtc.set_ice_hosts([])


class Client:
    """Sends what a browser would not."""

    def __init__(self, connection, channel):
        self.channel = channel
        self.association = connection.sctp
        self.answers = asyncio.Queue()
        channel.on("message", self.answers.put_nowait)

    async def send(self, chunk, tag=None):
        a = self.association
        tag = a._remote_verification_tag if tag is None else tag
        await a.transport._send_data(serialize_packet(a._local_port, a._remote_port, tag, chunk))

    async def send_piece(self, data, flags, protocol=aiortc_sctp.WEBRTC_BINARY, stream=None):
        chunk = DataChunk(flags)
        chunk.tsn = self.association._local_tsn
        self.association._local_tsn = tsn_plus_one(chunk.tsn)
        chunk.stream_id = self.channel.id if stream is None else stream
        chunk.stream_seq = self.association._outbound_stream_seq.get(chunk.stream_id, 0)
        chunk.protocol, chunk.user_data = protocol, data
        await self.send(chunk)

    async def is_answered(self):
        self.channel.send("still there?")
        return await asyncio.wait_for(self.answers.get(), WITHIN_S) == "still there?"


SENSELESS = {
    "a parameter of length 0": (130, struct.pack("!HH", 13, 0)),
    "a parameter of length 3": (4, struct.pack("!HHB", 1, 3, 0)),
    "a parameter longer than its chunk": (9, struct.pack("!HH", 13, 600)),
    "200 parameters": (130, struct.pack("!HHLL", 16, 12, 1, 1) * 90),
    "half a DATA chunk": (0, b"\0\0\0\1\0"),
    "half a SACK": (3, b"\0\0\0\1\0"),
    "a SACK that says more than it has": (3, struct.pack("!LLHH", 1, 1, 60000, 60000)),
    "half a FORWARD TSN": (192, b"\0\0"),
    "a FORWARD TSN with half a stream": (192, b"\x7f\xff\xff\xff\0\1"),
    "half a reset of streams": (130, struct.pack("!HHL", 13, 8, 1)),
    "a cookie of nobody": (10, b"\0" * 24),
}


@pytest.mark.parametrize("name", SENSELESS)
async def test_a_packet_that_makes_no_sense_costs_itself(peers, name):
    client, _ = peers
    await client.send(Raw(*SENSELESS[name]))
    assert await client.is_answered()


async def test_packets_that_make_no_sense_fill_no_log(peers, caplog):
    client, _ = peers
    with caplog.at_level("INFO", logger="server.rtc"):
        for _ in range(50):
            await client.send(Raw(130, struct.pack("!HHL", 13, 8, 1)))
        assert await client.is_answered()
    told = [record.getMessage() for record in caplog.records]
    assert len(told) == 1, told
    assert "An SCTP packet was passed over" in told[0]


async def test_an_init_with_a_parameter_of_length_0_costs_itself(peers):
    client, _ = peers
    body = struct.pack("!LLHHLHH", 1, 1, 1, 1, 1, 13, 0)
    await client.send(Raw(1, body), tag=0)
    assert await client.is_answered()


@pytest.mark.parametrize("stream", [None, 7, sctp.MAX_STREAMS, 65534])
async def test_channels_that_are_opened_again_or_anywhere_cost_themselves(peers, stream):
    client, ours = peers
    opening = struct.pack("!BBHLHH", aiortc_sctp.DATA_CHANNEL_OPEN, 0, 0, 0, 1, 0) + b"x"
    whole = SCTP_DATA_FIRST_FRAG | SCTP_DATA_LAST_FRAG
    for chunk_stream in (stream, stream):
        a = client.association
        await client.send_piece(opening, whole, aiortc_sctp.WEBRTC_DCEP, chunk_stream)
        number = client.channel.id if chunk_stream is None else chunk_stream
        a._outbound_stream_seq[number] = a._outbound_stream_seq.get(number, 0) + 1
    if stream is None or stream < sctp.MAX_STREAMS:
        assert await client.is_answered()
    assert len(ours.sctp._inbound_streams) <= 2


async def test_channels_have_an_end(peers):
    client, ours = peers
    opening = struct.pack("!BBHLHH", aiortc_sctp.DATA_CHANNEL_OPEN, 0, 0, 0, 1, 0) + b"x"
    whole = SCTP_DATA_FIRST_FRAG | SCTP_DATA_LAST_FRAG
    for stream in range(101, 101 + 4 * sctp.MAX_CHANNELS, 2):
        await client.send_piece(opening, whole, aiortc_sctp.WEBRTC_DCEP, stream)
    assert await client.is_answered()
    assert len(ours.sctp._data_channels) == sctp.MAX_CHANNELS


async def test_a_message_that_never_ends_is_hung_up_on(peers):
    client, ours = peers
    for number in range(sctp.MAX_HELD_PIECES + 8):
        await client.send_piece(b"x", SCTP_DATA_FIRST_FRAG if number == 0 else 0)
        if number % 64 == 0:
            await asyncio.sleep(0)
    async with asyncio.timeout(WITHIN_S):
        while ours.sctp.state != "closed":
            await asyncio.sleep(0.01)
    assert ours.connectionState == "connected"


async def test_who_was_hung_up_on_is_not_heard_any_more(peers):
    client, ours = peers
    aborts = 0
    abort = ours.sctp._abort

    async def count_abort():
        nonlocal aborts
        aborts += 1
        await abort()

    ours.sctp._abort = count_abort
    a = client.association
    tsn = a._local_tsn
    # In packets of fifty pieces, a hundred of them: the first dozen are more than is held.
    for number in range(100):
        pieces = b""
        for n in range(50):
            piece = DataChunk(SCTP_DATA_FIRST_FRAG if number + n == 0 else 0)
            piece.tsn, piece.stream_id, piece.stream_seq = tsn, client.channel.id, 0
            piece.protocol, piece.user_data = aiortc_sctp.WEBRTC_BINARY, b"x"
            pieces += bytes(piece)
            tsn = tsn_plus_one(tsn)
        tag = a._remote_verification_tag
        whole = serialize_packet(a._local_port, a._remote_port, tag, Whole(0, pieces))
        await a.transport._send_data(whole)
        if number % 10 == 0:
            await asyncio.sleep(0.01)
    received = ours.sctp.transport._RTCDtlsTransport__rx_packets
    async with asyncio.timeout(WITHIN_S):
        while ours.sctp.transport._RTCDtlsTransport__rx_packets < received + 5:
            await a.transport._send_data(b"the last ones")
            await asyncio.sleep(0.01)
    assert ours.sctp.state == "closed"
    assert aborts == 1
    assert not ours.sctp._inbound_streams


def test_time_is_spent_and_earned():
    budget = sctp.TimeBudget()
    now_s = budget._looked_s
    budget.spend(sctp.TIME_AT_ONCE_S / 2)
    assert not budget.is_spent(now_s)
    budget.spend(3600.0)
    assert budget.is_spent(now_s)
    later_s = now_s + sctp.TIME_AT_ONCE_S / 2 / sctp.TIME_SHARE
    assert budget.is_spent(later_s - 0.01)
    assert not budget.is_spent(later_s + 0.01)
    # Who was quiet for an hour has earned no hour.
    assert not budget.is_spent(later_s + 3600.0)
    budget.spend(sctp.TIME_AT_ONCE_S)
    assert budget.is_spent(later_s + 3600.0)


async def test_what_comes_when_the_time_is_spent_is_taken_when_it_comes_again(peers, caplog):
    client, ours = peers
    with caplog.at_level("INFO", logger="server.rtc"):
        ours.sctp._kinecast_time.spend(sctp.TIME_AT_ONCE_S)
        ours.sctp._kinecast_time.spend(sctp.TIME_AT_ONCE_S / 10)
        assert await client.is_answered()
    assert "has taken all the time" in caplog.text


async def test_the_largest_message_passes(peers):
    client, _ = peers
    message = bytes(range(256)) * 256
    for _ in range(3):
        client.channel.send(message)
    for _ in range(3):
        assert await asyncio.wait_for(client.answers.get(), WITHIN_S) == message


async def test_pieces_far_ahead_are_not_held(peers):
    client, ours = peers
    for ahead in (sctp.MAX_AHEAD + 10, 100_000, 2**31 - 2):
        chunk = DataChunk(SCTP_DATA_FIRST_FRAG)
        chunk.tsn = (client.association._local_tsn + ahead) % 2**32
        chunk.user_data, chunk.protocol = b"x", aiortc_sctp.WEBRTC_BINARY
        await client.send(chunk)
    assert await client.is_answered()
    assert not ours.sctp._sack_misordered


async def test_gap_blocks_of_nothing_change_nothing(peers):
    client, ours = peers
    sack = SackChunk()
    sack.cumulative_tsn = client.association._last_received_tsn
    sack.advertised_rwnd = 100_000
    sack.gaps = [(1, 65535)] * 280
    before = ours.sctp._flight_size
    await client.send(sack)
    assert await client.is_answered()
    assert ours.sctp._flight_size <= before


BLOCKS = st.lists(st.tuples(st.integers(0, 400), st.integers(0, 400)), max_size=20)


@given(BLOCKS, st.integers(0, 300))
def test_gap_blocks_are_put_in_order(gaps, outstanding):
    apart = sctp._within(gaps, outstanding)
    named = {n for start, end in gaps for n in range(start, end + 1)}
    assert {n for start, end in apart for n in range(start, end + 1)} == {
        n for n in named if 1 <= n <= outstanding
    }
    assert all(before[1] < after[0] for before, after in itertools.pairwise(apart))
    assert sum(end - start + 1 for start, end in apart) <= outstanding


@given(st.binary(max_size=200))
def test_parameters_of_any_bytes_end(body):
    try:
        params = sctp.decode_params(body)
    except ValueError:
        return
    assert sum(4 + len(value) for _, value in params) <= len(body)
