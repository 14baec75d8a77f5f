"""One UDP port for all: real peers at once over it, strangers, and what it remembers."""

import asyncio
import errno
import os
import re
import socket
import struct

import pytest
from aioice.stun import Class, Message, Method
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription

from server import rtc
from server.rtc import datagrams, shared_port, shared_socket
from server.rtc.datagrams import has_room, send_burst
from tests.server.rtc.peers import WITHIN_S, EncodedTrack, StepTrack
from tests.support.server import free_port

IPV4, IPV6 = "127.0.0.1", "::1"


@pytest.fixture
def opened():
    """Opens shared ports; they are closed at the end."""
    ports = []

    def open_at(*addresses, node=""):
        port = rtc.SharedPort(free_port(), addresses or (IPV4,), node)
        port.open()
        ports.append(port)
        return port

    yield open_at
    rtc.set_ice_hosts([])
    for port in ports:
        port.close()


class Pair:
    """A sender with a socket of its own, and a receiver behind a shared port."""

    def __init__(self, port, address=IPV4, track=None, reach=None):
        self.port, self.address, self.reach = port, address, reach
        self.offerer, self.answerer = (RTCPeerConnection(RTCConfiguration([])) for _ in range(2))
        self.track = track or StepTrack()
        self.remote = asyncio.get_running_loop().create_future()
        self.connected = asyncio.Event()
        self.answerer.on("track", self.remote.set_result)
        self.answerer.on("connectionstatechange", self._changed)
        self.offerer.addTrack(self.track)

    def _changed(self):
        if self.answerer.connectionState == "connected":
            self.connected.set()

    async def negotiate(self):
        rtc.set_ice_hosts([self.address])
        await self.offerer.setLocalDescription(await self.offerer.createOffer())
        rtc.set_ice_hosts(self.port._addresses, self.port)
        await self.answerer.setRemoteDescription(self.offerer.localDescription)
        await self.answerer.setLocalDescription(await self.answerer.createAnswer())

    async def connect(self):
        await self.negotiate()
        answer = self.answerer.localDescription
        if self.reach is not None:
            answer = RTCSessionDescription(answer.sdp.replace(*self.reach), answer.type)
        await self.offerer.setRemoteDescription(answer)
        await asyncio.wait_for(self.connected.wait(), WITHIN_S)

    async def see_frames(self, count=3):
        """Each frame that is sent is received."""
        for _ in range(count):
            self.track.step()
            await asyncio.wait_for((await self.remote).recv(), WITHIN_S)

    async def close(self):
        await self.offerer.close()
        await self.answerer.close()

    @property
    def candidates(self):
        sdp = self.answerer.localDescription.sdp
        return set(re.findall(r"a=candidate:(?:\S+ ){4}(\S+) (\d+)", sdp))

    @property
    def ice(self):
        """The receiver's."""
        return self.answerer.getTransceivers()[0].receiver.transport.transport._connection

    @property
    def theirs(self):
        """The sender's."""
        return self.offerer.getSenders()[0].transport.transport._connection


async def test_many_share_it_and_one_that_leaves_disturbs_none(opened):
    port = opened()
    pairs = [Pair(port) for _ in range(8)]
    for pair in pairs:
        await pair.connect()
    assert {candidate for pair in pairs for candidate in pair.candidates} == {
        (IPV4, str(port.number))
    }
    await asyncio.gather(*(pair.see_frames() for pair in pairs))
    before = port.remembered
    leaving, *staying = pairs
    await leaving.close()
    assert port.remembered < before
    await asyncio.gather(*(pair.see_frames() for pair in staying))
    await asyncio.gather(*(pair.close() for pair in staying))
    assert port.remembered == 0
    # Who comes after them finds it open.
    later = Pair(port)
    await later.connect()
    await later.see_frames()
    await later.close()


