"""What waits to be written is bounded; what is left out ends with a key frame."""

import threading

import av
import pytest

from server.recordings.packet_backlog import MAX_WAITING, MAX_WAITING_BYTES, Arrival, Packets


def arrival(*, key=False, size=10):
    packet = av.Packet(size)
    packet.is_keyframe = key
    return Arrival(packet, 0.0)


def drain(packets):
    packets.end()
    return list(iter(packets.take, None))


def test_they_come_out_as_they_went_in():
    packets = Packets()
    put = [arrival(key=True), arrival(), arrival(), arrival(key=True)]
    assert all(packets.put(one) for one in put)
    assert drain(packets) == put


def test_nothing_is_missed_before_the_first_key_frame():
    packets = Packets()
    assert not packets.put(arrival())
    key = arrival(key=True)
    assert packets.put(key)
    assert packets.skipped == 0
    assert drain(packets) == [key]


@pytest.mark.parametrize(("size", "room"), [(10, MAX_WAITING), (MAX_WAITING_BYTES // 16, 16)])
def test_when_it_is_full_it_goes_on_with_a_key_frame(size, room):
    packets = Packets()
    assert packets.put(arrival(key=True, size=size))
    kept = 1
    while packets.put(arrival(size=size)):
        kept += 1
    assert kept == room
    assert not packets.put(arrival(key=True)), "it is full"
    assert packets.take().packet.is_keyframe
    assert not packets.take().packet.is_keyframe
    assert not packets.put(arrival()), "it can not be decoded without the one before"
    assert packets.put(arrival(key=True))
    assert packets.put(arrival())
    assert packets.skipped == 3
    rest = drain(packets)
    assert len(rest) == kept - 2 + 2
    assert rest[-2].packet.is_keyframe


def test_what_is_put_back_is_next():
    packets = Packets()
    put = [arrival(key=True), arrival()]
    for one in put:
        packets.put(one)
    packets.put_back(packets.take())
    assert drain(packets) == put


def test_the_writer_waits_for_them():
    packets, taken = Packets(), []
    thread = threading.Thread(target=lambda: taken.extend(iter(packets.take, None)))
    thread.start()
    put = [arrival(key=True), *(arrival() for _ in range(50))]
    for one in put:
        assert packets.put(one)
    packets.end()
    thread.join(60)
    assert not thread.is_alive()
    assert taken == put
