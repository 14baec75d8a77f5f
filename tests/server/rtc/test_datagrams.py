"""Bursts of datagrams: all arrive, as they are, in order, however few calls they take."""

import asyncio
import errno
import socket

import pytest

from server.rtc import datagrams
from server.rtc.datagrams import has_room, send_burst

BURSTS = [
    [b"a" * 100],
    [b"a" * 1300, b"b" * 1300, b"c" * 20],
    # H264's fragments: the larger ones first.
    [b"a" * 1001, b"b" * 1001, b"c" * 1000, b"d" * 1000, b"e" * 1000],
    [b"a" * 10, b"b" * 20, b"c" * 30],
    [bytes([number]) * 1300 for number in range(150)],
]


@pytest.fixture
async def line():
    """A transport, the address of a socket, and what that socket has received."""
    receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    receiver.bind(("127.0.0.1", 0))
    receiver.settimeout(60)
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(
        asyncio.DatagramProtocol, local_addr=("127.0.0.1", 0)
    )
    yield transport, receiver
    transport.close()
    receiver.close()


async def received(receiver, count):
    return [await asyncio.to_thread(receiver.recv, 2000) for _ in range(count)]


@pytest.mark.parametrize("burst", BURSTS)
async def test_all_arrive(line, burst):
    transport, receiver = line
    send_burst(transport, burst, receiver.getsockname())
    assert await received(receiver, len(burst)) == burst


async def test_a_frame_takes_one_call(line, monkeypatch):
    transport, receiver = line
    calls = []
    monkeypatch.setattr(transport, "sendto", lambda *arguments: calls.append(arguments))
    send_burst(transport, BURSTS[1], receiver.getsockname())
    assert await received(receiver, 3) == BURSTS[1]
    assert calls == []


async def test_a_line_that_carries_less_than_is_sent_drops_and_does_not_pile_up(line, monkeypatch):
    transport, receiver = line

    class Full:
        """A socket whose buffer is full."""

        _sock = property(lambda self: self)

        def sendto(self, *arguments):
            raise BlockingIOError

        sendmsg = sendto

    real = transport._sock
    # Or what waits would be more than a receiver's buffer holds.
    monkeypatch.setattr(datagrams, "_MAX_WAITING_BYTES", 10_000)
    monkeypatch.setattr(transport, "_sock", Full())
    monkeypatch.setitem(transport._extra, "socket", Full())
    waiting = 0
    while has_room(transport):
        send_burst(transport, BURSTS[1], receiver.getsockname())
        waiting += 1
    assert 1 < waiting < 10
    # What waits goes out when there is room, and then what comes after it.
    monkeypatch.setattr(transport, "_sock", real)
    assert await received(receiver, 3 * waiting) == waiting * BURSTS[1]
    assert has_room(transport)
    send_burst(transport, BURSTS[1], receiver.getsockname())
    assert await received(receiver, 3) == BURSTS[1]


async def test_what_can_not_go_in_one_call_goes_one_by_one(line, monkeypatch):
    transport, receiver = line

    class Refusing:
        """A socket whose way has an MTU that is too small, or whose network card can not."""

        tried = 0

        def sendmsg(self, *arguments):
            self.tried += 1
            raise OSError(errno.EINVAL, "Invalid argument")

    class Wrapper:
        _sock = Refusing()

    monkeypatch.setattr(datagrams, "_can_segment", True)
    monkeypatch.setitem(transport._extra, "socket", Wrapper())
    for _ in range(2):
        send_burst(transport, BURSTS[1], receiver.getsockname())
    assert await received(receiver, 6) == 2 * BURSTS[1]
    # Another way may be able to, so it is tried again.
    assert Wrapper._sock.tried == 2
