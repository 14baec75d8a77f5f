"""Results over SCTP at a distance: seconds of a path by a clock that only the test moves.

Nothing here hangs on how busy the machine is: packets arrive when the path says, and what is lost
is the same each time.
"""

import asyncio
import itertools
import selectors
import time
import types

import aiortc.rtcsctptransport as aiortc_sctp
import numpy as np
import pytest
from aiortc import RTCDataChannel, RTCDataChannelParameters
from aiortc.rtcsctptransport import RTCSctpTransport

from bench.harness import far
from bench.harness.far import Line, Way
from server import rtc
from server.rtc import sctp_sending

FPS, SECONDS, SETTLES_S = 30, 15, 3
# Of a path that loses some: so long that its share is of the path, and not of luck.
MORE_SECONDS = 30
# A result as JSON, one as large as they come, and a compact one.
JSON, LARGE, COMPACT = 6100, 10_000, 1200
DROPPABLE = {"ordered": False, "maxRetransmits": 0}
# Two results wait at most; a newer one takes their place.
MAX_WAITING = 12_000
INSTANT_S = 1e-6


class Clock:
    """The time, which passes while everybody waits."""

    def __init__(self):
        self.now_s = 1000.0

    def __call__(self):
        # A step at each look: nothing happens at the same time.
        self.now_s += INSTANT_S
        return self.now_s


class Loop(asyncio.SelectorEventLoop):
    """An event loop by that clock."""

    def __init__(self, clock):
        super().__init__(_Selector(clock))
        self._clock = clock

    def time(self):
        return self._clock.now_s


class _Selector(selectors.SelectSelector):
    def __init__(self, clock):
        super().__init__()
        self._clock = clock

    def select(self, timeout=None):
        ready = super().select(0)
        if not ready and timeout:
            self._clock.now_s += timeout
        return ready


class Wire:
    """Stands for the DTLS transport of one end; a line says when its packets arrive."""

    state = "connected"

    def __init__(self, role, line):
        self._role = role
        self.line, self.peer, self.sent = line, None, 0
        self._came = asyncio.Queue()
        self._reading = None

    def _register_data_receiver(self, receiver):
        self._reading = asyncio.create_task(self._read(receiver))

    def _unregister_data_receiver(self, receiver):
        self._reading.cancel()

    async def _read(self, receiver):
        while True:
            await receiver._handle_data(await self._came.get())

    async def _send_data(self, data):
        self.sent += 1
        loop = asyncio.get_running_loop()
        at_s = self.line.arrival_s(loop.time(), len(data))
        if at_s is not None:
            loop.call_at(at_s, self.peer._came.put_nowait, data)


class Stream:
    """Results on one channel, each with the time at which it was sent."""

    def __init__(self, size, there, back, channel, seconds):
        self.size, self.came, self._seconds = size, [], seconds
        self.wires = Wire("server", there), Wire("client", back)
        self.wires[0].peer, self.wires[1].peer = reversed(self.wires)
        self.ends = [RTCSctpTransport(wire) for wire in self.wires]
        self._settings = channel

    async def run(self, clock):
        for end in self.ends:
            await end.start(end.getCapabilities(), 5000)
        self.ends[1].on("datachannel", lambda c: c.on("message", self._take))
        channel = RTCDataChannel(
            self.ends[0], RTCDataChannelParameters(label="data", **self._settings)
        )
        await asyncio.sleep(SETTLES_S)
        began_s = self._now()
        for number in range(FPS * self._seconds):
            await asyncio.sleep(max(0.0, began_s + number / FPS - self._now()))
            if channel.bufferedAmount <= MAX_WAITING:
                channel.send(f"{self._now():020.6f}".ljust(self.size))
        for end in self.ends:
            await end.stop()
        first_s = began_s + SETTLES_S
        self.late_ms = np.array([1000 * (at - s) for at, s in self.came if s >= first_s])
        self.per_s = len(self.late_ms) / (self._seconds - SETTLES_S)

    def _take(self, message):
        self.came.append((self._now(), float(message[:20])))

    def _now(self):
        return asyncio.get_running_loop().time()


class AlwaysQueued(sctp_sending.QueueEstimate):
    """Makes of each loss what a sender makes that knows nothing of queues: half the window."""

    def share(self):
        return 1.0


