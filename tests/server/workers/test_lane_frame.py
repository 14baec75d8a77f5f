"""A frame as lanes get it: decoded or converted once, whatever becomes of the mailbox."""

import cv2
import numpy as np
import pytest

from analyzers.base_model import BaseModel
from server.media.decoding import decode
from server.workers.messages import (
    End,
    Final,
    Unreadable,
)
from tests.server.workers.stepped import SLOW_S, Blue, OnRed, Red, numbers, run_all
from tests.support import pictures


class Shade(BaseModel):
    """Writes down which frames it saw, and how red they were to the nearest ten."""

    def __init__(self):
        self.seen = []

    def frame(self, sid, frame, timestamp):
        self.seen.append((round(timestamp / 33), round(frame[0, 0, 0], -1)))


@pytest.mark.parametrize("side", [16, 64], ids=["read on", "replaced by a larger one"])
def test_a_lane_that_comes_late_sees_its_frame_though_the_mailbox_was(make_worker, side):
    shade = Shade()
    worker = make_worker(Red(), shade)
    worker.start("a", "red", "shade")
    worker.frame("a", red=20)
    worker.run("red", SLOW_S)
    worker.run("shade", SLOW_S)
    worker.frame("a", red=40)
    worker.run("shade", SLOW_S)
    # Shade is given this one, which Red does not look at, and comes to it after four more.
    worker.frame("a", red=60)
    assert worker.runners["shade"].jobs[0].frame.info.number == 3
    for number in (4, 5, 6, 7):
        worker.frame("a", red=20 * number, side=side)
        worker.run("red", SLOW_S)
    worker.run("shade", SLOW_S)
    worker.run("shade", SLOW_S)
    assert shade.seen == [(1, 20), (2, 40), (3, 60), (7, 140)]


def test_a_session_ends_while_a_frame_waits_to_be_drawn(make_worker, monkeypatch):
    worker = make_worker(Red())
    monkeypatch.setattr(worker.drawing, "put", lambda *_: None)
    worker.start("a")
    worker.watch("a")
    worker.frame("a", red=200)
    (frame,) = [session.newest.frame for session in worker.dispatcher._sessions.values()]
    worker.dispatcher.receive(End("a", 33.0))
    assert [each.sid for each in worker.sent if isinstance(each, Final)] == ["a"]
    assert abs(int(frame.rgb()[0, 0, 0]) - 200) < 12


def test_colours_are_converted_once_for_all_lanes_and_not_by_the_dispatcher(
    make_worker, monkeypatch
):
    converted = []
    convert = cv2.cvtColor

    def count(planes, code):
        converted.append(code)
        return convert(planes, code)

    monkeypatch.setattr("server.workers.lane_frame.cv2.cvtColor", count)
    worker = make_worker(Red(), Blue())
    worker.start("a", "red", "blue")
    for number in (1, 2):
        worker.frame("a", red=200)
        assert len(converted) == number - 1, "the dispatcher does not wait for it"
        worker.run("blue")
        worker.run("red")
        assert len(converted) == number
    assert numbers(worker.results()) == [("a", 1), ("a", 2)]


def red_jpeg(red, size=(16, 16)):
    width, height = size
    picture = np.zeros((height, width, 3), np.uint8)
    picture[..., 0] = red
    return pictures.jpeg(picture)


def unreadable(worker):
    return [message for message in worker.sent if isinstance(message, Unreadable)]


def test_a_picture_is_decoded_once_for_all_lanes(make_worker, monkeypatch):
    decoded = []

    def count(data):
        decoded.append(len(data))
        return decode(data)

    monkeypatch.setattr("server.workers.lane_frame.decode", count)
    worker = make_worker(Red(), Blue())
    worker.start("a", "red", "blue")
    worker.picture("a", red_jpeg(200))
    assert decoded == [], "the dispatcher does not wait for it"
    worker.run("blue")
    worker.run("red")
    (result,) = worker.results()
    assert abs(int(result.fragments["red"]) - 200) < 12
    assert len(decoded) == 1


def test_a_damaged_picture_is_told_once_however_many_lanes_there_are(make_worker):
    worker = make_worker(Red(), Blue(), OnRed())
    worker.start("a", "red", "blue", "on_red")
    worker.picture("a", red_jpeg(90))
    run_all(worker)
    worker.picture("a", b"\xff\xd8 no picture")
    run_all(worker)
    worker.picture("a", red_jpeg(150))
    run_all(worker)
    (told,) = unreadable(worker)
    assert (told.sid, told.frame.number) == ("a", 2)
    assert "can not be decoded" in told.message
    assert numbers(worker.results()) == [("a", 1), ("a", 3)]
    assert [
        abs(int(r.fragments["red"]) - red) < 12
        for r, red in zip(worker.results(), (90, 150), strict=True)
    ] == [True, True]


def test_a_damaged_picture_in_slow_lanes_is_told_once_too(make_worker):
    worker = make_worker(Red(), Blue())
    worker.start("a", "red", "blue")
    for _ in range(3):
        worker.frame("a")
        worker.run("red", SLOW_S)
        worker.run("blue", SLOW_S)
    before = len(worker.results())
    worker.picture("a", b"no picture")
    number = worker.numbers["a"]
    for _ in range(2):
        worker.run("red", SLOW_S)
        worker.run("blue", SLOW_S)
    assert [told.frame.number for told in unreadable(worker)] == [number]
    assert all(r.frame.number < number for r in worker.results()[before:])


def test_the_size_told_is_the_one_that_was_decoded(make_worker):
    worker = make_worker(Red())
    worker.start("a", "red")
    upright = np.zeros((32, 16, 3), np.uint8)
    worker.picture("a", pictures.turned_jpeg(upright), size=(32, 16))
    worker.run("red")
    (result,) = worker.results()
    assert (result.frame.width, result.frame.height) == (16, 32)
