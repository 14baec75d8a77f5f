"""SCTP's sending, of two associations with a wire between them that a test steps and counts."""

import asyncio
import time
from collections import deque

import aiortc.rtcsctptransport as aiortc_sctp
import pytest
from aiortc import RTCDataChannel, RTCDataChannelParameters
from aiortc.rtcsctptransport import (
    DataChunk,
    ForwardTsnChunk,
    RTCSctpTransport,
    SackChunk,
    parse_packet,
)

from server.rtc import sctp_sending
from server.rtc.sctp import PIECE_BYTES
from server.rtc.sctp_sending import (
    INITIAL_WINDOW,
    MAX_BURST,
    MAX_MISSING_REPORTS,
    MIN_WINDOW_AFTER_LOSS,
    MISSING_REPORTS,
)

pytestmark = pytest.mark.usefixtures("compat")

TEN_PACKETS = b"x" * (10 * PIECE_BYTES - 10)


class Wire:
    """Stands for the DTLS transport of one end; what it is given waits until it is delivered."""

    state = "connected"

    def __init__(self, role):
        self._role = role
        self.peer = None
        self.waiting = deque()
        self._receiver = None

    def _register_data_receiver(self, receiver):
        self._receiver = receiver

    def _unregister_data_receiver(self, receiver):
        self._receiver = None

    async def _send_data(self, data):
        self.waiting.append(data)

    @property
    def chunks(self):
        """Those that wait."""
        return [chunk for data in self.waiting for chunk in parse_packet(data)[3]]

    def pieces(self):
        """Numbers of those that wait."""
        return [chunk.tsn for chunk in self.chunks if isinstance(chunk, DataChunk)]

    async def deliver(self, loses=lambda at: False, count=None):
        """Deliver what waits now, but for those packets, by their place, that it loses."""
        for at in range(len(self.waiting) if count is None else count):
            data = self.waiting.popleft()
            if not loses(at):
                await self.peer._receiver._handle_data(data)


class Pair:
    """Ours sends results to theirs."""

    def __init__(self):
        self.there, self.back = Wire("server"), Wire("client")
        self.there.peer, self.back.peer = self.back, self.there
        self.ours, self.theirs = RTCSctpTransport(self.there), RTCSctpTransport(self.back)
        self.messages = []

    async def connect(self):
        for end in (self.ours, self.theirs):
            await end.start(end.getCapabilities(), 5000)
        await self.settle()

    def channel(self, **settings):
        """Open one."""
        ours = RTCDataChannel(self.ours, RTCDataChannelParameters(label="data", **settings))
        self.theirs.on("datachannel", lambda c: c.on("message", self.messages.append))
        return ours

    async def settle(self):
        """Deliver until nothing is under way."""
        await steps()
        while self.there.waiting or self.back.waiting:
            await self.round_trip()

    async def round_trip(self):
        await self.there.deliver()
        await self.back.deliver()
        await steps()


async def steps():
    """Let what was put off be done."""
    for _ in range(5):
        await asyncio.sleep(0)


@pytest.fixture
async def pair():
    pair = Pair()
    await pair.connect()
    yield pair
    for end in (pair.ours, pair.theirs):
        await end.stop()


@pytest.fixture
async def channel(pair):
    channel = pair.channel()
    await pair.settle()
    return channel


@pytest.fixture
async def droppable(pair):
    channel = pair.channel(ordered=False, maxRetransmits=0)
    await pair.settle()
    return channel


async def send(channel, message=TEN_PACKETS):
    channel.send(message)
    await steps()


async def test_a_result_of_ten_packets_leaves_in_one_go(pair, channel):
    await send(channel)
    assert len(pair.there.pieces()) == 10
    await pair.settle()
    assert pair.messages == [TEN_PACKETS]


async def test_results_leave_in_one_go_while_others_are_under_way(pair, channel):
    # Five frames, the round trip of 150 ms: until then the window has grown to what they are.
    for _ in range(3):
        for _ in range(5):
            await send(channel)
        await pair.settle()
    for under_way in range(5):
        before = len(pair.there.pieces())
        assert before == 10 * under_way
        await send(channel)
        assert len(pair.there.pieces()) - before == 10


async def test_the_first_window_is_ten_packets_and_grows_by_what_arrived(pair, channel):
    await send(channel, b"x" * (60 * PIECE_BYTES))
    assert len(pair.there.pieces()) == INITIAL_WINDOW
    await pair.round_trip()
    # Slow start: twice as many with each round trip, if not all in one go.
    assert 2 * INITIAL_WINDOW - 2 <= len(pair.there.pieces()) <= 2 * INITIAL_WINDOW


