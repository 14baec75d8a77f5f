"""The counting of bench/fanout.py: which frames came whole, and what a further viewer takes."""

import pytest

from bench.fanout import Fanout, Window
from bench.harness.viewers import Counted


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
    # The frame after a lost marker can not be told from the one before it.
    assert counted.frames == 9 - 3
    assert counted.sent_frames(20.0) == pytest.approx(9)
    assert counted.bytes == 25_000


def test_the_window_begins_with_a_whole_frame():
    counted = Counted()
    feed(counted, range(1, 9))
    assert counted.frames == 2


def window(percent, delivered=1.0):
    return Window(percent, fps=20.0 * delivered, kbps=1000.0, delivered=delivered)


def test_what_a_further_viewer_takes_is_the_difference_to_the_first():
    fanout = Fanout()
    fanout.add("kinecast", 1, window(30.0))
    fanout.add("kinecast", 11, window(50.0))
    fanout.add("baseline", 1, window(60.0))
    fanout.add("baseline", 2, window(100.0))
    assert fanout.further_viewer_percent("kinecast", 11) == pytest.approx(2.0)
    checks = {check.what: check for check in fanout.checks()}
    share = checks["a further viewer of 11, of the baseline's with 2, a frame"]
    assert share.measured == "0.05"
    assert all(check.reached for check in checks.values())
    fanout.add("kinecast", 11, window(190.0))
    assert not all(check.reached for check in fanout.checks())


def test_a_machine_that_was_too_full_reaches_nothing():
    fanout = Fanout()
    fanout.add("kinecast", 1, window(30.0))
    fanout.add("kinecast", 11, window(25.0, delivered=0.5))
    # Half of the frames came: 25 ms for each, where the first viewer's took 15.
    assert fanout.further_viewer_ms("kinecast", 11) == pytest.approx((25 - 15) / 10)
    assert not any(check.reached for check in fanout.checks())
