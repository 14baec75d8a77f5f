"""The parts of the pose engines' comparison: each measures, and adds to the report."""

import contextlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.poses.accuracy import ALL, Accuracy
from bench.poses.athlete import SAMPLE, CannotRender
from bench.poses.clips import PoseClip, read_video
from bench.poses.display import Display
from bench.poses.empty import FPS, SCENES, empty_scenes
from bench.poses.engines import MEDIAPIPE, EngineKind, cached_detector
from bench.poses.figures import ProcessesFigures, speed
from bench.poses.people import NUM_POSES, PeopleFigures, count_people, read_boxes
from bench.poses.processes import PROCESSES, running, throughput
from bench.poses.report import PoseReport
from bench.poses.turns import Answers, Runner, Turns

NOISY = "mediapipe, noise"


def measure_clips(
    report: PoseReport,
    display: Display,
    engines: Sequence[EngineKind],
    clips: Iterable[PoseClip],
    count: int,
) -> None:
    """Times, differences from MediaPipe and errors against the truth, over `count` clips."""
    runners = [Runner(kind.name, kind.start()) for kind in engines]
    turns = Turns([*runners, Runner(NOISY, runners[0].engine, noisy=True)])
    names = [kind.name for kind in engines]
    accuracy = Accuracy(MEDIAPIPE.name, NOISY, names[1:])
    everything: dict[str, list[Answers]] = {name: [] for name in names}
    try:
        for number, clip in enumerate(clips, 1):
            if number == 1:
                turns.warm_up(clip.frames)
            what = f"clip {number} of {count}: {clip.name}"
            with display.task(what, len(clip.frames) * (len(names) + 1)) as advance:
                answers = turns.run(clip.frames, clip.timestamps_ms, advance)
            accuracy.add(clip, answers)
            for name in names:
                everything[name].append(answers[name])
            figures = [speed(clip.name, name, [answers[name]]) for name in names]
            report.speed += figures
            display.say(what, figures)
    finally:
        # What was measured until an interruption is still worth reading.
        if report.speed:
            report.speed += [speed(ALL, name, parts) for name, parts in everything.items()]
            report.differences = accuracy.differences()
            report.errors = accuracy.errors()


def measure_empty(
    report: PoseReport,
    display: Display,
    engines: Sequence[EngineKind],
    seconds: int,
    detector: Path | None,
) -> None:
    """Times with nobody in view; with the person detector, too, if there is one."""
    frames = seconds * FPS
    times_ms = np.arange(frames) * 1000.0 / FPS
    runners = [Runner(kind.name, kind.start()) for kind in engines]
    if detector is not None:
        runners += [
            Runner(kind.with_detector, kind.start(detector=detector))
            for kind in engines
            if kind is not MEDIAPIPE
        ]
    turns = Turns(runners)
    try:
        for number, (scene, pictures) in enumerate(empty_scenes(frames), 1):
            if number == 1:
                turns.warm_up(pictures)
            what = f"nobody in view, {number} of {len(SCENES)}: {scene}"
            with display.task(what, frames * len(runners)) as advance:
                answers = turns.run(pictures, times_ms, advance)
            figures = [speed(scene, name, [each]) for name, each in answers.items()]
            report.empty += figures
            display.say(what, figures)
    except CannotRender as error:
        report.notes.append(f"Nobody in view is left out: {error}")


def measure_processes(
    report: PoseReport,
    display: Display,
    engines: Sequence[EngineKind],
    *,
    frames: int,
    rounds: int,
) -> None:
    """Frames a second of two processes; the median of the rounds.

    The engines take turns here too: all processes are there, and two at a time work.
    """
    rates: dict[str, list[float]] = {kind.name: [] for kind in engines}
    cpu_s = dict.fromkeys(rates, 0.0)
    with (
        contextlib.ExitStack() as stack,
        display.task("two processes on two cores", rounds * len(engines)) as advance,
    ):
        pairs = [
            (kind.name, stack.enter_context(running(kind, SAMPLE, frames))) for kind in engines
        ]
        for number in range(rounds):
            first = number % len(pairs)
            for name, pair in pairs[first:] + pairs[:first]:
                stints = pair.run()
                rates[name].append(throughput(stints, frames))
                cpu_s[name] += sum(stint.cpu_s for stint in stints)
                advance(1)
    report.processes = [
        ProcessesFigures(
            name,
            float(np.median(each)),
            min(each),
            max(each),
            1000.0 * cpu_s[name] / (rounds * PROCESSES * frames),
        )
        for name, each in rates.items()
    ]


@dataclass(frozen=True, slots=True)
class _Finder:
    """An engine that looks for several people, with or without the person detector."""

    kind: EngineKind
    detector: Path | None

    @property
    def name(self) -> str:
        return f"{self.kind.name}, detector" if self.detector else self.kind.name


def measure_people(
    report: PoseReport,
    display: Display,
    engines: Sequence[EngineKind],
    *,
    video: Path,
    detector: Path | None,
    rounds: int,
) -> None:
    """Several people: who is found, and times."""
    frames, fps = read_video(video)
    height, width = frames.shape[1:3]
    times_ms = np.arange(len(frames)) * 1000.0 / fps
    truth = read_boxes(video.with_name(f"{video.stem}_gt.txt"))
    finders = [_Finder(kind, None) for kind in engines]
    if detector is not None:
        finders += [_Finder(kind, detector) for kind in engines if kind is not MEDIAPIPE]
    if cached := cached_detector():
        finders = [each for each in finders if each.detector or each.kind is MEDIAPIPE]
        report.notes.append(
            f"Several people: openvino without the person detector is left out, since it takes "
            f"{cached} when it is given none."
        )
    turns = Turns(
        [
            Runner(
                each.name, each.kind.start(num_poses=NUM_POSES, detector=each.detector), NUM_POSES
            )
            for each in finders
        ]
    )
    turns.warm_up(frames)
    shown: dict[str, list[Answers]] = {each.name: [] for each in finders}
    with display.task("several people", rounds * len(finders) * len(frames)) as advance:
        for _ in range(rounds):
            for name, answers in turns.run(frames, times_ms, advance).items():
                shown[name].append(answers)
    for each in finders:
        people = [found for answers in shown[each.name] for found in answers.people]
        repeated = {
            index + number * len(frames): boxes
            for number in range(rounds)
            for index, boxes in truth.items()
        }
        there, found, extra = count_people(repeated, people, width, height)
        times = speed(video.stem, each.name, shown[each.name])
        report.people.append(
            PeopleFigures(
                each.kind.name,
                each.detector is not None,
                100.0 * found / there,
                extra / len(people),
                times.mean_ms,
                times.cpu_ms,
            )
        )
