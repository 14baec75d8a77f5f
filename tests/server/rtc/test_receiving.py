"""Video as it is received: frames without delay, losses mended, a decoder that is never behind."""

import asyncio
import time

import av
import pytest
from aiortc import (
    RTCRtpReceiver,
)

from server import rtc
from server.media.encoder import Codec, Encoder
from server.rtc import jitter_buffer, receiving
from server.rtc.bitstream import picture_size
from tests.server.rtc.peers import WITHIN_S, EncodedTrack, either_track


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
