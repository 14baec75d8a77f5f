"""Engines take turns, each with its own tracker, and answers stay with who gave them."""

from dataclasses import dataclass, field

import numpy as np
import pytest

from analyzers.pose.engine import Person
from bench.poses.turns import BLOCK_FRAMES, WARM_UP_FRAMES, Answers, Runner, Turns

FRAMES = 250
Call = tuple[str, int]


@dataclass
class Tracker:
    """Finds, in every frame, someone whose landmarks are all at the brightness of its corner."""

    engine: "Engine"
    num_poses: int
    number: int
    closed: bool = False

    def detect(self, rgb: np.ndarray, timestamp_ms: float) -> list[Person]:
        if timestamp_ms == self.engine.fails_at_ms:
            raise RuntimeError("engine failed")
        self.engine.calls.append((self.engine.name, int(timestamp_ms)))
        self.engine.seen.append(rgb.copy())
        if timestamp_ms % 2:
            return []
        points = np.full((33, 4), rgb[0, 0, 0] / 100)
        return [Person(points, points / 10)]

    def close(self) -> None:
        self.closed = True


@dataclass
class Engine:
    """Writes down who was called for which frame; `calls` may be shared."""

    name: str
    calls: list[Call] = field(default_factory=list)
    fails_at_ms: float = -1.0
    seen: list[np.ndarray] = field(default_factory=list)
    trackers: list[Tracker] = field(default_factory=list)

    def open(self, num_poses: int) -> Tracker:
        self.trackers.append(Tracker(self, num_poses, len(self.trackers)))
        return self.trackers[-1]


def video() -> tuple[np.ndarray, np.ndarray]:
    frames = np.full((FRAMES, 20, 20, 3), 50, np.uint8)
    return frames, np.arange(FRAMES, dtype=np.float64)


def ignore(_: int) -> None:
    """A progress that nobody watches."""


def test_engines_take_turns_block_by_block_and_each_is_first_in_turn() -> None:
    calls: list[Call] = []
    engines = [Engine(name, calls) for name in "abc"]
    Turns([Runner(each.name, each) for each in engines]).run(*video(), ignore)
    turns = [name for name, frame in calls if frame % BLOCK_FRAMES == 0]
    assert turns == [*"abc", *"bca", *"cab"]
    for name in "abc":
        assert [frame for who, frame in calls if who == name] == list(range(FRAMES))


def test_a_tracker_sees_the_whole_video_and_is_closed() -> None:
    engine = Engine("a")
    Turns([Runner("a", engine, num_poses=8), Runner("again", engine)]).run(*video(), ignore)
    assert [(each.num_poses, each.closed) for each in engine.trackers] == [(8, True), (1, True)]


def test_trackers_are_closed_when_an_engine_fails() -> None:
    engines = [Engine("a"), Engine("b", fails_at_ms=120)]
    with pytest.raises(RuntimeError, match="engine failed"):
        Turns([Runner(each.name, each) for each in engines]).run(*video(), ignore)
    assert all(tracker.closed for each in engines for tracker in each.trackers)


def test_only_the_noisy_runner_sees_noise() -> None:
    plain, noisy = Engine("plain"), Engine("noisy")
    frames, times = video()
    Turns([Runner("plain", plain), Runner("noisy", noisy, noisy=True)]).run(frames, times, ignore)
    assert np.array_equal(plain.seen, frames)
    assert (np.array(noisy.seen) != frames).any(axis=-1).mean() == pytest.approx(0.01)


def test_answers_have_a_row_for_each_frame_and_nan_where_nobody_is() -> None:
    answers = Turns([Runner("a", Engine("a"))]).run(*video(), ignore)["a"]
    assert len(answers.wall_ms) == len(answers.cpu_ms) == FRAMES
    assert answers.found == FRAMES // 2
    px, cm = answers.landmarks_px(640, 480), answers.world_cm()
    assert px.shape == (FRAMES, 33, 2)
    assert cm.shape == (FRAMES, 33, 3)
    assert np.unique(px[::2], axis=0).tolist() == [[[320.0, 240.0]] * 33]
    assert cm[::2] == pytest.approx(5.0)
    assert np.isnan(px[1::2]).all()
    assert np.isnan(cm[1::2]).all()


def test_progress_is_told_of_every_frame_of_every_engine() -> None:
    steps: list[int] = []
    Turns([Runner(name, Engine(name)) for name in "ab"]).run(*video(), steps.append)
    assert steps == [100, 100, 100, 100, 50, 50]


def test_warming_up_leaves_no_trace() -> None:
    engine = Engine("a")
    turns = Turns([Runner("a", engine)])
    frames, times = video()
    turns.warm_up(frames)
    assert len(engine.seen) == WARM_UP_FRAMES
    turns.warm_up(frames[:3])
    answers = turns.run(frames, times, ignore)["a"]
    assert len(answers.people) == FRAMES
    assert [each.closed for each in engine.trackers] == [True, True, True]


def test_without_frames_there_are_no_answers() -> None:
    assert Answers().found == 0
    assert Answers().landmarks_px(640, 480).shape == (0, 33, 2)