async def test_an_encoded_video_goes_out_of_it_in_bursts(opened, monkeypatch):
    """Here it is the sender who is behind the shared port."""
    port = opened()
    pair = Pair(port)
    sent = EncodedTrack()
    back = asyncio.get_running_loop().create_future()
    pair.offerer.on("track", back.set_result)
    pair.answerer.addTrack(sent)
    bursts = []
    send = shared_socket.SharedSocket.send
    monkeypatch.setattr(
        shared_socket.SharedSocket,
        "send",
        lambda self, data, *rest: (bursts.append(len(data)), send(self, data, *rest)),
    )
    await pair.connect()
    track = await asyncio.wait_for(back, WITHIN_S)
    for _ in range(3):
        sent.step()
        await asyncio.wait_for(track.recv(), WITHIN_S)
    transport = pair.ice._nominated[1].protocol.transport
    bursts.clear()
    send_burst(transport, [b"\x80" * 1200, b"\x80" * 1200, b"\x80" * 9], (IPV4, 9))
    # By one system call on the socket itself, where the kernel can.
    assert bursts == ([] if datagrams._can_segment else [1200, 1200, 9])
    await pair.close()


async def test_ipv6(opened):
    port = opened(IPV4, IPV6)
    pair = Pair(port, IPV6)
    await pair.connect()
    assert (IPV6, str(port.number)) in pair.candidates
    await pair.see_frames()
    await pair.close()
    assert port.remembered == 0


async def test_an_address_that_something_in_front_has_is_offered(opened):
    """As in a container: the world knows its host's address, which passes on what comes."""
    outside = "203.0.113.7"
    port = opened(outside, "198.51.100.9")
    pair = Pair(port, reach=(outside, IPV4))
    await pair.connect()
    assert pair.candidates == {
        (outside, str(port.number)),
        ("198.51.100.9", str(port.number)),
    }
    await pair.see_frames()
    await pair.close()
    assert port.remembered == 0


async def test_a_fragment_begins_with_the_node_and_no_two_are_alike(opened):
    port = opened(node="n7")
    made = {port.make_ufrag() for _ in range(1000)}
    assert len(made) == 1000
    assert all(re.fullmatch("n7[A-Za-z0-9]{12}", ufrag) for ufrag in made)
    pair = Pair(port)
    await pair.negotiate()
    assert re.search(r"a=ice-ufrag:n7\w{12}\r?$", pair.answerer.localDescription.sdp, re.MULTILINE)
    await pair.close()


def held(port):
    """What is remembered of peers; transactions come and go with the checks of consent."""
    return len(port._by_ufrag), len(port._by_address)


def check(pair, password=None):
    """A connectivity check, as a pair's sender sends it to its receiver."""
    ice = pair.ice
    request = Message(Method.BINDING, Class.REQUEST)
    request.attributes["USERNAME"] = f"{ice.local_username}:{pair.theirs.local_username}"
    request.attributes["PRIORITY"] = 1
    request.attributes["ICE-CONTROLLING"] = 1
    request.add_message_integrity((password or ice.local_password).encode())
    return request


async def answered(pair):
    """All that was sent to the port before has been read: what comes after it is answered."""
    await pair.see_frames(1)


async def test_strangers_get_no_answer_and_leave_no_trace(opened):
    port = opened()
    pair = Pair(port)
    await pair.connect()
    await pair.see_frames()
    unknown = check(pair)
    unknown.attributes["USERNAME"] = "somebody:else"
    response = Message(Method.BINDING, Class.RESPONSE)
    response.attributes["XOR-MAPPED-ADDRESS"] = (IPV4, 9)
    header = struct.pack("!HHL", 1, 0, 0x2112A442)
    ours = f"{pair.ice.local_username}:".encode()
    ours += bytes(-len(ours) % 4)
    hostile = [
        *(os.urandom(size) for size in (1, 20, 300, 1400)),
        b"",
        b"\x80" * 1200,
        bytes(unknown),
        bytes(check(pair, "not the password")),
        bytes(response),
        # No user name; attributes without an end; one that says it is longer than all.
        header + os.urandom(12),
        header + os.urandom(12) + struct.pack("!HH", 0x8022, 0) * 2000,
        header + os.urandom(12) + struct.pack("!HH", 6, 0xFFFF),
        # Our fragment, and an attribute without a value.
        header + os.urandom(12) + struct.pack("!HH", 6, len(ours)) + ours + b"\x00\x24\x00\x00",
    ]
    before = held(port)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.bind((IPV4, 0))
        stranger.setblocking(False)
        for datagram in hostile * 5:
            stranger.sendto(datagram, (IPV4, port.number))
        await answered(pair)
        await answered(pair)
        assert held(port) == before
        with pytest.raises(BlockingIOError):
            stranger.recv(2000)
        # It is no deaf socket: whoever has the password is answered.
        stranger.sendto(bytes(check(pair)), (IPV4, port.number))
        loop = asyncio.get_running_loop()
        answer = await asyncio.wait_for(loop.sock_recv(stranger, 2000), WITHIN_S)
        assert answer[:2] == b"\x01\x01"
    assert pair.answerer.connectionState == "connected"
    await pair.close()