async def test_a_large_window_goes_out_in_parts(pair, channel):
    pair.ours._cwnd = 100 * PIECE_BYTES
    await send(channel, b"x" * (50 * PIECE_BYTES))
    assert len(pair.there.pieces()) == MAX_BURST


async def test_the_window_grows_no_further_than_what_is_sent(pair, channel):
    for _ in range(30):
        await send(channel)
        await pair.settle()
    assert pair.ours._cwnd <= 2 * len(TEN_PACKETS) + PIECE_BYTES


class Queue(sctp_sending.QueueEstimate):
    """What is known of the path's queues, whatever these packets' times were."""

    def __init__(self, share):
        super().__init__()
        self._share = share

    def share(self):
        return self._share


@pytest.mark.parametrize(("waiting", "left"), [(0.9, 0.5), (0.0, 0.8)])
async def test_a_lost_packet_is_sent_again_once_and_takes_of_the_window(
    pair, channel, waiting, left
):
    pair.ours._kinecast_queue = Queue(waiting)
    for _ in range(5):
        await send(channel)
        await pair.settle()
    window = pair.ours._cwnd
    await send(channel)
    missing = pair.there.pieces()[3]
    await pair.there.deliver(lambda at: at == 3)
    await pair.back.deliver()
    assert pair.there.pieces() == [missing]
    assert pair.ours._cwnd == int(window * left)
    await pair.settle()
    assert len(pair.messages) == 6
    # All that comes of this loss: the next round trip has one of its own.
    assert pair.ours._cwnd <= window * left + PIECE_BYTES


async def test_the_window_has_a_least_after_losses(pair, channel):
    pair.ours._kinecast_queue = Queue(1.0)
    for _ in range(8):
        await send(channel)
        await pair.there.deliver(lambda at: at == 0)
        await pair.back.deliver()
        await pair.settle()
    assert pair.ours._ssthresh == MIN_WINDOW_AFTER_LOSS * PIECE_BYTES
    assert len(pair.messages) == 8


async def test_what_is_lost_twice_is_missed_by_what_was_sent_since(pair, channel):
    await send(channel)
    await pair.there.deliver(lambda at: at == 3)
    await pair.back.deliver()
    (missing,) = pair.there.pieces()
    await pair.there.deliver(lambda at: True)
    await send(channel, b"x" * (3 * PIECE_BYTES))
    await pair.round_trip()
    assert missing in pair.there.pieces()
    await pair.settle()
    assert len(pair.messages) == 2


async def test_what_arrives_in_another_order_by_two_is_not_sent_again(pair, channel):
    await send(channel)
    pair.there.waiting.rotate(-2)
    await pair.there.deliver(count=8)
    await pair.there.deliver()
    await pair.back.deliver(count=2)
    assert not pair.there.pieces()
    assert pair.ours._fast_recovery_exit is None


async def test_a_path_that_mixes_packets_up_is_learnt(pair, channel):
    resent = []
    for _ in range(3):
        await send(channel, b"x" * (5 * PIECE_BYTES))
        sent = pair.there.pieces()
        pair.there.waiting.rotate(-1)
        # The first comes fifth.
        first = pair.there.waiting.pop()
        pair.there.waiting.insert(4, first)
        await pair.there.deliver()
        await pair.back.deliver()
        resent.append(sum(tsn in sent for tsn in pair.there.pieces()))
        await pair.settle()
    assert resent == [1, 1, 0], "one report more each time"
    assert len(pair.messages) == 3
    assert pair.ours._kinecast_reports > MISSING_REPORTS


async def test_reports_that_are_waited_for_have_a_bound(pair, channel):
    sack = SackChunk()
    sack.cumulative_tsn, sack.advertised_rwnd = pair.ours._last_sacked_tsn, 100_000
    sack.duplicates = [sack.cumulative_tsn] * 200
    await pair.ours._receive_chunk(sack)
    assert pair.ours._kinecast_reports == MAX_MISSING_REPORTS
    await send(channel, b"x" * (20 * PIECE_BYTES))
    await pair.there.deliver(lambda at: at == 0)
    await pair.settle()
    assert len(pair.messages) == 1


