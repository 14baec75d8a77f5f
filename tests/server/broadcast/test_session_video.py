"""A published stream to viewers: forwarded as it came where the codec fits, encoded where not."""

import asyncio
import hashlib

import numpy as np
import pytest

from server.rtc import receiving
from tests.support.numbered import DAMAGED, FPS, NumberedTrack
from tests.support.seen import WITHIN_S, publishing, watching

OTHER = {"VP8": "H264", "H264": "VP8"}


def digest(data):
    """Tells one encoded frame from another; RTP does not keep how long H264's start codes are."""
    return hashlib.sha256(data.replace(b"\0\0\0\1", b"\0\0\1")).hexdigest()


def tap(seen):
    """The digests of what a viewer gets, before it is decoded."""
    got = []
    (receiver,) = seen.connection.getReceivers()
    buffer = receiving._held(receiver).video
    take = buffer.take

    def take_and_note(now_s):
        frames = take(now_s)
        got.extend(digest(frame.data) for frame in frames)
        return frames

    buffer.take = take_and_note
    return got


@pytest.mark.parametrize("codec", ["VP8", "H264"])
async def test_viewers_of_its_codec_get_the_very_frames_and_others_the_same_pictures(
    server, http, codec
):
    name, track = f"yard-{codec}", NumberedTrack(codec)
    async with publishing(server, http, name, codec, track) as analyzed:
        await analyzed.wait_for(5)
        async with (
            watching(server, http, name, codec) as forwarded,
            watching(server, http, name, codec) as second,
            watching(server, http, name, OTHER[codec]) as encoded,
        ):
            got, other = tap(forwarded), tap(encoded)
            await forwarded.wait_for(FPS)
            await second.wait_for(5)
            await encoded.wait_for(FPS)
            # Whoever decoded them and encoded them again would make other bytes.
            sent = {digest(data): number for number, data in enumerate(track.sent)}
            assert set(got) <= set(sent)
            numbers = [sent[each] for each in got]
            assert forwarded.numbers[0] in track.key_frames
            assert np.diff(numbers).tolist() == [1] * (len(numbers) - 1)
            assert not set(other) & set(sent)
            for seen in (forwarded, second, encoded):
                seen.check()
            # Half a millisecond: they follow our clock, and a busy machine is late at times.
            assert np.diff(forwarded.times) == pytest.approx(90_000 / FPS, abs=45)


async def test_who_joins_gets_a_key_frame_and_many_ask_for_one(server, http):
    track = NumberedTrack("VP8")
    async with publishing(server, http, "joins", "VP8", track) as analyzed:
        await analyzed.wait_for(5)
        assert track.requests == 0
        async with (
            watching(server, http, "joins", "VP8") as first,
            watching(server, http, "joins", "VP8") as second,
        ):
            await first.wait_for(5)
            await second.wait_for(5)
            # One a second, however many ask.
            mark, requests = track.number, track.requests
            for _ in range(10):
                for seen in (first, second):
                    (receiver,) = seen.connection.getReceivers()
                    await receiving.request_key_frame(receiver)
                await seen.wait_for(5)
            asked, seconds = track.requests - requests, (track.number - mark) / FPS
            assert 1 <= asked <= seconds + 2


async def test_the_publisher_comes_back_with_another_codec(server, http):
    """Times go on rising for all who watch; who was forwarded is encoded now, and the reverse."""
    before, after = NumberedTrack("VP8"), NumberedTrack("H264")
    async with publishing(server, http, "resumed", "VP8", before) as analyzed:
        await analyzed.wait_for(5)
        async with (
            watching(server, http, "resumed", "VP8") as vp8,
            watching(server, http, "resumed", "H264") as h264,
        ):
            # Further than the new track may be by its first key frame.
            await vp8.wait_for(4 * FPS)
            await h264.wait_for(4 * FPS)
            marks = [len(vp8.numbers), len(h264.numbers)]
            token = analyzed.session["resume"]
            async with publishing(
                server, http, "resumed", "H264", after, resume=token
            ) as analyzed_after:
                assert analyzed_after.session["id"] == analyzed.session["id"]
                await analyzed_after.wait_for(5)
                got = tap(h264)
                for seen, mark in zip((vp8, h264), marks, strict=True):
                    await seen.wait_for(2 * FPS)
                    assert max(seen.worst) < DAMAGED
                    assert np.diff(seen.times).min() > 0
                    # The new track counts from 0 again.
                    assert min(seen.numbers[mark:]) < seen.numbers[mark - 1]
                # Some of those that were encoded may have been on their way.
                async with asyncio.timeout(WITHIN_S):
                    while not set(got[-FPS:]) <= {digest(data) for data in after.sent}:
                        await h264.wait_for(1)


async def test_with_the_session_the_viewers_end(server, http):
    track = NumberedTrack("VP8")
    async with publishing(server, http, "ends", "VP8", track) as analyzed:
        await analyzed.wait_for(5)
        async with (
            watching(server, http, "ends", "VP8") as forwarded,
            watching(server, http, "ends", "H264") as encoded,
        ):
            await forwarded.wait_for(5)
            await encoded.wait_for(5)
            await asyncio.to_thread(server.delete, f"/sessions/{analyzed.session['id']}")
            async with asyncio.timeout(WITHIN_S):
                await forwarded.ended.wait()
                await encoded.ended.wait()
