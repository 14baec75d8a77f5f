"""Video as it is received: frames without delay, as they were encoded or decoded."""

import asyncio
import threading
import time

import av
import pytest
from aiortc.mediastreams import MediaStreamError

from server import rtc
from server.media.bitstream import picture_size
from server.media.encoder import Codec, Encoder
from server.rtc import receiving
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


async def test_frames_are_had_as_they_came_and_not_decoded(pair):
    track, remote, _, answerer = pair
    receiver = answerer.getReceivers()[0]
    # Before anything has come, what was agreed on first.
    assert receiving.received_codec(receiver) == "VP8"
    tapped = asyncio.Queue()
    receiving.on_encoded_frame(receiver, tapped.put_nowait)
    decoder = av.CodecContext.create("vp8", "r")
    got = []
    for number in range(3):
        track.step()
        got.append(await asyncio.wait_for(tapped.get(), WITHIN_S))
        (picture,) = decoder.decode(av.Packet(got[number].data))
        assert (picture.width, picture.height) == (160, 120)
        assert got[number].timestamp == pytest.approx(number * 3000, abs=2)
    assert [frame.is_key_frame for frame in got] == [True, False, False]
    assert not any(frame.is_damaged for frame in got)
    assert receiving.received_codec(receiver) == "VP8"
    assert not any(thread.name == "video-decoder" for thread in threading.enumerate())
    assert remote._queue.empty()


async def test_who_no_longer_takes_frames_as_they_came_has_them_decoded(pair):
    track, remote, _, answerer = pair
    receiver = answerer.getReceivers()[0]
    tapped = asyncio.Queue()
    receiving.on_encoded_frame(receiver, tapped.put_nowait)
    receiving.on_encoded_frame(receiver, None)
    track.step()
    assert (await asyncio.wait_for(remote.recv(), WITHIN_S)).width == 160
    assert tapped.empty()


async def test_a_track_that_was_never_decoded_ends(pair):
    track, remote, _, answerer = pair
    tapped = asyncio.Queue()
    receiving.on_encoded_frame(answerer.getReceivers()[0], tapped.put_nowait)
    track.step()
    await asyncio.wait_for(tapped.get(), WITHIN_S)
    reading = asyncio.ensure_future(remote.recv())
    await answerer.close()
    with pytest.raises(MediaStreamError):
        await asyncio.wait_for(reading, WITHIN_S)


async def test_times_may_wrap_around_and_go_back(pair):
    """They go back with B frames, of which each is sent after what it is shown before."""
    *_, answerer = pair
    held = receiving._held(answerer.getReceivers()[0])
    times = [(1 << 32) - 3000, 3000, 0, 6000]
    assert [held.unwrapped(each) for each in times] == [0, 6000, 3000, 9000]


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
