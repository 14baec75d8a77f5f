"""Holds the pose engines against each other: MediaPipe against OpenVINO in f32 and in bf16.

Both run the same networks (BlazePose, full), one thread each, in one run and in turns of a hundred
frames, each engine first in its turn, so that whatever else the machine does meets them alike.
Frames are decoded before, at most 640 pixels wide. bf16 takes part where the CPU computes in it.

  clips      Milliseconds a frame, by the clock and of CPU time, and times MediaPipe's frames
             "per core", which is in the same CPU time. How far the landmarks are from MediaPipe's
             on the same frames: in pixels, in centimetres (world landmarks) and in degrees
             (elbows, knees, hips and shoulders, in the picture). No two implementations agree to
             the bit, and tracking feeds rounding back; the measure is therefore how far MediaPipe
             is from itself when one pixel in a hundred differs by one grey level ("noise"). On
             the rendered athlete also the error against the true landmarks.
  empty      Milliseconds a frame with nobody in view: the same picture over and over, the same
             with a camera's noise, and a camera that turns.
  processes  Frames a second of two processes on two cores, like a server's workers.
  people     Several people (TUD-Campus): how many of those marked by hand are found, that is,
             have a pose whose box has an intersection over union of 0.5 or more with theirs, and
             how many poses are nobody's.

The rendered clips are sample-video.mp4 and, but for --quick, eight more. These are rendered once,
half a minute each, and kept in the user's cache directory. Real clips and TUD-Campus are in the
data folder; without it they are left out, and the report says so.

All of it takes four to six minutes, the first time ten, --quick less than two. End other programs:
what they take of the cores is told below the tables. Ctrl-C ends it and shows what there is until
then. The exit status is 1 when a target is missed or a run fails. MediaPipe has an environment of
its own: .venv-mediapipe/bin/python bench/pose.py, after make test-mediapipe.
"""

import argparse
import asyncio
import importlib.util
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

if not __package__:  # Run as a file, Python looks for modules beside it.
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

import cv2
import numpy as np

from analyzers.networks import model_cache, person_detector
from analyzers.networks.boxes import Box, pair
from analyzers.pose.engine import Person
from analyzers.pose.results import bounding_box
from bench.harness.report import SAMPLE, Check, Report, add_data, at_least, at_most, parser_for, run
from bench.parts import clips, people, turns
from bench.parts.clips import MOVING, RENDERED_CLIPS, STILL, CannotRender, PoseClip
from bench.parts.landmarks import ALL, Accuracy, Difference
from bench.parts.turns import MEDIAPIPE, OPENVINO_BF16, OPENVINO_F32, Answers, EngineKind, Runner

PARTS = ("clips", "empty", "processes", "people")
CAMPUS = people.VIDEOS / "TUD-Campus.mp4"
DETECTOR = Path("models", "openvino", "person-detection-retail-0013.xml")
NOISY = "mediapipe, noise"
# Poses that an engine is asked for at most where there are several people.
NUM_POSES = 8

MIN_SPEED = {OPENVINO_F32.name: 1.8, OPENVINO_BF16.name: 2.5}
MAX_OF_NOISE = {OPENVINO_F32.name: 1.5, OPENVINO_BF16.name: 2.5}
MAX_OF_ERROR, MIN_FOUND_PERCENT, MAX_PEOPLE_MS = 1.03, 60.0, 40.0
MAX_NOBODY_MS = 7.0


class Amount(NamedTuple):
    """How much is measured."""

    real_clips: int
    real_frames: int
    rendered_clips: int
    empty_s: int
    process_frames: int
    process_rounds: int
    people_rounds: int


FULL = Amount(len(clips.REAL_CLIPS), 300, len(RENDERED_CLIPS), 6, 300, 5, 2)
QUICK = Amount(3, 100, 0, 4, 150, 3, 1)


@dataclass(frozen=True, slots=True)
class Speed:
    """How long an engine takes for a frame, by the clock and of all threads' CPU time (a mean).

    `found` is the number of frames that someone was found in.
    """

    clip: str
    engine: str
    frames: int
    median_ms: float
    mean_ms: float
    cpu_ms: float
    found: int

    @classmethod
    def of(cls, clip: str, engine: str, parts: Sequence[Answers]) -> "Speed":
        """Of an engine's answers to one or several clips."""
        wall_ms = np.concatenate([part.wall_ms for part in parts])
        cpu_ms = np.concatenate([part.cpu_ms for part in parts])
        times_ms = (float(np.median(wall_ms)), float(wall_ms.mean()), float(cpu_ms.mean()))
        found = sum(bool(poses) for part in parts for poses in part.people)
        return cls(clip, engine, len(wall_ms), *times_ms, found)


