"""Videos are decoded frame by frame, and each picture is told as the frame that it is."""

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


def test_frames_that_are_sent_out_of_order_are_told_as_what_they_are():
    frames = video("H264 with B frames", 8)
    shown = decoded(VideoDecoder(PLENTY), frames)
    numbers, greys = zip(*shown, strict=True)
    assert greys == tuple(range(len(greys))), "in the order in which they are to be seen"
    assert len(greys) >= 4
    assert numbers[0] == 1
    assert list(numbers) != sorted(numbers), "each by its own number, in the order of sending"


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
