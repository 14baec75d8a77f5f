"""What encoded frames say of themselves, against what made them and what decodes them."""

from fractions import Fraction

import av
import pytest
from aiortc.codecs.vpx import VpxPayloadDescriptor

from server.media.bitstream import (
    ParameterSets,
    is_key_frame,
    may_reorder,
    picture_size,
    shown_size,
    temporal_layer,
)
from tests.server.recordings.movies import numbered


def key_frame(codec, size, **options):
    context = av.CodecContext.create(codec, "w")
    context.width, context.height = size
    context.pix_fmt = options.pop("pix_fmt", "yuv420p")
    context.time_base = Fraction(1, 30)
    context.options = options
    frame = numbered(1, *size).reformat(format=context.pix_fmt)
    frame.pts = 0
    packets = [*context.encode(frame), *context.encode(None)]
    return bytes(packets[0])


@pytest.mark.parametrize("size", [(640, 480), (638, 364), (16, 16), (34, 20), (1920, 1080)])
@pytest.mark.parametrize(
    "options",
    [
        {"profile": "baseline"},
        {"profile": "high"},
        {"profile": "high422", "pix_fmt": "yuv422p"},
        {"profile": "high444", "pix_fmt": "yuv444p"},
        {"profile": "high", "flags": "+ildct+ilme"},
        {"profile": "high", "pix_fmt": "gray"},
    ],
)
def test_the_size_that_is_shown_is_without_what_is_cropped(size, options):
    data = key_frame("libx264", size, preset="ultrafast", **options)
    assert shown_size("H264", data) == size
    width, height = picture_size("H264", data)
    assert width % 16 == height % 16 == 0
    assert 0 <= width - size[0] < 16
    assert 0 <= height - size[1] < 32


def test_vp8_shows_what_it_decodes():
    data = key_frame("libvpx", (638, 362))
    assert shown_size("VP8", data) == picture_size("VP8", data) == (638, 362)


def test_a_frame_that_says_no_size():
    assert shown_size("H264", b"\0\0\1\x65" + bytes(20)) is None
    assert shown_size("VP8", b"\x01" + bytes(20)) is None


def test_a_picture_that_is_cropped_away():
    data = bytearray(key_frame("libx264", (34, 18), profile="baseline"))
    sps = data.find(b"\x67")
    assert shown_size("H264", bytes(data)) == (34, 18)
    for at in range(sps + 4, sps + 12):
        for bit in range(8):
            data[at] ^= 1 << bit
            try:
                size = shown_size("H264", bytes(data))
            except ValueError:
                size = (1, 1)
            assert size is not None
            assert min(size) > 0
            data[at] ^= 1 << bit


@pytest.mark.parametrize(("profile", "reorders"), [("baseline", False), ("main", True)])
def test_which_may_come_in_another_order(profile, reorders):
    assert may_reorder("H264", key_frame("libx264", (64, 48), profile=profile)) is reorders
    assert may_reorder("VP8", key_frame("libvpx", (64, 48))) is False


@pytest.mark.parametrize("picture_id", [None, 5, 127, 128, 30_000])
@pytest.mark.parametrize("tl0picidx", [None, 0, 255])
@pytest.mark.parametrize("keyidx", [None, 31])
@pytest.mark.parametrize("tid", [None, (0, 0), (1, 0), (1, 1), (3, 1)])
def test_the_temporal_layer_stands_in_the_payload_descriptor(picture_id, tl0picidx, keyidx, tid):
    descriptor = VpxPayloadDescriptor(1, 0, picture_id, tl0picidx, tid, keyidx)
    layer, is_sync = tid or (0, 0)
    assert temporal_layer(bytes(descriptor) + b"frame") == (layer, bool(is_sync))


def test_a_short_picture_number_and_payloads_that_are_cut_off():
    whole = b"\xf0\xf0\x05\x07\x60frame"
    assert temporal_layer(whole) == (1, True)
    long = bytes(VpxPayloadDescriptor(1, 0, 300, 7, (1, 1), 3))
    for cut in range(len(long)):
        assert temporal_layer(long[:cut]) == (0, False)


SPS, PPS, IDR = b"\0\0\1\x67", b"\0\0\1\x68", b"\0\0\1\x65idr"


def test_a_frame_of_parameter_sets_alone_is_refused_and_not_read():
    """Each was read with all behind it: two megabytes took 79 s."""
    with pytest.raises(ValueError, match="more than 4"):
        picture_size("H264", SPS * 500_000)
    assert not is_key_frame("H264", SPS * 500_000)
    assert is_key_frame("H264", SPS * 500_000 + IDR)


def test_units_that_end_where_the_next_begins_are_found():
    whole = key_frame("libx264", (64, 48))
    assert picture_size("H264", b"\0\0\1" + whole) == picture_size("H264", whole) == (64, 48)


@pytest.mark.parametrize("sets", [SPS + PPS * 20_000, SPS * 20_000])
def test_parameter_sets_of_many_kilobytes_are_not_put_before_each_key_frame(sets):
    known = ParameterSets()
    for data in (sets + IDR, sets):
        known.complete(data, is_key_frame=False)
        assert len(known.complete(IDR, is_key_frame=True)) < 1000