@pytest.fixture
def streamed(monkeypatch):
    """Stream over a path; returns what came, without the way."""
    rtc.install()
    clock = Clock()
    for module in (sctp_sending, aiortc_sctp):
        monkeypatch.setattr(
            module,
            "time",
            types.SimpleNamespace(monotonic=clock, time=clock, thread_time=time.thread_time),
        )
    monkeypatch.setattr(far, "LOSES_AFTER_S", 1.0)
    loop = Loop(clock)

    def run(way, size, *, streams=1, halving=0, seconds=SECONDS, **channel):
        async def all_of_them():
            lines = Line(way, 7), Line(way, 8)
            each = [Stream(size, *lines, channel, seconds) for _ in range(streams)]
            for stream in each[:halving]:
                stream.ends[0]._kinecast_queue = AlwaysQueued()
            await asyncio.gather(*(stream.run(clock) for stream in each))
            for stream in each:
                stream.late_ms -= 1000 * way.delay_s
            return each

        return loop.run_until_complete(all_of_them())

    yield run
    loop.close()


@pytest.mark.parametrize("delay_s", [0.025, 0.075])
@pytest.mark.parametrize("size", [JSON, LARGE, COMPACT])
def test_nothing_comes_later_than_its_way_where_nothing_is_lost(streamed, delay_s, size):
    (stream,) = streamed(Way(delay_s), size)
    assert stream.per_s == pytest.approx(FPS, abs=0.3)
    assert stream.late_ms.max() < 1.0


def test_what_overtakes_costs_no_more_than_the_jitter(streamed):
    (stream,) = streamed(Way(0.025, jitter_s=0.010), JSON)
    assert stream.per_s == pytest.approx(FPS, abs=0.3)
    assert np.percentile(stream.late_ms, 95) < 11.0


def test_compact_results_that_may_be_dropped_come_at_once_or_not_at_all(streamed):
    way = Way(0.025, loss=0.02)
    (stream,) = streamed(way, COMPACT, seconds=MORE_SECONDS, **DROPPABLE)
    # Two packets each: what is lost on its way, and no more.
    assert stream.per_s > FPS * 0.98**2 - 1.0
    assert np.percentile(stream.late_ms, 95) < 1.0


def test_reliable_results_keep_up_where_the_path_loses_without_being_full(streamed):
    (stream,) = streamed(Way(0.025, loss=0.02), JSON, seconds=MORE_SECONDS)
    assert stream.per_s >= 29.0
    assert np.median(stream.late_ms) <= 20.0
    # No timer of a second, nor of half of it: all is missed and sent again before.
    assert stream.late_ms.max() < 400.0
    sent = [s for _, s in stream.came]
    assert sent == sorted(sent)


def test_a_path_that_is_full_is_shared(streamed):
    streams = streamed(Way(0.025, bandwidth_bps=1.5e6), LARGE, streams=2)
    # Each wants 2.4 Mb/s. The headers, SACKs and retransmissions take their part.
    shares = [stream.per_s * 8 * LARGE / 1.5e6 for stream in streams]
    assert sum(shares) > 0.7
    assert min(shares) / sum(shares) > 0.3
    sent = sum(stream.wires[0].sent for stream in streams)
    came = sum(len(stream.came) for stream in streams)
    assert sent / came < 1.2 * 10, "little is sent in vain"
    assert all(pair[0] <= pair[1] for s in streams for pair in itertools.pairwise(s.came))


@pytest.mark.parametrize("queue_s", [0.02, 0.05, 0.2])
def test_whoever_halves_with_each_loss_keeps_a_share_of_a_full_path(streamed, monkeypatch, queue_s):
    monkeypatch.setattr(far, "QUEUE_S", queue_s)
    streams = streamed(Way(0.025, bandwidth_bps=1.5e6), LARGE, streams=2, halving=1)
    halving, ours = (stream.per_s for stream in streams)
    assert halving / (halving + ours) > 0.35


def test_a_queue_is_what_the_quickest_round_trip_did_not_take():
    queue = sctp_sending.QueueEstimate()
    assert queue.share() == 0.0
    for at_s, round_trip_s in enumerate((0.05, 0.05, 0.1, 0.25, 0.1, 0.1)):
        queue.add(at_s, round_trip_s)
    # A late acknowledgement among others tells nothing.
    assert queue.share() == pytest.approx(0.5)
    # The path is longer now: after a while nothing waits on it.
    for at_s in range(6, 40):
        queue.add(at_s, 0.1)
    assert queue.share() == pytest.approx(0.0)