def measure_clips(
    report: Report, kinds: Sequence[EngineKind], all_clips: Iterable[PoseClip], count: int
) -> None:
    """Times, differences from MediaPipe and errors against the truth, over `count` clips."""
    runners = [Runner(kind.name, kind.start()) for kind in kinds]
    in_turn = turns.Turns([*runners, Runner(NOISY, runners[0].engine, noisy=True)])
    names = [kind.name for kind in kinds]
    accuracy = Accuracy(MEDIAPIPE.name, NOISY, names[1:])
    everything: dict[str, list[Answers]] = {name: [] for name in names}
    speeds: list[Speed] = []
    try:
        for number, clip in enumerate(all_clips, 1):
            if number == 1:
                in_turn.warm_up(clip.frames)
            answers = in_turn.run(clip.frames, clip.timestamps_ms)
            accuracy.add(clip, answers)
            for name in names:
                everything[name].append(answers[name])
            told = {name: answers[name] for name in names}
            speeds += _say_speeds(report, f"clip {number} of {count}", clip.name, told)
    finally:
        # What was measured until an interruption is still worth reading.
        if speeds:
            speeds += [Speed.of(ALL, name, parts) for name, parts in everything.items()]
            _tell_clips(report, speeds, accuracy)


def _tell_clips(report: Report, speeds: list[Speed], accuracy: Accuracy) -> None:
    add_speeds(report, "A frame with one person, ms: median, mean, CPU", "clip", speeds)
    report.check(check_speeds(speeds))
    px, cm, degrees = "px at 640 wide", "world, cm", "angle, degrees"
    title = "Difference from mediapipe on the same frames: median, p95 (of noise's)"
    columns = ("clips", "engine", "both found", "only mediapipe", "only it", px, cm, degrees)
    table = report.table(title, *columns)
    for one in (differences := accuracy.differences()):
        table.add(one.clips, one.engine, *one.found, *one.spreads)
    of_all = [one for one in differences if one.clips == ALL]
    report.check(check_worst("difference from mediapipe, of noise's", of_all, MAX_OF_NOISE))
    title = "Error against the rendered truth: median, p95 (of mediapipe's)"
    table = report.table(title, "engine", "frames", px, degrees)
    for one in (errors := accuracy.errors()):
        table.add(one.engine, *one.found, *one.spreads)
    most = dict.fromkeys(MIN_SPEED, MAX_OF_ERROR)
    report.check(check_worst("error against the truth, of mediapipe's", errors, most))


def measure_empty(
    report: Report, kinds: Sequence[EngineKind], seconds: int, detector: Path | None
) -> None:
    """Times with nobody in view; with the person detector, too, if there is one."""
    frames = seconds * clips.EMPTY_FPS
    times_ms = np.arange(frames) * 1000.0 / clips.EMPTY_FPS
    runners = [Runner(kind.name, kind.start()) for kind in kinds]
    if detector is not None:
        runners += [
            Runner(f"{kind.name} with detector", kind.start(detector=detector))
            for kind in kinds[1:]
        ]
    in_turn, speeds = turns.Turns(runners), list[Speed]()
    try:
        for scene, pictures in clips.empty_scenes(frames):
            if not speeds:
                in_turn.warm_up(pictures)
            answers = in_turn.run(pictures, times_ms)
            speeds += _say_speeds(report, "nobody in view", scene, answers)
    except CannotRender as error:
        report.notes.append(f"Nobody in view is left out: {error}")
    finally:
        if speeds:
            title = "A frame with nobody in view, ms: median, mean, CPU"
            add_speeds(report, title, "scene", speeds)
            report.check(check_empty(speeds))


def _say_speeds(report: Report, what: str, clip: str, answers: dict[str, Answers]) -> list[Speed]:
    speeds = [Speed.of(clip, name, [each]) for name, each in answers.items()]
    told = ", ".join(f"{each.engine} {each.mean_ms:.1f} ms" for each in speeds)
    report.say(f"{what}: {clip}: {told}")
    return speeds


def measure_processes(
    report: Report, kinds: Sequence[EngineKind], frames: int, rounds: int
) -> None:
    """Frames a second of two processes at a time, the engines in turn; the median of the rounds."""
    report.say("two processes on two cores")
    told = asyncio.run(turns.run_processes(kinds, frames, rounds))
    columns = ("engine", "frames/s:.0f", "of the rounds", "of mediapipe's", "CPU ms a frame:.1f")
    table = report.table("Two processes on two cores", *columns)
    mediapipes = None
    for name, stints in told.items():
        rates = [turns.throughput(each, frames) for each in stints]
        median = float(np.median(rates))
        mediapipes = mediapipes or median
        cpu_s = sum(stint["cpu_s"] for each in stints for stint in each)
        cpu_ms = 1000.0 * cpu_s / (rounds * turns.PROCESSES * frames)
        from_to = f"{min(rates):.0f} to {max(rates):.0f}"
        table.add(name, median, from_to, f"{median / mediapipes:.2f} x", cpu_ms)