async def test_of_two_sessions_at_one_remote_address_the_second_is_refused(opened, caplog):
    port = opened()
    first, second = Pair(port), Pair(port)
    await first.connect()
    await second.negotiate()
    transport = first.theirs._nominated[1].protocol.transport
    (theirs,) = transport.get_extra_info("sockname")[1:]
    for _ in range(5):
        # Out of the first one's socket.
        transport.sendto(bytes(check(second)), (IPV4, port.number))
    await first.see_frames()
    owners = [
        owner.connection for (_, (_, number)), owner in port._by_address.items() if number == theirs
    ]
    assert owners == [first.ice]
    refused = [record for record in caplog.records if "is refused" in record.getMessage()]
    assert len(refused) == 1
    assert not second.ice._nominated
    assert (IPV4, theirs) not in {(c.host, c.port) for c in second.ice._remote_candidates}
    await first.close()
    # The address is free again.
    again = Pair(port)
    await again.connect()
    await again.see_frames()
    await again.close()
    await second.close()
    assert port.remembered == 0


async def test_a_peer_that_moves_is_followed_and_has_so_many_addresses(opened):
    port = opened()
    pair = Pair(port)
    await pair.connect()
    await pair.see_frames()
    shared = pair.ice._nominated[1].protocol.transport
    message = bytes(check(pair))
    for number in range(20_000, 20_000 + 3 * shared_port.MAX_LEARNED):
        port._receive(shared.shared, message, (IPV4, number))
    assert len(shared.learned) == shared_port.MAX_LEARNED
    assert held(port) == (1, shared_port.MAX_LEARNED)
    # From the last of them its video would be taken.
    assert port._by_address[(shared.shared, (IPV4, number))] is shared
    await pair.close()
    assert port.remembered == 0


async def test_what_waits_is_counted_for_each(opened, monkeypatch):
    port = opened()
    pairs = [Pair(port) for _ in range(2)]
    for pair in pairs:
        await pair.connect()
    slow, other = (pair.ice._nominated[1].protocol.transport for pair in pairs)
    real = slow.shared.socket

    class Full:
        def sendto(self, *_):
            raise BlockingIOError

        sendmsg = sendto

        def __getattr__(self, name):
            return getattr(real, name)

    # Or what waits would be more than a receiver's buffer holds.
    monkeypatch.setattr(datagrams, "_MAX_WAITING_BYTES", 10_000)
    slow.shared.socket = Full()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind((IPV4, 0))
        receiver.setblocking(False)
        sent = 0
        while has_room(slow):
            send_burst(slow, [b"a" * 1200] * 3, receiver.getsockname())
            sent += 3
            assert sent < 1000
        assert has_room(other)
        assert other.get_write_buffer_size() == 0
        slow.shared.socket = real
        loop = asyncio.get_running_loop()
        for _ in range(sent):
            assert await asyncio.wait_for(loop.sock_recv(receiver, 2000), WITHIN_S) == b"a" * 1200
        assert slow.get_write_buffer_size() == 0
    for pair in pairs:
        await pair.see_frames()
        await pair.close()


async def test_a_port_that_is_taken(opened):
    port = opened()
    with pytest.raises(OSError, match="in use") as refused:
        rtc.SharedPort(port.number, (IPV4,)).open()
    assert refused.value.errno == errno.EADDRINUSE
