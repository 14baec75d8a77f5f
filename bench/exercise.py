"""Holds exercise recognition, counting and form against people who were counted by eye.

clips      Whole clips, frame by frame through pose and scoring at their own times: how many
           repetitions of the right exercise were counted, and which exercise was recognised.
           Clips and truth are those of the data folder's rep_counts.json, and of the folder
           exercise_unseen in it. Where the truth is markers at the top of each repetition,
           complete ones may be one fewer than markers, and both are right. Clips without a count
           (unlabelled) take part in recognition only.
sources    The same with each source left out in turn: how conditions and network are weighed is
           chosen on the other sources' clips, and the source's clips are judged with that. What
           the conditions themselves ask for was set looking at the known clips, and the network
           has seen none.
negatives  Repetitions counted where nothing is exercised: our own athlete's skeleton, and the
           videos of passers-by in people_videos. Where other training is seen, as dips, it may
           be counted as unknown.
altered    With --altered: the clips' landmarks mirrored, slower and faster, at fewer frames a
           second, rolled, with noise, and with legs hidden.
form       The faults of plank, curl and lunge on labelled landmarks: see exercise_form.py.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

if not __package__:  # Run as a file, Python looks for modules beside it.
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

import cv2

from analyzers.exercise.demonstration import UNKNOWN
from analyzers.exercise.summary import session_summary
from analyzers.exercise.sureness import CHOSEN
from analyzers.pose import Pose
from bench.harness.report import BadInput, Report, add_data, parser_for, run
from bench.parts.altered import WAYS
from bench.parts.exercise_clips import (
    Clip,
    Landmarks,
    clips_of,
    figures_of,
    landmarks_of,
    played,
    summary_of,
)
from bench.parts.exercise_form import measure_form
from bench.parts.exercise_sources import left_out
from bench.parts.negatives import Negative, negatives
from bench.parts.people import VIDEOS

Figures = dict[str, Any]
_LONG_S = 5.0
# Of a video of passers-by, so much.
_SHARE = ("exact", "off_by_one", "mean_error", "recognised")


def measure_clips(asked: argparse.Namespace, report: Report) -> None:
    """Count the repetitions of whole clips, and hold them against who counted by eye."""
    cv2.setNumThreads(1)
    pose, figures, seen = Pose(), list[Figures](), list[tuple[Clip, Landmarks]]()
    clips = clips_of(asked.data)
    by_source = report.table("Clips, each source left out", "source", "clips", *_SHARE)
    by_part = report.table("Clips, as shipped", "set", "clips", *_SHARE)
    columns = ("exercise", "true", "counted", "recognised", "held s", "told late s", "")
    table = report.table("Each clip, as shipped", "clip", *columns)
    for number, clip in enumerate(clips, 1):
        seen.append((clip, landmarks_of(clip.path, pose, asked.cache)))
        figures.append(each := figures_of(*seen[-1]))
        verdict = _verdict(clip, each)
        truth = _truth(clip)
        said = (each[key] for key in ("counted", "recognised", "held_s", "told_late_s"))
        table.add(clip.name, clip.exercise, truth, *said, verdict)
        told = f"{each['counted']} of {truth} {clip.exercise} {verdict}"
        report.say(f"clip {number} of {len(clips)}, {clip.name}: {told}")
    summary = summary_of(figures)
    report.figures |= {"summary": summary, "clips": figures}
    if asked.altered:
        measure_altered(seen, report)
    for part in sorted({clip.part for clip in clips}):
        by_part.add(part, *summary_of([e for e in figures if e["part"] == part]).values())
    by_part.add("all", *summary.values())
    if not asked.quick and len({clip.source for clip in clips}) > 1:
        judged = left_out(seen, figures)
        for source, own in judged.items():
            by_source.add(source, *summary_of(own).values())
        every = [each for own in judged.values() for each in own]
        by_source.add("all", *summary_of(every).values())
        report.figures["left_out"] = summary_of(every)
    counted = sum(each["error"] is not None for each in figures)
    late_s = max((each["told_late_s"] for each in figures), default=0.0)
    told = ", ".join(f"{key} {value}" for key, value in summary.items())
    wrong = sum(each["wrong"] > 0 for each in figures)
    report.notes.append(
        f"In all: {told}; {counted} counted; told {late_s} s late at most; repetitions of another"
        f" exercise in {wrong} clips."
    )


def measure_altered(seen: Sequence[tuple[Clip, Landmarks]], report: Report) -> None:
    """Count the same clips as other cameras would have seen them."""
    table = report.table("Altered", "", "clips", *_SHARE, "counted as another")
    for name, alter in WAYS.items():
        told = [figures_of(clip, alter(landmarks)) for clip, landmarks in seen]
        table.add(name, *summary_of(told).values(), sum(each["wrong"] > 0 for each in told))
        report.say(f"altered, {name}: {summary_of(told)}")


def _verdict(clip: Clip, figures: Figures) -> str:
    wrong = ["count"] if figures["error"] else []
    wrong += ["exercise"] if figures["recognised"] != clip.exercise else []
    return f"WRONG {' and '.join(wrong).upper()}" if wrong else ""


def _truth(clip: Clip) -> str:
    least, most = clip.true_least, clip.true_most
    if most is None:
        return "?"
    return f"{least} or {most}" if least != most else str(most)


def measure_negatives(asked: argparse.Namespace, report: Report) -> None:
    """Count the repetitions of what is no exercise."""
    table = report.table("No exercise", "clip", "seconds:.1f", "counted", "recognised", "")
    pose, videos = Pose(), sorted((asked.data / VIDEOS).glob("*.mp4"))
    filmed = (Negative(path.name, landmarks_of(path, pose, asked.cache)) for path in videos)
    made = [*negatives(), *filmed]
    false = long = other = 0
    for each in made:
        *_, (_, scorer) = played(each.landmarks, CHOSEN)
        summary = session_summary(scorer)
        counted = {n: e["reps"] for n, e in summary["exercises"].items() if e["reps"]}
        unknown = counted.get(UNKNOWN, 0) if each.may_be_unknown else 0
        seconds = float(each.landmarks.times_s[-1])
        wrong = sum(counted.values()) > unknown and seconds > _LONG_S
        other += bool(unknown)
        false, long = false + wrong, long + (seconds > _LONG_S)
        told = ", ".join(f"{number} {name}" for name, number in counted.items()) or "0"
        table.add(each.name, seconds, told, summary["main_exercise"], "WRONG" if wrong else "")
    report.figures["negatives"] = {
        "clips": long,
        "with_repetitions": false,
        "other_training_as_unknown": other,
    }
    report.notes.append(
        f"Repetitions in {false} of {long} clips over {_LONG_S:g} s of no exercise; unknown ones in"
        f" {other} more, of other training."
    )


def bench(asked: argparse.Namespace, report: Report) -> None:
    """Everything that the command line asks for."""
    if not asked.data.is_dir():
        raise BadInput(f"there is no folder {asked.data}; name one with --data")
    report.figures = {"summary": summary_of([]), "clips": [], "form": {}}
    if not asked.form_only:
        measure_clips(asked, report)
        if asked.negatives:
            measure_negatives(asked, report)
    measure_form(asked.data, report)


def main() -> int:
    parser = parser_for(__doc__)
    add_data(parser, "clips and landmarks")
    parser.add_argument("--form-only", action="store_true", help="leave the clips out")
    parser.add_argument("--negatives", action="store_true", help="with what is no exercise")
    parser.add_argument("--altered", action="store_true", help="mirrored, slower, noisy, and so on")
    parser.add_argument("--quick", action="store_true", help="do not leave out sources in turn")
    parser.add_argument(
        "--cache", type=Path, metavar="DIR", help="keep landmarks there, and take them from there"
    )
    return run("Exercises", parser.parse_args(), bench)


if __name__ == "__main__":
    sys.exit(main())
