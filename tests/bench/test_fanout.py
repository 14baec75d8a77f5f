"""The counting of bench/fanout.py: which frames came whole, and how many there were."""

import av
import numpy as np
import pytest

from bench import barcode, fanout_camera
from bench.fanout_figures import Fanout
from bench.fanout_runs import Viewed, Window
from bench.fanout_viewers import Counted


def feed(counted, numbers, *, packets_a_frame=3, first=65530):
    for number in numbers:
        frame, part = divmod(number, packets_a_frame)
        marker = part == packets_a_frame - 1
        counted.take((first + number) % 65536, frame * 4500, marker, 1000)


def test_frames_count_when_all_their_packets_came():
    counted = Counted()
    feed(counted, range(3))
    counted.begin()
    # The second packet of the fourth frame is lost, and the last of the seventh.
    feed(counted, [n for n in range(3, 30) if n not in (10, 20)])
    assert counted.packets == 25
    assert counted.lost == 2
    # The frame after a lost marker can not be told from the one before it.
    assert counted.frames == 9 - 3
    assert counted.sent_frames(20.0) == pytest.approx(9)
    assert counted.bytes == 25_000


def test_the_window_begins_with_a_whole_frame():
    counted = Counted()
    feed(counted, range(1, 9))
    assert counted.frames == 2


def window(percent, viewers, frames=200):
    viewed = tuple(Viewed(frames, 200.0, 2000, 2_500_000, 0) for _ in range(viewers))
    return Window(10.0, percent / 10, 1.0, 50.0, viewed)


def test_what_a_further_viewer_takes_is_the_difference_to_the_first():
    fanout = Fanout("H264", 1, 10.0, 20)
    fanout.add("kinecast", 1, window(30.0, 1))
    fanout.add("kinecast", 11, window(50.0, 11))
    fanout.add("baseline", 1, window(60.0, 1))
    fanout.add("baseline", 2, window(100.0, 2))
    assert fanout.further_viewer_percent("kinecast", 11) == pytest.approx(2.0)
    checks = {check.what: check for check in fanout.checks()}
    share = checks["a further viewer of 11, of the baseline's with 2, a frame"]
    assert share.measured == "0.05"
    assert all(check.reached for check in checks.values())
    fanout.add("kinecast", 11, window(190.0, 11))
    assert not all(check.reached for check in fanout.checks())


def test_a_machine_that_was_too_full_reaches_nothing():
    fanout = Fanout("H264", 1, 10.0, 20)
    fanout.add("kinecast", 1, window(30.0, 1))
    fanout.add("kinecast", 11, window(25.0, 11, frames=100))
    # Half of the frames came: 25 ms for each, where the first viewer's took 15.
    assert fanout.further_viewer_ms("kinecast", 11) == pytest.approx((25 - 15) / 10)
    assert not any(check.reached for check in fanout.checks())


def test_the_cameras_film_has_its_size_and_length_and_carries_the_time(tmp_path):
    source, clip = tmp_path / "source.mp4", tmp_path / "clip.mp4"
    with av.open(str(source), "w") as movie:
        stream = movie.add_stream("libx264", rate=30)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for number in range(5):
            picture = np.full((48, 64, 3), 40 * number, np.uint8)
            movie.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        movie.mux(stream.encode())
    fanout_camera.make_clip(source, clip, width=320, height=240, fps=20, count=12)
    with av.open(str(clip)) as made:
        frames = list(made.decode(video=0))
        assert made.streams.video[0].average_rate == 20
    assert len(frames) == 12
    assert (frames[0].width, frames[0].height) == (320, 240)
    stamped = fanout_camera.stamp(frames[3].to_ndarray(format="rgb24"))
    assert barcode.read(stamped) is not None
