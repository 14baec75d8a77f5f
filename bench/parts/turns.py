"""Runs pose engines over the same frames in turns, and takes the times.

As a program it runs one engine in a process of its own, as a server's worker does: it says when it
is ready, goes through the frames whenever it is given a line, and tells when it began and ended.
"""

import argparse
import contextlib
import json
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from analyzers.pose.engine import Person, PoseEngine, PoseTracker
from analyzers.pose.engines import make_engine
from bench.harness.processes import started
from bench.harness.report import SAMPLE
from bench.parts.clips import Floats, Frames, read_video, with_grey_level_noise

# A turn. Engines that took turns frame by frame would each find the other's networks in the
# caches, which no server does; with this many, one frame in a hundred does.
BLOCK_FRAMES = 100
WARM_UP_FRAMES = 10
NOISE_SEED = 1
LANDMARKS = 33

PROCESSES = 2
# Loading an engine and decoding the clip.
READY_WITHIN_S = 120.0
# No engine takes this long for a frame, however busy the machine is.
MAX_FRAME_S = 1.0


@dataclass(frozen=True, slots=True)
class EngineKind:
    """An engine's name in the tables, and how `make_engine` is asked for it."""

    name: str
    choice: str
    precision: str = "auto"

    def start(self, *, num_poses: int = 1, detector: Path | None = None) -> PoseEngine:
        """Load the networks; without a detector openvino takes the model cache's, if any."""
        found = None if detector is None else str(detector)
        how = {"num_poses": num_poses, "precision": self.precision, "detector": found}
        return make_engine(self.choice, **how)


MEDIAPIPE = EngineKind("mediapipe", "mediapipe")
OPENVINO_F32 = EngineKind("openvino f32", "openvino", "f32")
OPENVINO_BF16 = EngineKind("openvino bf16", "openvino", "bf16")
_KINDS = {kind.name: kind for kind in (MEDIAPIPE, OPENVINO_F32, OPENVINO_BF16)}


def has_native_bf16() -> bool:
    """Whether the CPU has instructions for bf16, as OpenVINO sees it."""
    import openvino

    capabilities = openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    return "BF16" in capabilities


@dataclass(frozen=True, slots=True)
class Runner:
    """An engine that takes its turns, under the name that the tables have for it.

    A noisy one gets the frames with a grey level's noise, made outside of the time that is taken.
    """

    name: str
    engine: PoseEngine
    num_poses: int = 1
    noisy: bool = False


@dataclass(slots=True)
class Answers:
    """What one engine said to each frame, and how long it took, all threads together."""

    people: list[list[Person]] = field(default_factory=list)
    wall_ms: list[float] = field(default_factory=list)
    cpu_ms: list[float] = field(default_factory=list)

    def landmarks_px(self, width: int, height: int) -> Floats:
        """The first person's x and y in pixels, (N, 33, 2); NaN where nobody was found."""
        return self._first("landmarks", 2) * (width, height)

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
    """Has engines take turns, block by block of each clip, each engine first in its turn."""

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

    def run(self, frames: Frames, timestamps_ms: Floats) -> dict[str, Answers]:
        """Show each engine the frames of one video, RGB, (N, H, W, 3), at their times, (N,)."""
        rng = np.random.default_rng(NOISE_SEED)
        answers = {runner.name: Answers() for runner in self._runners}
        with contextlib.ExitStack() as stack:
            trackers = {}
            for runner in self._runners:
                tracker = contextlib.closing(runner.engine.open(runner.num_poses))
                trackers[runner.name] = stack.enter_context(tracker)
            for begin in range(0, len(frames), BLOCK_FRAMES):
                block = frames[begin : begin + BLOCK_FRAMES]
                times = timestamps_ms[begin : begin + BLOCK_FRAMES]
                for runner in self._in_turn():
                    seen = with_grey_level_noise(block, rng) if runner.noisy else block
                    _run(trackers[runner.name], seen, times, answers[runner.name])
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


async def run_processes(
    kinds: Sequence[EngineKind], frames: int, rounds: int
) -> dict[str, list[list[dict[str, float]]]]:
    """Have two processes of each engine go through the sample's first frames, in turns.

    Returns what each of the two told in each round, by a clock that all processes share.
    """
    told: dict[str, list[Any]] = {kind.name: [] for kind in kinds}
    async with contextlib.AsyncExitStack() as stack:
        pairs = []
        for kind in kinds:
            arguments = (__name__, "--engine", kind.name, "--frames", frames)
            pair = [await stack.enter_async_context(started(*arguments)) for _ in range(PROCESSES)]
            for each in pair:
                await each.line(READY_WITHIN_S)
            pairs.append((kind.name, pair))
        for number in range(rounds):
            first = number % len(pairs)
            for name, pair in pairs[first:] + pairs[:first]:
                for each in pair:
                    each.go_on()
                within_s = READY_WITHIN_S + frames * MAX_FRAME_S
                told[name].append([await each.line(within_s) for each in pair])
    return told


def throughput(stints: Sequence[dict[str, float]], frames_each: int) -> float:
    """Frames a second of all, from the first one's beginning to the last one's end."""
    seconds = max(s["ended_s"] for s in stints) - min(s["began_s"] for s in stints)
    return len(stints) * frames_each / seconds


def main() -> None:
    """Go through the frames for each line of input."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--engine", choices=_KINDS, required=True)
    parser.add_argument("--frames", type=int, required=True)
    arguments = parser.parse_args()
    # Two of the cores that we may use, or the one that there is.
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:PROCESSES])
    cv2.setNumThreads(1)
    frames, fps = read_video(SAMPLE, arguments.frames)
    times_ms = np.arange(len(frames)) * 1000.0 / fps
    engine = _KINDS[arguments.engine].start()
    Turns([Runner(arguments.engine, engine)]).warm_up(frames)
    print(json.dumps({"ready": arguments.engine}), flush=True)
    for _ in sys.stdin:
        with contextlib.closing(engine.open(1)) as tracker:
            began_s, cpu_s = time.perf_counter(), time.process_time()
            _run(tracker, frames, times_ms, Answers())
            told = {"began_s": began_s, "ended_s": time.perf_counter()}
        print(json.dumps(told | {"cpu_s": time.process_time() - cpu_s}), flush=True)


if __name__ == "__main__":
    main()
