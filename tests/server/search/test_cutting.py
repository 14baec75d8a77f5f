"""Clips that are cut out of a video by its packets."""

import threading
from fractions import Fraction

import av
import numpy as np
import pytest

from server.search.cutting import MP4, WEBM, NoRoom, cut
from server.search.video import IndexedVideo
from server.sources.errors import SourceError
from tests.support.server import ROOT

SAMPLE = ROOT / "sample-video.mp4"
RATE = 10


def clip(source, target, from_s, to_s, **more):
    more = {"max_pixels": 1 << 22, "max_bytes": 1 << 30, "stop": threading.Event(), **more}
    return cut(source, target, from_s, to_s, **more)


def pictures(path):
    with av.open(path) as video:
        return [(round(frame.time, 3), frame.to_ndarray()) for frame in video.decode(video=0)]


def made(path, codec, seconds=6, b_frames=0, sound=None):
    """A video whose pictures differ, with a key frame every two seconds."""
    with av.open(path, "w") as video:
        stream = video.add_stream(codec, rate=RATE)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.gop_size = 2 * RATE
        if b_frames:
            stream.max_b_frames = b_frames
        audio = video.add_stream(sound, rate=48000) if sound else None
        for number in range(seconds * RATE):
            picture = np.full((48, 64, 3), number * 4, np.uint8)
            video.mux(stream.encode(av.VideoFrame.from_ndarray(picture)))
            if audio:
                wave = np.zeros((1, 48000 // RATE), np.float32)
                piece = av.AudioFrame.from_ndarray(wave, "fltp", "mono")
                piece.sample_rate, piece.pts = 48000, number * 48000 // RATE
                piece.time_base = Fraction(1, 48000)
                video.mux(audio.encode(piece))
        video.mux(stream.encode(None))
        if audio:
            video.mux(audio.encode(None))
    return path


def test_it_begins_with_the_key_frame_before_and_has_the_very_pictures(tmp_path):
    target = tmp_path / "clip"
    got = clip(SAMPLE, target, 5.3, 8.0)
    keys_s = IndexedVideo.read(SAMPLE, 1 << 22).keys_s
    assert got.start_s == max(key for key in keys_s if key <= 5.3)
    assert (got.end_s, got.kind) == (pytest.approx(8.0, abs=0.02), MP4)
    whole, part = pictures(SAMPLE), pictures(target)
    expected = [(t, p) for t, p in whole if got.start_s - 1e-3 <= t <= got.end_s + 1e-3]
    assert len(part) == len(expected) > 60
    for (time_s, picture), (then_s, original) in zip(part, expected, strict=True):
        assert time_s == pytest.approx(then_s - got.start_s, abs=0.002)
        assert np.array_equal(picture, original)


@pytest.mark.parametrize(
    ("codec", "suffix", "b_frames", "kind"),
    [
        ("libx264", ".mp4", 3, MP4),
        ("libx264", ".mkv", 3, MP4),
        ("libvpx", ".webm", 0, WEBM),
        ("libvpx-vp9", ".webm", 0, WEBM),
    ],
)
def test_what_is_shown_is_what_was_asked_for(tmp_path, codec, suffix, b_frames, kind):
    source = made(tmp_path / f"source{suffix}", codec, b_frames=b_frames)
    target = tmp_path / "clip"
    got = clip(source, target, 2.5, 3.5)
    assert (got.start_s, got.kind) == (2.0, kind)
    whole = [picture for _, picture in pictures(source)]
    part = pictures(target)
    assert [time_s for time_s, _ in part] == pytest.approx([n / RATE for n in range(16)], abs=0.01)
    for (_, picture), original in zip(part, whole[20:36], strict=True):
        assert np.array_equal(picture, original)


def test_sound_comes_along(tmp_path):
    source = made(tmp_path / "source.mp4", "libx264", sound="aac")
    got = clip(source, tmp_path / "clip", 2.0, 4.0)
    with av.open(tmp_path / "clip") as video:
        sound = video.streams.audio[0]
        length_s = float(sound.duration * sound.time_base)
    assert length_s == pytest.approx(got.end_s - got.start_s, abs=0.15)


def test_to_its_end_and_no_further(tmp_path):
    source = made(tmp_path / "source.mp4", "libx264")
    assert clip(source, tmp_path / "clip", 5.5, 100.0).end_s == pytest.approx(5.9)
    with pytest.raises(SourceError, match=r"it is over after 5\.9 s"):
        clip(source, tmp_path / "clip", 6.5, 7.0)


def test_a_codec_that_no_browser_plays(tmp_path):
    source = made(tmp_path / "source.mkv", "ffv1")
    with pytest.raises(SourceError, match="no clip is made of ffv1"):
        clip(source, tmp_path / "clip", 0, 1)


def test_nobody_waits_for_it(tmp_path):
    stop = threading.Event()
    stop.set()
    with pytest.raises(SourceError, match="nobody waits"):
        clip(SAMPLE, tmp_path / "clip", 0, 1, stop=stop)


def test_no_video(tmp_path):
    (tmp_path / "text.mp4").write_text("no video")
    with pytest.raises(SourceError):
        clip(tmp_path / "text.mp4", tmp_path / "clip", 0, 1)


def test_no_more_than_there_is_room_for(tmp_path):
    target = tmp_path / "clip"
    clip(SAMPLE, target, 5.3, 8.0)
    with av.open(target) as video:
        size = sum(packet.size for packet in video.demux())
    clip(SAMPLE, target, 5.3, 8.0, max_bytes=size)
    with pytest.raises(NoRoom, match="take a shorter one"):
        clip(SAMPLE, target, 5.3, 8.0, max_bytes=size - 1)
    assert target.stat().st_size <= size
