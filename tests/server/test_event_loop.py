"""The media process's event loop: it reads what is there, and rests on a busy machine."""

import asyncio
import socket

import pytest

from server import event_loop
from server.event_loop import REST_S, Busy, EventLoop, RestingSelector

WITHIN_S = 60.0


@pytest.fixture
def loop():
    with asyncio.Runner(loop_factory=EventLoop) as runner:
        yield runner


class Heard(asyncio.DatagramProtocol):
    """Notes what it is told, and when the loop came round in between."""

    def __init__(self, close_after=None):
        self.history = []
        self.done = asyncio.Event()
        self.expected = 1
        self._close_after = close_after

    def connection_made(self, transport):
        self._transport = transport

    def datagram_received(self, data, address):
        if not self.history:
            asyncio.get_running_loop().call_soon(self.history.append, "round")
        self.history.append(data)
        if self._close_after == data:
            self._transport.close()
        if sum(isinstance(each, bytes) for each in self.history) == self.expected:
            self.done.set()

    def error_received(self, error):
        self.history.append(error)
        self.done.set()


async def receive(protocol, datagrams):
    """Have datagrams lie in a socket before the loop looks at it."""
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: protocol, local_addr=("127.0.0.1", 0)
    )
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for data in datagrams:
            sender.sendto(data, transport.get_extra_info("sockname"))
    await asyncio.wait_for(protocol.done.wait(), WITHIN_S)
    transport.close()


def test_datagrams_that_are_there_are_read_in_one_go(loop):
    protocol = Heard()
    datagrams = [bytes([number]) * 1200 for number in range(5)]
    protocol.expected = len(datagrams)
    loop.run(receive(protocol, datagrams))
    assert protocol.history[:5] == datagrams


def test_a_socket_that_is_never_empty_does_not_keep_others_waiting(loop):
    protocol = Heard()
    datagrams = [number.to_bytes(2) for number in range(3 * event_loop.MAX_DATAGRAMS)]
    protocol.expected = len(datagrams)
    loop.run(receive(protocol, datagrams))
    assert protocol.history.index("round") == event_loop.MAX_DATAGRAMS
    assert [each for each in protocol.history if each != "round"] == datagrams


def test_nothing_is_read_after_closing(loop):
    protocol = Heard(close_after=b"last")

    async def run():
        await receive(protocol, [b"last", b"too late"])

    loop.run(run())
    assert [each for each in protocol.history if each != "round"] == [b"last"]


def test_an_error_is_told_of_and_the_next_datagram_comes(loop):
    async def run():
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as nobody:
            nobody.bind(("127.0.0.1", 0))
            address = nobody.getsockname()
        protocol = Heard()
        transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: protocol, remote_addr=address
        )
        # Nobody listens there: the system tells of it with the next read.
        transport.sendto(b"?")
        await asyncio.wait_for(protocol.done.wait(), WITHIN_S)
        protocol.done.clear()
        protocol.expected = 1
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as somebody:
            somebody.bind(address)
            somebody.sendto(b"!", transport.get_extra_info("sockname"))
            await asyncio.wait_for(protocol.done.wait(), WITHIN_S)
        transport.close()
        return protocol.history

    error, answer, *_ = loop.run(run())
    assert isinstance(error, ConnectionRefusedError)
    assert answer == b"!"


class Resting:
    """A selector with a socket that is always ready, by a clock of its own."""

    def __init__(self, busy):
        self.now_s = 100.0
        self.rests_s = []
        self._ours, self._theirs = socket.socketpair()
        self._theirs.send(b"x")
        self.selector = RestingSelector(lambda now_s: busy, lambda: self.now_s, self._rest)
        self.selector.register(self._ours, 1)

    def _rest(self, seconds):
        self.rests_s.append(seconds)
        self.now_s += seconds

    def close(self):
        self.selector.close()
        self._ours.close()
        self._theirs.close()


@pytest.fixture
def resting():
    made = []

    def make(busy):
        made.append(Resting(busy))
        return made[-1]

    yield make
    for each in made:
        each.close()


def test_a_busy_machine_is_not_woken_again_at_once(resting):
    busy = resting(True)
    assert busy.selector.select(None)
    assert busy.rests_s == []
    busy.now_s += REST_S / 4
    assert busy.selector.select(None)
    assert busy.rests_s == [pytest.approx(REST_S * 3 / 4)]
    busy.now_s += 2 * REST_S
    assert busy.selector.select(None)
    assert len(busy.rests_s) == 1


def test_where_there_is_room_nothing_waits(resting):
    free = resting(False)
    for _ in range(3):
        assert free.selector.select(None)
    assert free.rests_s == []


def test_work_that_is_due_does_not_wait(resting):
    busy = resting(True)
    busy.selector.select(None)
    busy.selector.select(0)
    assert busy.rests_s == []
    busy.selector.select(REST_S / 8)
    assert busy.rests_s == [pytest.approx(REST_S / 8)]


def test_a_machine_is_busy_when_its_processors_have_nothing_to_spare(tmp_path):
    counts = tmp_path / "stat"
    busy = Busy(str(counts))

    def after(seconds, *, worked, idle):
        nonlocal now_s, work, rest
        now_s, work, rest = now_s + seconds, work + worked, rest + idle
        counts.write_text(f"cpu  {work} 0 0 {rest} 0 0 0 0 0 0\ncpu0 1 2 3 4 5 6 7 8 0 0\n")
        return busy(now_s)

    now_s, work, rest = 10.0, 1000, 5000
    after(0, worked=0, idle=0)
    assert after(1, worked=195, idle=5)
    # Not looked at so soon again.
    assert after(0.01, worked=0, idle=100)
    assert not after(1, worked=100, idle=100)
    assert after(1, worked=200, idle=0)


def test_where_nothing_is_counted_no_machine_is_busy(tmp_path):
    busy = Busy(str(tmp_path / "none"))
    assert not busy(1.0)
    assert not busy(2.0)


def test_this_machine_counts():
    assert event_loop._processor_times("/proc/stat") > (0, 0)