def measure_people(
    report: Report, kinds: Sequence[EngineKind], video: Path, detector: Path | None, rounds: int
) -> None:
    """Several people: who is found, and times."""
    report.say("several people")
    frames, fps = clips.read_video(video)
    height, width = frames.shape[1:3]
    times_ms = np.arange(len(frames)) * 1000.0 / fps
    labelled = people.read_truth(video)
    truth = [[one.box for one in labelled.get(i + 1, [])] for i in range(len(frames))]
    ways: list[tuple[EngineKind, Path | None]] = [(kind, None) for kind in kinds]
    if cached := model_cache.find(person_detector.DEFAULT_NAME):
        ways = ways[:1]
        report.notes.append(
            "Several people: openvino without the person detector is left out, since it takes"
            f" {cached} when it is given none."
        )
    if detector is not None:
        ways += [(kind, detector) for kind in kinds[1:]]
    named = {f"{kind.name} with detector" if by else kind.name: (kind, by) for kind, by in ways}
    in_turn = turns.Turns(
        [
            Runner(name, kind.start(num_poses=NUM_POSES, detector=by), NUM_POSES)
            for name, (kind, by) in named.items()
        ]
    )
    in_turn.warm_up(frames)
    shown = [in_turn.run(frames, times_ms) for _ in range(rounds)]
    columns = ("found %:.1f", "extra a frame:.2f", "ms a frame:.1f", "CPU ms:.1f")
    table = report.table("Several people: TUD-Campus", "engine", "person detector", *columns)
    for name, (kind, by) in named.items():
        answers = [each[name] for each in shown]
        poses = [found for each in answers for found in each.people]
        there, found, extra = count_people(truth * rounds, poses, width, height)
        percent, times = 100.0 * found / there, Speed.of(video.stem, name, answers)
        rates = (percent, extra / len(poses), times.mean_ms, times.cpu_ms)
        table.add(kind.name, "yes" if by else "no", *rates)
        if by:
            report.check(at_least(f"{name}, several people: found, %", percent, MIN_FOUND_PERCENT))
            what = f"{name}, several people: ms a frame"
            report.check(at_most(what, times.mean_ms, MAX_PEOPLE_MS))


def count_people(
    truth: Sequence[Sequence[Box]], answers: Sequence[Sequence[Person]], width: int, height: int
) -> tuple[int, int, int]:
    """People in all frames, those of them that were found, and poses that are nobody's."""
    there = found = extra = 0
    size = (width, height, width, height)
    for boxes, poses in zip(truth, answers, strict=True):
        edges = [np.multiply(bounding_box(person.landmarks[:, :2]), size) for person in poses]
        matches = len(pair(boxes, [Box(*each) for each in edges], people.LEAST_IOU))
        there += len(boxes)
        found += matches
        extra += len(poses) - matches
    return there, found, extra


def add_speeds(report: Report, title: str, what: str, speeds: Sequence[Speed]) -> None:
    """Add a table with a line for each clip, and all engines in it."""
    engines = list(dict.fromkeys(each.engine for each in speeds))
    others = [column for engine in engines[1:] for column in (engine, "per core")]
    table = report.table(title, what, "frames", engines[0], *others, "with someone")
    for clip in dict.fromkeys(each.clip for each in speeds):
        of = [each for each in speeds if each.clip == clip]
        times = [f"{each.median_ms:.1f}, {each.mean_ms:.1f}, {each.cpu_ms:.1f}" for each in of]
        cells = [times[0]]
        for each, time_ms in zip(of[1:], times[1:], strict=True):
            cells += [time_ms, f"{of[0].cpu_ms / each.cpu_ms:.2f} x"]
        table.add(clip, of[0].frames, *cells, ", ".join(str(each.found) for each in of))


def check_speeds(speeds: Sequence[Speed]) -> Iterator[Check]:
    """Frames a second of CPU time, over all clips: on a busy machine the clock says less."""
    cpu_ms = {each.engine: each.cpu_ms for each in speeds if each.clip == ALL}
    for engine, least in MIN_SPEED.items():
        if engine in cpu_ms:
            ratio = cpu_ms[MEDIAPIPE.name] / cpu_ms[engine]
            yield at_least(f"{engine}: frames per core, x mediapipe's", ratio, least)


