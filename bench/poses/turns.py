"""Runs several engines over the same frames, one after the other in turns, and takes the times."""

import contextlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from analyzers.pose.engine import Person, PoseEngine, PoseTracker
from bench.poses.clips import Floats, Frames, with_grey_level_noise

# A turn. Engines that took turns frame by frame would each find the other's networks in the
# caches, which no server does; with this many, one frame in a hundred does.
BLOCK_FRAMES = 100
WARM_UP_FRAMES = 10
NOISE_SEED = 1
LANDMARKS = 33


@dataclass(frozen=True, slots=True)
class Runner:
    """An engine that takes its turns, under the name that the tables have for it.

    Attributes
    ----------
    noisy
        It gets the frames with a grey level's noise, made outside of the time that is taken.
    """

    name: str
    engine: PoseEngine
    num_poses: int = 1
    noisy: bool = False


@dataclass(slots=True)
class Answers:
    """What one engine said to each frame, and how long it took.

    Attributes
    ----------
    people
        Those of each frame.
    wall_ms, cpu_ms
        Of each frame; the CPU time is that of all of the process's threads.
    """

    people: list[list[Person]] = field(default_factory=list)
    wall_ms: list[float] = field(default_factory=list)
    cpu_ms: list[float] = field(default_factory=list)

    @property
    def found(self) -> int:
        """How many frames someone was found in."""
        return sum(bool(people) for people in self.people)

    def landmarks_px(self, width: int, height: int) -> Floats:
        """The first person's x and y in pixels, (N, 33, 2); NaN where nobody was found."""
        points = self._first("landmarks", 2)
        return points * (width, height)

    def world_cm(self) -> Floats:
        """The first person's world landmarks in centimetres, (N, 33, 3); NaN as above."""
        return 100.0 * self._first("world_landmarks", 3)

    def _first(self, attribute: str, columns: int) -> Floats:
        rows = np.full((len(self.people), LANDMARKS, columns), np.nan)
        for row, people in zip(rows, self.people, strict=True):
            if people:
                row[:] = getattr(people[0], attribute)[:, :columns]
        return rows


class Turns:
    """Has engines take turns, block by block of each clip, each engine first in its turn.

    Parameters
    ----------
    runners
        The engines.
    """

    def __init__(self, runners: Sequence[Runner]) -> None:
        self._runners = list(runners)
        self._turn = 0

    def warm_up(self, frames: Frames) -> None:
        """Have each engine see a few frames of a video, which is then forgotten.

        The first inferences allocate memory, and with some engines compile.
        """
        for runner in self._runners:
            with contextlib.closing(runner.engine.open(runner.num_poses)) as tracker:
                _run(tracker, frames[:WARM_UP_FRAMES], np.arange(WARM_UP_FRAMES) * 33.0, Answers())

    def run(
        self, frames: Frames, timestamps_ms: Floats, advance: Callable[[int], None]
    ) -> dict[str, Answers]:
        """Show each engine the frames of one video.

        Parameters
        ----------
        frames
            RGB, shape (N, H, W, 3).
        timestamps_ms
            Their times, shape (N,).
        advance
            Called with the number of frames done, between blocks only: what it draws takes no
            time from an engine.
        """
        rng = np.random.default_rng(NOISE_SEED)
        answers = {runner.name: Answers() for runner in self._runners}
        with contextlib.ExitStack() as stack:
            trackers = {
                runner.name: stack.enter_context(
                    contextlib.closing(runner.engine.open(runner.num_poses))
                )
                for runner in self._runners
            }
            for begin in range(0, len(frames), BLOCK_FRAMES):
                block = frames[begin : begin + BLOCK_FRAMES]
                times = timestamps_ms[begin : begin + BLOCK_FRAMES]
                for runner in self._in_turn():
                    seen = with_grey_level_noise(block, rng) if runner.noisy else block
                    _run(trackers[runner.name], seen, times, answers[runner.name])
                    advance(len(block))
        return answers

    def _in_turn(self) -> list[Runner]:
        first = self._turn % len(self._runners)
        self._turn += 1
        return self._runners[first:] + self._runners[:first]


def _run(tracker: PoseTracker, frames: Frames, timestamps_ms: Floats, answers: Answers) -> None:
    for frame, timestamp_ms in zip(frames, timestamps_ms, strict=False):
        cpu_s, wall_s = time.process_time(), time.perf_counter()
        people = tracker.detect(frame, float(timestamp_ms))
        answers.wall_ms.append(1000.0 * (time.perf_counter() - wall_s))
        answers.cpu_ms.append(1000.0 * (time.process_time() - cpu_s))
        answers.people.append(people)
