"""Videos are decoded frame by frame, and each picture is told as the frame that it is."""

import contextlib
from dataclasses import replace

import pytest

from server.workers.video_decoder import NotDecoded, VideoDecoder
from tests.server.workers.coded import grey_of, video

PLENTY = 4096 * 4096
CODECS = ["VP8", "H264"]


def decoded(decoder, frames):
    shown = [decoder.decode(frame) for frame in frames]
    return [(frame.info.number, grey_of(picture)) for frame, picture in filter(None, shown)]


@pytest.mark.parametrize("codec", CODECS)
def test_each_frame_is_shown_at_once(codec):
    assert decoded(VideoDecoder(PLENTY), video(codec, 5)) == [(n + 1, n) for n in range(5)]


def test_frames_that_are_sent_out_of_order_are_numbered_as_they_are_shown():
    frames = [
        replace(frame, info=replace(frame.info, received_monotonic_s=float(at)))
        for at, frame in enumerate(video("H264 with B frames", 20, keys=(0, 10)))
    ]
    end = replace(frames[-1], data=b"", is_key_frame=False)
    decoder = VideoDecoder(PLENTY)
    assert decoded(decoder, frames) == [(n + 1, n) for n in range(18)]
    assert decoded(decoder, [end]) == [(20, 19)], "the newest of those that were held back"
    # A video may go on after its end.
    shown = [decoder.decode(frame) for frame in frames]
    assert [told.info.number for told, _ in filter(None, shown)] == list(range(1, 19))
    # What was held back for others is not late for that; its time is its own.
    times_ms = [frame.info.pts_ms for frame, _ in filter(None, shown)]
    assert sorted(times_ms) != times_ms
    arrivals = [frame.info.received_monotonic_s for frame, _ in filter(None, shown)]
    assert arrivals == [float(at) for at, each in enumerate(shown) if each is not None]


def test_the_newest_that_is_wanted_is_shown_at_the_end():
    frames = video("H264 with B frames", 20)
    shown = set()
    for wanted in frames[-8:]:
        decoder = VideoDecoder(PLENTY)
        for frame in frames:
            decoder.decode(replace(frame, is_wanted=frame is wanted))
        told, picture = decoder.decode(replace(frames[-1], data=b"", is_wanted=False))
        if told.is_wanted:
            shown.add((told.info.number, grey_of(picture)))
    assert shown == {(19, 18), (20, 19)}, "both that were held back, and no other"


@pytest.mark.parametrize("codec", CODECS)
def test_numbers_survive_what_is_never_shown(codec):
    decoder = VideoDecoder(PLENTY)
    frames = video(codec, 20, keys=(0, 18))
    shown = decoded(decoder, frames[:2])
    for frame in frames[2:18]:
        with contextlib.suppress(NotDecoded):
            decoder.decode(replace(frame, data=b"\xff" * 30))
    shown += decoded(decoder, frames[18:])
    assert shown[-2:] == [(19, 18), (20, 19)]


def test_a_codec_that_changes_begins_anew():
    decoder = VideoDecoder(PLENTY)
    frames = [*video("VP8", 2), *video("H264", 2, first=3), *video("VP8", 2, first=5)]
    assert [number for number, _ in decoded(decoder, frames)] == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize("codec", CODECS)
def test_a_size_that_changes_is_the_pictures(codec):
    decoder = VideoDecoder(PLENTY)
    for frame, size in (
        (video(codec, 1, (64, 48))[0], (64, 48)),
        (video(codec, 1, (128, 96), first=2)[0], (128, 96)),
    ):
        _, picture = decoder.decode(frame)
        assert (picture.width, picture.height) == size
        assert picture.format.name == "yuv420p"


@pytest.mark.parametrize("codec", CODECS)
def test_what_builds_on_nothing_is_not_decoded(codec):
    _, following = video(codec, 2)
    with pytest.raises(NotDecoded):
        assert VideoDecoder(PLENTY).decode(following) is not None


@pytest.mark.parametrize("codec", CODECS)
def test_a_damaged_frame_costs_itself(codec):
    frames = video(codec, 4, keys=(0, 2))
    decoder = VideoDecoder(PLENTY)
    damaged = video(codec, 1)[0]
    object.__setattr__(damaged, "data", b"\x00" * 9)
    assert len(decoded(decoder, frames[:2])) == 2
    with pytest.raises(NotDecoded):
        assert decoder.decode(damaged) is not None
    assert [number for number, _ in decoded(decoder, frames[2:])] == [3, 4]


@pytest.mark.parametrize("codec", CODECS)
def test_no_room_is_made_for_a_picture_that_is_too_large(codec):
    (frame,) = video(codec, 1, (640, 480))
    with pytest.raises(NotDecoded):
        VideoDecoder(320 * 240).decode(frame)
    assert VideoDecoder(640 * 480).decode(frame) is not None
