"""The rate that a sender is told, from counts and a clock that the test has."""

import pytest

from server.sessions.pace import LOOK_EVERY_S, MAX_PATIENCE_S, MIN_FPS, Pace


class Sender:
    """Sends as it is told to, to a machine that can analyze so many frames a second."""

    def __init__(self, fps=30.0, heeds=True):
        self.pace = Pace()
        self.fps = fps
        self.heeds = heeds
        self.now_s = 100.0
        self.came = self.analyzed = 0.0
        self.pace.look(self.now_s, 0, 0)
        self.told = []

    def sends_fps(self):
        most = self.pace.max_fps if self.heeds else None
        return self.fps if most is None else min(self.fps, most)

    def run(self, seconds, capacity_fps):
        end_s = self.now_s + seconds
        while self.now_s < end_s:
            fps = self.sends_fps()
            self.now_s += LOOK_EVERY_S
            self.came += fps * LOOK_EVERY_S
            self.analyzed += min(fps, capacity_fps) * LOOK_EVERY_S
            if self.pace.look(self.now_s, round(self.came), round(self.analyzed)):
                self.told.append(self.pace.max_fps)
        return self.pace.max_fps


def test_with_room_for_all_nobody_is_told_anything():
    sender = Sender()
    assert sender.run(60, capacity_fps=100) is None
    assert sender.told == []


def test_a_frame_that_is_late_now_and_then_is_no_overload():
    sender = Sender()
    assert sender.run(60, capacity_fps=27) is None


def test_more_than_there_is_time_for_is_told_as_what_there_is_time_for():
    sender = Sender()
    sender.run(LOOK_EVERY_S, capacity_fps=12)
    assert sender.told == [12.0]


def test_it_settles_near_what_there_is_time_for():
    sender = Sender()
    sender.run(120, capacity_fps=12)
    rates = []
    for _ in range(100):
        sender.run(LOOK_EVERY_S, capacity_fps=12)
        rates.append(sender.pace.max_fps)
    assert sum(rates) / len(rates) == pytest.approx(12, rel=0.1)
    # It tries more again and again, and less and less often.
    assert max(rates) == 15.0
    assert rates.count(15.0) <= 200 / MAX_PATIENCE_S * 1.5 + 1


def test_it_is_lifted_when_there_is_room_again():
    sender = Sender()
    sender.run(60, capacity_fps=10)
    assert sender.pace.max_fps < 15
    assert sender.run(2 * MAX_PATIENCE_S, capacity_fps=100) is None
    assert sender.told[-1] is None


def test_fewer_than_can_be_followed_are_not_asked_for():
    sender = Sender()
    sender.run(60, capacity_fps=1)
    assert sender.pace.max_fps == MIN_FPS
    assert min(sender.told) == MIN_FPS


def test_who_does_not_heed_it_is_told_once():
    sender = Sender(heeds=False)
    sender.run(600, capacity_fps=12)
    assert sender.told == [12.0]


def test_a_sender_that_is_slower_than_that_anyway_is_left_alone():
    sender = Sender(fps=6.0)
    sender.run(60, capacity_fps=3)
    assert sender.told == []


def test_a_pause_tells_nothing():
    sender = Sender()
    sender.run(10, capacity_fps=100)
    sender.now_s += 3 * LOOK_EVERY_S
    # What was sent while the process stood still comes at once.
    assert not sender.pace.look(sender.now_s, round(sender.came) + 180, round(sender.analyzed) + 3)
    assert sender.run(20, capacity_fps=100) is None
