"""Learns exercises from the first repetitions of clips, and counts the others without knowing them.

Whole clips of one exercise with six repetitions or more, counted by eye, of the data folder's
rep_counts.json and of exercise_unseen/rep_counts.json: what the first repetitions that are alike
show is learned, as in a session, and counted over the whole clip, those among them. Where the truth
is markers at the top of each repetition, complete ones may be one fewer than markers, and both are
right. "Free" is what is counted without anything having been shown.
What was learned from each clip is looked for in those of other exercises, too, where nothing that
it counts is right, and in other people's of the same one, where all is.
"""

import argparse
import sys
from pathlib import Path
from typing import Any

if not __package__:  # Run as a file, Python looks for modules beside it.
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

import cv2
import numpy as np

from analyzers.exercise.demonstration import (
    FreeCounter,
    Learner,
    Seen,
    ShownExercises,
    distilled,
)
from analyzers.exercise.demonstration.motion import Moment, Motion
from analyzers.pose import Pose
from bench.harness.report import Report, add_data, at_least, parser_for, run
from bench.parts.exercise_clips import Clip, Landmarks, clips_of, landmarks_of

LEAST = 6
TARGET = 0.9
# As a session does: frames nearer to the last one are left out, and who was away begins anew.
MIN_STEP_S, MAX_GAP_S = 0.036, 1.0
Looked = list[tuple[float, Moment | None]]


def long_clips(data: Path) -> list[Clip]:
    """Those with enough repetitions of one exercise."""
    return [clip for clip in clips_of(data) if (clip.true_most or 0) >= LEAST]


def looked_at(found: Landmarks) -> Looked:
    """What a session makes of them: times and motion, None where somebody comes back."""
    looked: Looked = []
    motion, last_s = Motion(), float("-inf")
    for time_s, flat, solid in zip(found.times_s.tolist(), found.flat, found.solid, strict=True):
        if np.isnan(flat[0, 0]) or time_s - last_s < MIN_STEP_S:
            continue
        if looked and time_s - last_s > MAX_GAP_S:
            motion = Motion()
            looked.append((time_s, None))
        looked.append((time_s, motion.measure(flat, solid, time_s, found.aspect)))
        last_s = time_s
    return looked


def learned(looked: Looked, repetitions: int) -> Seen | None:
    """What is learned of the first repetitions that are alike."""
    learner = Learner(repetitions)
    for time_s, moment in looked:
        if moment is None:
            learner.begin_anew()
        elif (seen := learner.feed(time_s, moment)) is not None:
            return seen
    return learner.finish()


def counted(looked: Looked, seen: Seen) -> int:
    """How many repetitions of what was shown there are in all of it."""
    shown, last_s = ShownExercises([distilled(seen, "shown")]), 0.0
    for time_s, moment in looked:
        if moment is None:
            shown.flush(last_s)
            shown.begin_anew()
        else:
            shown.feed(time_s, moment)
        last_s = time_s
    shown.flush(last_s)
    return len(shown.repetitions)


def counted_freely(looked: Looked) -> int:
    """How many repetitions there are of whatever is repeated."""
    free = FreeCounter()
    for time_s, moment in looked:
        if moment is None:
            free.begin_anew()
        else:
            free.take(time_s, moment)
    free.finish()
    return free.repetitions


def bench(asked: argparse.Namespace, report: Report) -> None:
    """Everything that the command line asks for."""
    cv2.setNumThreads(1)
    pose = Pose()
    figures: list[dict[str, Any]] = []
    shown: list[tuple[Clip, Looked, Seen | None]] = []
    ways = ("from two", "from three", "free")
    table = report.table("By demonstration", "clip", "true", *ways, "learned s")
    for clip in long_clips(asked.data):
        looked = looked_at(landmarks_of(clip.path, pose, asked.cache))
        seen = {count: learned(looked, count) for count in (2, 3)}
        shown.append((clip, looked, seen[3]))
        counts = {f"from {word}": _count(looked, seen[n]) for n, word in ((2, "two"), (3, "three"))}
        counts["free"] = counted_freely(looked)
        least, most = clip.true_least or 0, clip.true_most or 0
        right = {way: count is not None and least <= count <= most for way, count in counts.items()}
        marks = (
            f"{'none' if n is None else n}{'' if right[w] else ' WRONG'}" for w, n in counts.items()
        )
        truth = str(most) if least == most else f"{least} or {most}"
        when_s = seen[3].signals[0][1].spans if seen[3] is not None else ()
        table.add(
            clip.path.stem,
            truth,
            *marks,
            f"{when_s[0].start_s:.1f} to {when_s[-1].end_s:.1f}" if when_s else None,
        )
        figures.append({"clip": clip.name, "true": most, "counted": counts, "right": right})
        report.say(f"{clip.name}: {counts} of {truth}")
    shares = {way: sum(each["right"][way] for each in figures) / len(figures) for way in ways}
    report.figures |= {"exact": shares, "clips": figures}
    report.check(at_least("exact from three", shares["from three"], TARGET))
    _measure_others(shown, report)
    told = ", ".join(f"{way} {share:.1%}" for way, share in shares.items())
    report.notes.append(f"Exact, of {len(figures)} clips: {told}.")


def _measure_others(shown: list[tuple[Clip, Looked, Seen | None]], report: Report) -> None:
    """Look for what was learned from each clip in all others."""
    by_pair = report.table("Counted of another exercise", "learned from", "in", "counted")
    pairs = false = found = true = 0
    for one, _, seen in shown:
        for other, looked, _ in shown:
            if seen is None or one is other:
                continue
            count = counted(looked, seen)
            if one.exercise == other.exercise:
                most = other.true_most or 0
                found, true = found + min(count, most), true + most
                continue
            pairs, false = pairs + 1, false + count
            if count:
                by_pair.add(one.path.stem, other.path.stem, count)
    report.figures["others"] = {"pairs": pairs, "false": false}
    report.figures["same"] = {"true": true, "counted": found}
    report.notes.append(f"Of other exercises {false} are counted, in {pairs} pairs of clips.")
    report.notes.append(f"Of the same one in other clips {found} of {true} are counted.")


def _count(looked: Looked, seen: Seen | None) -> int | None:
    return None if seen is None else counted(looked, seen)


def main() -> int:
    parser = parser_for(__doc__)
    add_data(parser, "clips and landmarks")
    parser.add_argument(
        "--cache", type=Path, metavar="DIR", help="keep landmarks there, and take them from there"
    )
    return run("Exercises by demonstration", parser.parse_args(), bench)


if __name__ == "__main__":
    sys.exit(main())
