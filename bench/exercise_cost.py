"""What exercise scoring costs beside pose, in CPU time of one process.

chain      The sample video, frame by frame through two sessions of pose, in turns first: one alone,
           the other with exercise behind it. How much more the chain takes.
people     Exercise with several people, each of them the sample's athlete at another moment: what a
           frame takes for each person.
unknown    Movements that are no exercise, by our own athlete's skeleton: what a frame takes with
           and without the counter of what is unknown, in turns; means of each movement.

Others on the machine make all of it dearer, so the shares are what to look at, and what a frame
takes only on a quiet one.
"""

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

if not __package__:  # Run as a file, Python looks for modules beside it.
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

import cv2
import numpy as np

from analyzers.exercise import Exercise
from analyzers.exercise.one_person import OnePerson
from analyzers.pose import Pose
from bench.harness.report import SAMPLE, Report, at_most, parser_for, run
from bench.parts.exercise_clips import Landmarks
from bench.parts.negatives import negatives
from bench.parts.people import frames

MAX_CHAIN, MAX_EACH_MS = 1.05, 0.3
# What is loaded and compiled with the first frames is no frame's cost.
WARM_UP = 15
_AXES = ("x", "y", "z", "visibility")


def cpu_ms(work: Callable[[], Any]) -> tuple[float, Any]:
    """Return how much of a core some work takes, and what came of it."""
    began_s = time.process_time()
    done = work()
    return (time.process_time() - began_s) * 1000.0, done


def measure_chain(rounds: int, report: Report) -> list[dict[str, Any]]:
    """Pose alone and the chain in turns; return what pose says of each frame."""
    pose, exercise, shown = Pose(), Exercise(), list(frames(SAMPLE))
    # Pairs, frame by frame, of pose alone and the chain.
    taken: list[tuple[float, float]] = []
    posed: list[dict[str, Any]] = []
    for number in range(rounds):
        for sid in ("alone", "chain"):
            pose.start(sid, 0.0)
        exercise.start("chain", 0.0)
        for at, (time_ms, rgb) in enumerate(shown):

            def alone(rgb: Any = rgb, time_ms: float = time_ms) -> Any:
                return pose.frame("alone", rgb, time_ms)

            def chain(rgb: Any = rgb, time_ms: float = time_ms) -> Any:
                seen = pose.frame("chain", rgb, time_ms)
                exercise.frame("chain", rgb, time_ms, results={"pose": seen})
                return seen

            # Each goes first every other time.
            order = (alone, chain) if (at + number) % 2 else (chain, alone)
            told = {work: cpu_ms(work) for work in order}
            if at >= WARM_UP:
                taken.append((told[alone][0], told[chain][0]))
            if number == 0:
                posed.append(told[chain][1] | {"at_ms": time_ms})
        for sid in ("alone", "chain"):
            pose.end(sid)
        exercise.end("chain")
        report.say(f"chain, round {number + 1} of {rounds}")
    table = report.table("Chain", "", "pose alone ms:.2f", "with exercise ms:.2f", "share:.3f")
    both = np.array(taken)
    for name, of in (("mean", np.mean), ("median", np.median)):
        one, other = of(both, axis=0)
        table.add(name, one, other, other / one)
        report.check(at_most(f"pose and exercise, of pose alone, {name}", other / one, MAX_CHAIN))
    return posed


def measure_people(posed: Sequence[dict[str, Any]], count: int, report: Report) -> None:
    """Each person is the sample's athlete, and so many frames later than the one before."""
    seen = [each for each in posed if each["has_pose"]]
    exercise, picture = Exercise(), np.zeros((480, 640, 3), np.uint8)
    exercise.start("people", 0.0, options={})
    taken = []
    for at, frame in enumerate(seen):
        people = [
            {
                "id": number + 1,
                "box": (0.1 * number, 0.1, 0.1 * number + 0.1, 0.9),
                **{
                    key: seen[(at + 13 * number) % len(seen)][key]
                    for key in ("landmarks", "world_landmarks")
                },
            }
            for number in range(count)
        ]
        said = {"has_pose": True, "people": people, **people[0]}
        results = {"pose": said}
        ms, _ = cpu_ms(
            lambda at_ms=frame["at_ms"], results=results: exercise.frame(
                "people", picture, at_ms, results=results
            )
        )
        if at >= WARM_UP:
            taken.append(ms)
    exercise.end("people")
    each = float(np.mean(taken)) / count
    table = report.table("People", "people", "a frame ms:.2f", "each ms:.3f", "p95 each ms:.3f")
    table.add(count, each * count, each, float(np.percentile(taken, 95)) / count)
    report.check(at_most(f"{count} people: ms a frame, each", each, MAX_EACH_MS))


def measure_unknown(report: Report) -> None:
    """With and without the counter of what is unknown."""
    means = {True: list[float](), False: list[float]()}
    for each in negatives():
        for counts in (True, False):
            means[counts].append(_mean_ms(each.landmarks, counts_unknown=counts))
    table = report.table("Unknown", "", "without ms:.3f", "with ms:.3f", "more ms:.3f")
    without, with_it = np.array(means[False]), np.array(means[True])
    more = with_it - without
    table.add("mean", without.mean(), with_it.mean(), more.mean())
    table.add("dearest movement", *(part[more.argmax()] for part in (without, with_it, more)))


def _mean_ms(seen: Landmarks, *, counts_unknown: bool) -> float:
    person, taken = OnePerson(counts_unknown=counts_unknown), []
    for at_s, flat, solid in zip(seen.times_s.tolist(), seen.flat, seen.solid, strict=True):
        if np.isnan(flat[0, 0]):
            continue
        rows = [[dict(zip(_AXES, row, strict=True)) for row in of.tolist()] for of in (flat, solid)]
        taken.append(cpu_ms(lambda rows=rows, at_s=at_s: person.seen(*rows, at_s, seen.aspect))[0])
    return float(np.mean(taken[WARM_UP:])) if len(taken) > WARM_UP else 0.0


def bench(asked: argparse.Namespace, report: Report) -> None:
    """Everything that the command line asks for."""
    cv2.setNumThreads(1)
    posed = measure_chain(asked.rounds, report)
    measure_people(posed, asked.people, report)
    if asked.unknown:
        measure_unknown(report)


def main() -> int:
    parser = parser_for(__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="of the sample video")
    parser.add_argument("--people", type=int, default=8)
    parser.add_argument("--unknown", action="store_true", help="with movements that are none")
    return run("Exercise scoring's cost", parser.parse_args(), bench)


if __name__ == "__main__":
    sys.exit(main())