async def test_the_timer_sends_again_what_is_missing_and_begins_with_one_packet(pair, channel):
    for _ in range(5):
        await send(channel)
        await pair.settle()
    window, rto = pair.ours._cwnd, pair.ours._rto
    await send(channel)
    sent = pair.there.pieces()
    # The first is lost, and the last eight are: two reports are too few.
    await pair.there.deliver(lambda at: at not in (1, 2))
    await pair.back.deliver()
    assert not pair.there.pieces()
    pair.ours._t3_cancel()
    pair.ours._t3_expired()
    await steps()
    assert pair.there.pieces() == [sent[0]]
    assert pair.ours._cwnd == PIECE_BYTES
    assert pair.ours._ssthresh == window // 2
    assert pair.ours._rto == min(2 * rto, sctp_sending.MAX_BACKOFF_S)
    sent_again = []
    while pair.there.waiting:
        sent_again.append(pair.there.pieces())
        await pair.round_trip()
    # Slow start, and nothing that had arrived.
    assert [len(each) for each in sent_again[:3]] == [1, 2, 4]
    assert sorted(tsn for tsns in sent_again for tsn in tsns) == [
        tsn for tsn in sent if tsn not in sent[1:3]
    ]
    assert len(pair.messages) == 6


async def test_the_timer_is_twice_as_long_each_time_until_something_arrives(pair, channel):
    await send(channel)
    lasted = []
    for _ in range(5):
        pair.there.waiting.clear()
        pair.ours._t3_cancel()
        pair.ours._t3_expired()
        await steps()
        lasted.append(round(pair.ours._rto, 3))
    assert lasted == sorted(lasted)
    assert lasted[-1] == sctp_sending.MAX_BACKOFF_S
    await pair.settle()
    await send(channel)
    await pair.settle()
    assert pair.ours._rto == pytest.approx(sctp_sending.RTO_MIN_S, abs=0.2)
    assert len(pair.messages) == 2


async def test_a_window_that_is_not_used_shrinks_to_that_of_the_beginning(pair, channel):
    for _ in range(3):
        for _ in range(8):
            await send(channel)
        await pair.settle()
    window = pair.ours._cwnd
    assert window > 40 * PIECE_BYTES
    pair.ours._kinecast_sent_s = time.monotonic() - 1.5 * pair.ours._rto
    await send(channel)
    assert pair.ours._cwnd == window // 2
    await pair.settle()
    pair.ours._kinecast_sent_s = time.monotonic() - 60.0
    await send(channel)
    assert pair.ours._cwnd == INITIAL_WINDOW * PIECE_BYTES
    assert len(pair.there.pieces()) == 10


async def test_what_may_be_dropped_is_given_up_at_once_and_keeps_a_window(pair, droppable):
    small = b"x" * 800
    forwarded = 0
    for number in range(60):
        await send(droppable, small)
        assert len(pair.there.pieces()) == 1, "each leaves at once, whatever was lost before"
        await pair.there.deliver(lambda at, lost=number % 4 == 0: lost)
        await pair.back.deliver()
        await steps()
        forwarded += sum(isinstance(chunk, ForwardTsnChunk) for chunk in pair.there.chunks)
    # The last is missed twice only.
    assert forwarded >= 14
    assert pair.ours._cwnd >= MIN_WINDOW_AFTER_LOSS * PIECE_BYTES
    assert len(pair.messages) == 45
    assert pair.ours._flight_size <= 4 * len(small)


async def test_a_piece_that_the_peer_drops_again_is_sent_again(pair, channel):
    await send(channel)
    sent = pair.there.pieces()
    pair.there.waiting.clear()
    for gaps in ([(2, 5)], [(2, 4)]):
        sack = SackChunk()
        sack.cumulative_tsn, sack.advertised_rwnd, sack.gaps = (sent[0] - 1) % 2**32, 100_000, gaps
        await pair.ours._receive_chunk(sack)
    assert [p._acked for p in list(pair.ours._sent_queue)[1:5]] == [True, True, True, False]
    # None of them had arrived, as their next acknowledgements tell.
    while not pair.messages:
        pair.ours._t3_cancel()
        pair.ours._t3_expired()
        await pair.settle()
    assert pair.messages == [TEN_PACKETS]


def test_what_is_replaced_is_there():
    for name in ("_receive_sack_chunk", "_t3_expired", "_transmit"):
        assert getattr(RTCSctpTransport, name) is getattr(sctp_sending, name)
    assert aiortc_sctp.SCTP_RTO_MIN == sctp_sending.RTO_MIN_S
