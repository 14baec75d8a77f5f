"""The cameras that need no hardware, and what happens without the hardware of the others."""

import itertools
import threading
import time
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from server.camera.clip import Clip
from server.camera.pattern import Pattern
from server.camera.source import CameraError, CameraUnavailable, Mode
from server.camera.v4l2 import V4l2, taken_s

SAMPLE = Path(__file__).parents[3] / "sample-video.mp4"


def test_the_pattern_is_as_asked_and_moves():
    source = Pattern(Mode(320, 180, 50))
    source.open()
    captures = [source.read() for _ in range(20)]
    assert {(c.frame.width, c.frame.height) for c in captures} == {(320, 180)}
    times = [c.captured_s for c in captures]
    # A busy machine may be late; nobody is early.
    assert np.median(np.diff(times)) == pytest.approx(1 / 50, abs=0.01)
    assert np.mean(np.diff(times)) > 1 / 50 - 0.002
    first, last = (c.frame.to_ndarray(format="rgb24") for c in (captures[0], captures[-1]))
    assert (first != last).any()
    assert tuple(first[90, 5]) == (191, 191, 191)
    assert tuple(first[90, 315]) == (0, 0, 191)


def test_a_clip_goes_round_at_its_own_pace(tmp_path):
    path = tmp_path / "short.mp4"
    with av.open(str(path), "w") as file:
        stream = file.add_stream("libx264", rate=50)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for value in (20, 90, 160):
            picture = np.full((48, 64, 3), value, np.uint8)
            file.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        file.mux(stream.encode())
    source = Clip(Mode(), path)
    source.open()
    captures = [source.read() for _ in range(9)]
    levels = [round(c.frame.to_ndarray(format="rgb24").mean()) for c in captures]
    assert levels == pytest.approx([20, 90, 160] * 3, abs=6)
    gaps = [b.captured_s - a.captured_s for a, b in itertools.pairwise(captures)]
    # A busy machine may be late; nobody is early.
    assert np.median(gaps) == pytest.approx(1 / 50, abs=0.01)
    assert np.mean(gaps) > 1 / 50 - 0.002
    assert {c.frame.pict_type for c in captures} == {av.video.frame.PictureType.NONE}
    source.close()
    source.release()


def read_on(source):
    while True:
        source.read()


@pytest.mark.parametrize("source", [Pattern(Mode(64, 48, 0.01)), Clip(Mode(), SAMPLE)])
def test_closing_ends_a_read_that_waits(source):
    source.open()
    source.read()
    threading.Timer(0.1, source.close).start()
    began = time.monotonic()
    with pytest.raises(CameraError, match="closed"):
        read_on(source)
    assert time.monotonic() - began < 10
    source.release()


def test_what_can_not_be_played(tmp_path):
    text = tmp_path / "text.mp4"
    text.write_text("no video")
    for path in (text, tmp_path / "missing.mp4"):
        with pytest.raises(CameraUnavailable, match="can not be played"):
            Clip(Mode(), path).open()


def test_a_device_that_is_not_there(tmp_path):
    with pytest.raises(CameraError, match="plugged in") as refused:
        V4l2(Mode(), tmp_path / "video0").open()
    # It may come: it is worth trying again.
    assert not isinstance(refused.value, CameraUnavailable)


def test_a_device_that_is_none(tmp_path):
    path = tmp_path / "video0"
    path.write_bytes(b"nothing")
    with pytest.raises(CameraError, match="can not be opened"):
        V4l2(Mode(), path).open()


@pytest.mark.parametrize(
    ("age_s", "believed"), [(0.04, True), (9.0, True), (-1.0, False), (60.0, False), (None, False)]
)
def test_a_devices_times_are_taken_where_they_can_be_right(age_s, believed):
    """As FFmpeg gives them: microseconds of the kernel's clock."""
    frame = av.VideoFrame(64, 48, "yuv420p")
    before_s = time.monotonic()
    if age_s is not None:
        frame.pts, frame.time_base = int((before_s - age_s) * 1e6), Fraction(1, 1_000_000)
    found_s = taken_s(frame)
    if believed:
        assert found_s == pytest.approx(before_s - age_s, abs=1e-5)
    else:
        assert before_s <= found_s <= time.monotonic()
