"""Each touch of aiortc's and aioice's insides: that it does what it is for, on the real thing."""

import asyncio
import datetime
import time
from fractions import Fraction

import aioice.ice
import av
import numpy as np
import pytest
from aioice.stun import Class, TransactionTimeout
from aiortc import (
    RTCCertificate,
    RTCConfiguration,
    RTCPeerConnection,
    RTCRtpReceiver,
    VideoStreamTrack,
)
from aiortc.codecs import h264, vpx
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from server import rtc
from server.media.encoder import Codec, Encoder
from server.rtc import ice, jitter_buffer, receiving, sctp
from server.rtc.bitstream import picture_size

WITHIN_S = 15.0


@pytest.fixture(autouse=True)
def compat():
    rtc.install()
    rtc.set_ice_hosts(["127.0.0.1"])


class StepTrack(VideoStreamTrack):
    """Gives one frame each time it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self._steps: asyncio.Queue[int] = asyncio.Queue()
        self.sent = 0

    def step(self) -> None:
        self._steps.put_nowait(self.sent)
        self.sent += 1

    async def recv(self) -> av.VideoFrame:
        number = await self._steps.get()
        # Plain enough for a frame to fit one packet.
        frame = av.VideoFrame.from_ndarray(
            np.full((120, 160, 3), number * 8 % 256, np.uint8), format="rgb24"
        )
        frame.pts, frame.time_base = number * 3000, Fraction(1, 90000)
        return frame


class EncodedTrack(rtc.PacketTrack):
    """The same, of frames that are encoded already."""

    def __init__(self) -> None:
        super().__init__()
        self._encoder = Encoder(Codec.VP8, 500_000)
        self._packetizer = rtc.Packetizer("VP8")
        self._waiting: list[av.Packet] = []
        self.sent = 0

    def step(self) -> None:
        picture = np.full((120, 160, 3), self.sent * 8 % 256, np.uint8)
        frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
        (packet,) = self._encoder.encode(frame, self.sent / 30, key_frame=False)
        self._packetizer.mark(packet)
        self._waiting.append(packet)
        self.sent += 1
        self.flow()

    def flow(self) -> None:
        while self._waiting and self.send(self._waiting[0]):
            self._waiting.pop(0)


either_track = pytest.mark.parametrize("pair", [StepTrack, EncodedTrack], indirect=True)


async def connect(offerer: RTCPeerConnection, answerer: RTCPeerConnection) -> None:
    connected = asyncio.Event()

    @answerer.on("connectionstatechange")
    def _() -> None:
        if answerer.connectionState == "connected":
            connected.set()

    await offerer.setLocalDescription(await offerer.createOffer())
    await answerer.setRemoteDescription(offerer.localDescription)
    await answerer.setLocalDescription(await answerer.createAnswer())
    await offerer.setRemoteDescription(answerer.localDescription)
    await asyncio.wait_for(connected.wait(), WITHIN_S)


@pytest.fixture
async def pair(request):
    """A connected pair and the track whose frames go from the first to the second."""
    offerer, answerer = (RTCPeerConnection(RTCConfiguration([])) for _ in range(2))
    track, remote = (
        getattr(request, "param", StepTrack)(),
        asyncio.get_running_loop().create_future(),
    )
    answerer.on("track", remote.set_result)
    offerer.addTrack(track)
    await connect(offerer, answerer)
    yield track, await remote, offerer, answerer
    await offerer.close()
    await answerer.close()
    await rtc.decoders_ended()


async def test_a_frame_arrives_without_waiting_for_the_next_one(pair):
    track, remote, _, _ = pair
    for number in range(5):
        track.step()
        frame = await asyncio.wait_for(remote.recv(), WITHIN_S)
        assert frame.pts == pytest.approx(number * 3000, abs=2)


async def test_a_key_frame_comes_when_asked_for(pair):
    track, remote, offerer, answerer = pair
    track.step()
    await asyncio.wait_for(remote.recv(), WITHIN_S)
    sender = offerer.getSenders()[0]
    asked = asyncio.Event()
    send_key_frame = sender._send_keyframe
    sender._send_keyframe = lambda: (asked.set(), send_key_frame())
    await receiving.request_key_frame(answerer.getReceivers()[0])
    await asyncio.wait_for(asked.wait(), WITHIN_S)


async def test_frames_are_had_as_they_came_beside_the_decoded_ones(pair):
    track, remote, _, answerer = pair
    receiver = answerer.getReceivers()[0]
    # Before anything has come, what was agreed on first.
    assert receiving.received_codec(receiver) == "VP8"
    tapped = []
    receiving.on_encoded_frame(receiver, tapped.append)
    decoder = av.CodecContext.create("vp8", "r")
    for number in range(3):
        track.step()
        decoded = await asyncio.wait_for(remote.recv(), WITHIN_S)
        (again,) = decoder.decode(av.Packet(tapped[number].data))
        assert (again.to_ndarray() == decoded.to_ndarray()).all()
        assert tapped[number].timestamp == decoded.pts
    assert [frame.is_key_frame for frame in tapped] == [True, False, False]
    assert not any(frame.is_damaged for frame in tapped)
    assert receiving.received_codec(receiver) == "VP8"
    receiving.on_encoded_frame(receiver, None)
    track.step()
    await asyncio.wait_for(remote.recv(), WITHIN_S)
    assert len(tapped) == 3


@either_track
async def test_a_packet_that_is_asked_for_is_sent_again(pair, monkeypatch):
    track, _remote, _, answerer = pair
    receiver = answerer.getReceivers()[0]
    arrived = asyncio.Queue()
    handle = RTCRtpReceiver._handle_rtp_packet

    async def note(self, packet, arrival_time_ms):
        arrived.put_nowait(packet)
        await handle(self, packet, arrival_time_ms)

    monkeypatch.setattr(RTCRtpReceiver, "_handle_rtp_packet", note)
    track.step()
    first = await asyncio.wait_for(arrived.get(), WITHIN_S)
    await receiver._send_rtcp_nack(first.ssrc, [first.sequence_number])
    again = await asyncio.wait_for(arrived.get(), WITHIN_S)
    # RFC 4588, section 4: a stream of its own, the original's number before its payload.
    assert again.ssrc != first.ssrc
    assert again.payload == first.sequence_number.to_bytes(2) + first.payload
    assert again.timestamp == first.timestamp


@either_track
async def test_what_is_sent_has_the_agreed_header_extensions_and_is_counted(pair, monkeypatch):
    track, remote, offerer, _ = pair
    packets = []
    handle = RTCRtpReceiver._handle_rtp_packet

    async def note(self, packet, arrival_time_ms):
        packets.append(packet)
        await handle(self, packet, arrival_time_ms)

    monkeypatch.setattr(RTCRtpReceiver, "_handle_rtp_packet", note)
    for _ in range(3):
        track.step()
        await asyncio.wait_for(remote.recv(), WITHIN_S)
    numbers = [packet.sequence_number for packet in packets]
    assert np.diff(numbers).tolist() == [1] * (len(packets) - 1)
    assert {packet.extensions.mid for packet in packets} == {"0"}
    assert all(packet.extensions.abs_send_time is not None for packet in packets)
    assert packets[-1].marker
    stats = await offerer.getSenders()[0].getStats()
    (sent,) = [each for each in stats.values() if each.type == "outbound-rtp"]
    assert sent.packetsSent == len(packets)
    assert sent.bytesSent == sum(len(packet.payload) for packet in packets)


@pytest.mark.parametrize("codec_name", ["VP8", "H264"])
def test_a_packet_is_cut_into_payloads_once_for_all_senders(codec_name, monkeypatch):
    encoder = {"VP8": vpx.Vp8Encoder, "H264": h264.H264Encoder}[codec_name]
    cuts = []
    original = encoder.pack
    monkeypatch.setattr(
        encoder, "pack", lambda self, packet: (cuts.append(packet.pts), original(self, packet))[1]
    )
    packetizer = rtc.Packetizer(codec_name)
    waiting = []
    for number in range(3):
        packet = av.Packet(b"\x00\x00\x00\x01\x65" + bytes([number + 1]) * 3000)
        packet.pts, packet.time_base = number * 3000, Fraction(1, 90000)
        packetizer.mark(packet)
        waiting.append(packet)
    for number in range(3):
        # Those before it are gone.
        packet = waiting.pop(0)
        first, second = (packet.opaque.of(packet) for _ in range(2))
        assert first is second
        assert first[1] == number * 3000
        data = b"".join(depayload(codec_name, payload) for payload in first[0])
        assert data == bytes(packet)
    assert cuts == [0, 3000, 6000]


def depayload(codec_name, payload):
    return vpx.vp8_depayload(payload) if codec_name == "VP8" else h264.h264_depayload(payload)


async def test_times_may_wrap_around_and_go_back(pair):
    """They go back with B frames, of which each is sent after what it is shown before."""
    *_, answerer = pair
    held = receiving._held(answerer.getReceivers()[0])
    times = [(1 << 32) - 3000, 3000, 0, 6000]
    assert [held.unwrapped(each) for each in times] == [0, 6000, 3000, 9000]


async def test_a_decoder_that_is_behind_skips_to_a_key_frame_and_asks_for_one(pair, monkeypatch):
    track, remote, _offerer, answerer = pair
    track.step()
    await asyncio.wait_for(remote.recv(), WITHIN_S)
    receiver = answerer.getReceivers()[0]
    waiting = receiver._RTCRtpReceiver__decoder_queue
    decoder = receiver._RTCRtpReceiver__decoder_thread
    # Hold the decoder up: nothing takes frames out of its queue.
    waiting.put(None)
    decoder.join(WITHIN_S)
    asked, seen, all_seen = [], [], asyncio.Event()
    # So that there is one time to ask, however long this takes.
    monkeypatch.setattr(jitter_buffer, "KEY_FRAME_EVERY_S", 1000.0)

    async def note_pli(self: RTCRtpReceiver, ssrc: int) -> None:
        asked.append(ssrc)

    def note_frame(frame: jitter_buffer.EncodedFrame) -> None:
        seen.append(frame)
        if len(seen) == frames:
            all_seen.set()

    monkeypatch.setattr(RTCRtpReceiver, "_send_rtcp_pli", note_pli)
    receiving.on_encoded_frame(receiver, note_frame)
    frames = receiving.MAX_DECODER_BACKLOG + 10
    for _ in range(frames):
        track.step()
    await asyncio.wait_for(all_seen.wait(), WITHIN_S)
    assert waiting.qsize() <= receiving.MAX_DECODER_BACKLOG
    assert len(asked) == 1


async def test_closing_does_not_wait_for_the_decoders_backlog(pair):
    track, remote, _, answerer = pair
    track.step()
    await asyncio.wait_for(remote.recv(), WITHIN_S)
    receiver = answerer.getReceivers()[0]
    waiting = receiver._RTCRtpReceiver__decoder_queue
    decoder = receiver._RTCRtpReceiver__decoder_thread
    busy = []

    class SlowFrame:
        """Stands for a frame that takes long to decode."""

        data, timestamp = b"", 0

    class SlowCodec:
        @property
        def name(self) -> str:
            busy.append(time.monotonic())
            time.sleep(0.2)
            raise SystemExit

    for _ in range(20):
        waiting.put((SlowCodec(), SlowFrame()))
    await answerer.close()
    decoder.join(WITHIN_S)
    assert not decoder.is_alive()
    assert len(busy) <= 1, "the backlog was decoded although nobody wants it"


async def test_a_peer_with_an_rsa_certificate_connects():
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "peer")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    offerer, answerer = (RTCPeerConnection(RTCConfiguration([])) for _ in range(2))
    offerer._RTCPeerConnection__certificates = [RTCCertificate(key=key, cert=certificate)]
    offerer.createDataChannel("data")
    await connect(offerer, answerer)
    await offerer.close()
    await answerer.close()


def candidates_of(sdp: str) -> list[tuple[str, int]]:
    fields = [line.split() for line in sdp.splitlines() if line.startswith("a=candidate:")]
    return [(field[4], int(field[5])) for field in fields]


async def gather() -> list[tuple[str, int]]:
    connection = RTCPeerConnection(RTCConfiguration([]))
    connection.createDataChannel("data")
    await connection.setLocalDescription(await connection.createOffer())
    found = candidates_of(connection.localDescription.sdp)
    await connection.close()
    return found


async def test_ice_offers_the_chosen_addresses_and_ports():
    rtc.set_ice_hosts(["127.0.0.1", "127.0.0.2"], range(47000, 47010))
    found = await gather()
    assert {host for host, _ in found} == {"127.0.0.1", "127.0.0.2"}
    assert all(47000 <= port < 47010 for _, port in found)


async def test_a_port_range_that_is_full_gives_no_candidate():
    rtc.set_ice_hosts(["127.0.0.1"], range(47020, 47021))
    first = RTCPeerConnection(RTCConfiguration([]))
    first.createDataChannel("data")
    await first.setLocalDescription(await first.createOffer())
    assert candidates_of(first.localDescription.sdp) == [("127.0.0.1", 47020)]
    assert await gather() == []
    await first.close()
    assert await gather() == [("127.0.0.1", 47020)]


async def test_without_addresses_aioice_chooses():
    rtc.set_ice_hosts([])
    assert aioice.ice.get_host_addresses is ice._original_get_host_addresses


def gone_event(connection: RTCPeerConnection) -> asyncio.Event:
    gone = asyncio.Event()

    @connection.on("connectionstatechange")
    def _() -> None:
        if connection.connectionState in ("failed", "closed"):
            gone.set()

    return gone


async def test_a_peer_that_vanishes_is_noticed_within_five_seconds(pair):
    _, _, offerer, answerer = pair
    gone = gone_event(answerer)
    # No goodbye: its sockets are simply no longer there.
    transport = offerer.getSenders()[0].transport.transport
    for protocol in transport._connection._protocols:
        protocol.transport.close()
    began = time.monotonic()
    await asyncio.wait_for(gone.wait(), WITHIN_S)
    assert time.monotonic() - began < 5.0


async def test_a_peer_that_answers_late_is_still_there(pair):
    """As behind a slow line: each answer is on its way until another check has come."""
    _, _, offerer, answerer = pair
    (protocol,) = offerer.getSenders()[0].transport.transport._connection._protocols
    send, held, answered = protocol.send_stun, [], asyncio.Semaphore(0)

    def hold(message, address):
        if message.message_class != Class.RESPONSE:
            send(message, address)
            return
        held.append(message)
        if len(held) > 1:
            send(held.pop(0), address)
            answered.release()

    protocol.send_stun = hold
    for _ in range(8):
        await asyncio.wait_for(answered.acquire(), WITHIN_S)
    assert answerer.connectionState == "connected"


async def test_a_peer_that_sends_but_does_not_consent_is_left_when_consent_expires(
    pair, monkeypatch
):
    track, _, _, answerer = pair
    monkeypatch.setattr(ice, "CONSENT_INTERVAL_S", 0.2)
    monkeypatch.setattr(ice, "CONSENT_EXPIRES_S", 1.0)

    async def lost(*_arguments, **_keywords):
        await asyncio.sleep(0.5)
        raise TransactionTimeout

    monkeypatch.setattr(aioice.ice.StunProtocol, "request", lost)
    gone = gone_event(answerer)
    async with asyncio.timeout(WITHIN_S):
        while not gone.is_set():
            track.step()
            await asyncio.sleep(0.05)


async def test_data_channel_messages_travel_in_pieces_that_fit_any_path():
    offerer, answerer = (RTCPeerConnection(RTCConfiguration([])) for _ in range(2))
    channel = offerer.createDataChannel("data")
    heard = asyncio.get_running_loop().create_future()
    answerer.on("datachannel", lambda c: c.on("message", heard.set_result))
    await connect(offerer, answerer)
    sizes = []
    send_chunk = offerer.sctp._send_chunk

    async def note_size(chunk):
        if hasattr(chunk, "user_data"):
            sizes.append(len(chunk.user_data))
        await send_chunk(chunk)

    offerer.sctp._send_chunk = note_size
    async with asyncio.timeout(WITHIN_S):
        while channel.readyState != "open":
            await asyncio.sleep(0.01)
        channel.send("x" * 5000)
        assert await heard == "x" * 5000
    assert max(sizes) == sctp.PIECE_BYTES
    await offerer.close()
    await answerer.close()


@either_track
async def test_pictures_that_are_too_large_are_not_decoded_and_smaller_ones_are(pair, monkeypatch):
    track, remote, _, answerer = pair
    (receiver,) = answerer.getReceivers()
    refused, sizes = asyncio.Queue(), []
    rtc.on_too_large(receiver, refused.put_nowait)

    def note_size(codec, data):
        if (size := picture_size(codec, data)) is not None:
            sizes.append(size)
        return size

    monkeypatch.setattr(receiving, "picture_size", note_size)
    rtc.set_max_pixels(100 * 100)
    try:
        track.step()
        assert "160 x 120" in await asyncio.wait_for(refused.get(), WITHIN_S)
        # Told once, however many more key frames come.
        async with asyncio.timeout(WITHIN_S):
            while len(sizes) < 4:
                if isinstance(track, EncodedTrack):
                    track._encoder = Encoder(Codec.VP8, 500_000)
                else:
                    await receiving.request_key_frame(receiver)
                track.step()
                await asyncio.sleep(0.05)
        assert refused.empty()
        assert receiver._RTCRtpReceiver__decoder_queue.empty()
        rtc.set_max_pixels(receiving.DEFAULT_MAX_PIXELS)
        if isinstance(track, EncodedTrack):
            track._encoder = Encoder(Codec.VP8, 500_000)
        else:
            await receiving.request_key_frame(receiver)
        async with asyncio.timeout(WITHIN_S):
            frame = asyncio.ensure_future(remote.recv())
            while not frame.done():
                track.step()
                await asyncio.wait([frame], timeout=0.1)
        assert frame.result().width == 160
    finally:
        rtc.set_max_pixels(receiving.DEFAULT_MAX_PIXELS)
