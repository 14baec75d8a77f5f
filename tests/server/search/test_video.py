"""A video in parts: every frame once, wherever it is cut, and whatever kind of file it is."""

import threading

import av
import numpy as np
import pytest

from server.search.annotate import HELD_S, annotate
from server.search.appearances import appearances, clock
from server.search.search import Match
from server.search.video import IndexedVideo
from server.sources.errors import SourceError
from tests.support.server import ROOT

SAMPLE = ROOT / "sample-video.mp4"
MAX_PIXELS = 1 << 24
FRAGMENTED = {"movflags": "frag_keyframe+empty_moov+default_base_moof"}


def encode(path, count=60, *, rate=10, options=None, times=None, codec="libx264"):
    """A video whose frames' brightness tells their number."""
    with av.open(path, "w", options=options or {}) as target:
        stream = target.add_stream(codec, rate=rate)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.codec_context.gop_size = 12
        if codec == "libx264":
            # Frames that are not stored in the order they are shown in, across key frames too.
            stream.codec_context.max_b_frames = 3
            stream.options = {"x264-params": "open-gop=1", "crf": "1"}
        for number in range(count):
            picture = np.full((48, 64, 3), (20 + 3 * number) % 256, np.uint8)
            frame = av.VideoFrame.from_ndarray(picture, "rgb24").reformat(format="yuv420p")
            frame.pts = times[number] if times else number
            target.mux(stream.encode(frame))
        target.mux(stream.encode(None))
    return path


def brightness(frame):
    return round((frame.picture.to_ndarray(format="rgb24").mean() - 20) / 3)


def decode_all(video, parts, rate_hz=0.0):
    wanted = video.sample(rate_hz)
    return [list(video.decode(part, wanted)) for part in video.split(parts)]


@pytest.mark.parametrize(
    ("name", "options"), [("a.mp4", None), ("a.mp4", FRAGMENTED), ("a.mkv", None), ("a.ts", None)]
)
@pytest.mark.parametrize("parts", [1, 2, 3, 7])
def test_every_frame_once_and_by_its_number(tmp_path, name, options, parts):
    video = IndexedVideo.read(encode(tmp_path / name, options=options), MAX_PIXELS)
    assert (video.width, video.height) == (64, 48)
    by_part = decode_all(video, parts)
    assert min(parts, 2) <= len(by_part) <= parts
    frames = [frame for part in by_part for frame in part]
    assert [frame.number for frame in frames] == list(range(1, 61))
    assert [brightness(frame) for frame in frames] == list(range(60))
    assert [frame.time_s for frame in frames] == pytest.approx([n / 10 for n in range(60)])


def test_parts_are_about_alike(tmp_path):
    video = IndexedVideo.read(encode(tmp_path / "a.mp4", 96), MAX_PIXELS)
    lengths = [part.end - part.start for part in video.split(4)]
    assert sum(lengths) == 96
    assert max(lengths) <= 36


def test_a_sample_is_even():
    video = IndexedVideo.read(SAMPLE, MAX_PIXELS)
    wanted = video.sample(5)
    assert len(wanted) == pytest.approx(5 * video.duration_s, abs=2)
    assert set(np.diff(wanted)) == {6}
    assert video.sample(0) == list(range(393))
    assert video.sample(1000) == list(range(393)), "not more often than there are frames"


def test_uneven_times_are_kept(tmp_path):
    times = [n * n for n in range(30)]
    video = IndexedVideo.read(encode(tmp_path / "a.mkv", 30, times=times), MAX_PIXELS)
    assert video.times_s == pytest.approx([t / 10 for t in times], abs=0.002)
    frames = [frame for part in decode_all(video, 2) for frame in part]
    assert [brightness(frame) for frame in frames] == list(range(30))


def test_a_recording_that_a_crash_cut_off(tmp_path):
    path = encode(tmp_path / "a.mp4", options=FRAGMENTED)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 2 // 3])
    video = IndexedVideo.read(path, MAX_PIXELS)
    frames = [frame for part in decode_all(video, 2) for frame in part]
    assert len(frames) >= 24
    assert [brightness(frame) for frame in frames] == list(range(len(frames)))


def test_what_can_not_be_searched(tmp_path):
    (tmp_path / "text.mp4").write_text("nothing")
    with pytest.raises(SourceError, match="no video"):
        IndexedVideo.read(tmp_path / "text.mp4", MAX_PIXELS)
    with pytest.raises(SourceError, match="640 x 480"):
        IndexedVideo.read(SAMPLE, 640 * 480 - 1)
    stop = threading.Event()
    stop.set()
    with pytest.raises(SourceError, match="nobody waits"):
        IndexedVideo.read(SAMPLE, MAX_PIXELS, stop)


def match(time_s, distance=0.5, number=None, bbox=(10, 10, 30, 40)):
    return Match(bbox, distance, 0.9, number or round(time_s * 10) + 1, time_s)


def test_a_copy_has_boxes_where_someone_was_found(tmp_path):
    source = encode(tmp_path / "a.mp4", 30)
    video = IndexedVideo.read(source, MAX_PIXELS)
    target = tmp_path / "out.mp4"
    seen = []
    annotate(video, [match(1.0), match(1.25)], target, seen.append)
    assert seen == list(range(1, 31))
    copy = IndexedVideo.read(target, MAX_PIXELS)
    assert copy.times_s == pytest.approx(video.times_s, abs=0.001)
    green = [
        frame.number
        for part in decode_all(copy, 1)
        for frame in part
        if np.ptp(frame.picture.to_ndarray(format="rgb24")[25, 8:13].astype(int), axis=1).max() > 60
    ]
    last = int((1.25 + HELD_S) * 10) + 1
    assert green == list(range(11, last + 1))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.mp4", "out.mp4"]


def test_a_copy_that_is_given_up_leaves_nothing(tmp_path):
    video = IndexedVideo.read(encode(tmp_path / "a.mp4", 30), MAX_PIXELS)

    def give_up(number):
        if number == 10:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        annotate(video, [], tmp_path / "out.mp4", give_up)
    assert [p.name for p in tmp_path.iterdir()] == ["a.mp4"]


def test_matches_that_follow_each_other_are_one_appearance():
    found = appearances([match(1.0, 0.6), match(1.2, 0.4), match(2.9, 0.5), match(9.0, 0.1)], 0.2)
    assert [(a.start_s, a.end_s, a.best.distance, a.count) for a in found] == [
        (1.0, 2.9, 0.4, 3),
        (9.0, 9.0, 0.1, 1),
    ]
    assert appearances([], 0.2) == []
    assert [clock(s) for s in (0, 59.9, 61, 3675)] == ["00:00", "00:59", "01:01", "61:15"]