def check_worst(
    what: str, figures: Sequence[Difference], most: dict[str, float]
) -> Iterator[Check]:
    """Ratios; the worst of the units."""
    for one in figures:
        if one.engine in most:
            ratios = np.array([(each.median_ratio, each.p95_ratio) for each in one.spreads])
            for name, worst in zip(("median", "p95"), ratios.max(axis=0).tolist(), strict=True):
                yield at_most(f"{one.engine}: {what}, {name}", worst, most[one.engine])


def check_empty(speeds: Sequence[Speed]) -> Iterator[Check]:
    """Nobody in view: the slowest scene, and what standing still saves."""
    for engine in dict.fromkeys(each.engine for each in speeds if each.engine != MEDIAPIPE.name):
        mean_ms = {each.clip: each.mean_ms for each in speeds if each.engine == engine}
        what = f"{engine}, nobody in view"
        yield at_most(f"{what}: ms a frame", max(mean_ms.values()), MAX_NOBODY_MS)
        if STILL in mean_ms and MOVING in mean_ms:
            ratio = mean_ms[STILL] / mean_ms[MOVING]
            yield Check(f"{what}: still, of moving", "< 1", f"{ratio:.2f}", ratio < 1.0)


def bench(asked: argparse.Namespace, report: Report) -> None:
    """Everything that the command line asks for."""
    # Each engine has one thread; OpenCV, which crops for one of them, is not to have more.
    cv2.setNumThreads(1)
    amount = QUICK if asked.quick else FULL
    length = "quick" if asked.quick else "full"
    report.settings = [f"One thread for each engine, in turns; {length}: {', '.join(asked.only)}"]
    kinds = [MEDIAPIPE, OPENVINO_F32]
    if turns.has_native_bf16():
        kinds.append(OPENVINO_BF16)
    else:
        report.notes.append(
            "openvino bf16 is left out: this CPU does not compute in bf16 itself, and emulating it"
            " is slower than f32."
        )
    rendered = _rendered(amount.rendered_clips, report) if "clips" in asked.only else []
    real = _real(asked.data, amount, report) if "clips" in asked.only else []
    detector: Path | None = asked.data / DETECTOR
    if not _is_there(asked.data / DETECTOR, "What needs the person detector", report):
        detector = None
    if "clips" in asked.only:
        # One after the other, decoded when its turn has come: all would take gigabytes.
        decoded = (
            *((clips.real_clip, video, amount.real_frames) for video in real),
            *((clips.rendered_clip, video) for video in (SAMPLE, *rendered)),
        )
        one_by_one = (decode(*arguments) for decode, *arguments in decoded)
        measure_clips(report, kinds, one_by_one, len(decoded))
    if "empty" in asked.only:
        measure_empty(report, kinds, amount.empty_s, detector)
    if "processes" in asked.only:
        measure_processes(report, kinds, amount.process_frames, amount.process_rounds)
    campus = asked.data / CAMPUS
    if "people" in asked.only and _is_there(campus, "Several people", report):
        measure_people(report, kinds, campus, detector, amount.people_rounds)


def _rendered(count: int, report: Report) -> list[Path]:
    try:
        return clips.render_clips(RENDERED_CLIPS[:count], report)
    except CannotRender as error:
        report.notes.append(f"Of the rendered clips only the sample takes part: {error}")
        return []


def _real(data: Path, amount: Amount, report: Report) -> list[Path]:
    folder = data / "exercise_videos"
    if not _is_there(folder, "Real clips", report):
        return []
    videos = [folder / f"{name}.mp4" for name in clips.REAL_CLIPS[: amount.real_clips]]
    missing = [video.stem for video in videos if not video.exists()]
    if missing:
        report.notes.append(f"Not in {folder} and left out: {', '.join(missing)}")
    return [video for video in videos if video.exists()]


def _is_there(path: Path, what: str, report: Report) -> bool:
    if path.exists():
        return True
    report.notes.append(f"{what}: left out, since there is no {path}. Give the folder with --data.")
    return False


def main() -> int:
    if importlib.util.find_spec("mediapipe") is None:
        sys.exit(
            "bench/pose.py compares with MediaPipe, which is not installed here: make"
            " test-mediapipe makes an environment with it, .venv-mediapipe: run this with its"
            " Python"
        )
    parser = parser_for(__doc__)
    add_data(parser, "real clips and the person detector")
    parser.add_argument("--quick", action="store_true", help="fewer and shorter clips: two minutes")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS, help="parts")
    return run("Pose engines", parser.parse_args(), bench)


if __name__ == "__main__":
    sys.exit(main())
