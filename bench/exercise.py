"""Holds exercise recognition, counting and form against people who were counted by eye.

  clips  Whole clips, frame by frame through pose and exercise at their own times: how many
         repetitions of the right exercise were counted, and which exercise was recognised. Clips
         and truth are those of the data folder's rep_counts.json. Where the truth is markers at
         the top of each repetition, complete ones may be one fewer than markers, and both are
         right. Clips without a count (unlabelled) take part in recognition only.
  form   The faults of plank, curl and lunge on labelled landmarks, one row a frame, in
         exercise_landmarks/exercise_correction: precision, recall and F1 by frame, by group (rows
         of one label without a jump between; a group has what most of its rows have), and by frame
         on every second group with the threshold that is best on the other groups: what is to be
         expected of it elsewhere. The definitions' own thresholds were set by eye on all groups.

The rows do not say how wide their frame was; 16:9 makes the shoulders as wide as people's are.
"""

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

if not __package__:
    # Run as a file, Python looks for modules beside it. They are found as bench's.
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

import cv2

from analyzers.exercise import Exercise
from analyzers.pose import Pose
from bench.exercises.clips import Clip, ClipFigures, clips_of, line_of, measure_clip, summary_of
from bench.exercises.form import FORM, form_of

DATA_VARIABLE = "KINECAST_DATA"


def main() -> int:
    """Run the bench; return the exit status."""
    parser = _parser()
    arguments = parser.parse_args()
    if not arguments.data.is_dir():
        parser.error(f"there is no folder {arguments.data}; name one with --data")
    try:
        clips = [] if arguments.form_only else clips_of(arguments.data)
        figures = _measured(clips, quiet=arguments.json)
    except (FileNotFoundError, ValueError) as error:
        parser.error(str(error))
    form = form_of(arguments.data)
    if not form["frames"]:
        print(f"form is left out: there are no CSVs in {arguments.data / FORM}", file=sys.stderr)
    if arguments.json:
        report = {
            "summary": summary_of(figures),
            "clips": [each.as_json() for each in figures],
            "form": form["frames"],
        }
        print(json.dumps(report, indent=1))
        return 0
    _print_clips(figures)
    _print_form(form)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    default = os.environ.get(DATA_VARIABLE, "../shared/data")
    parser.add_argument("--data", type=Path, default=Path(default), help="the data folder")
    parser.add_argument("--json", action="store_true", help="print JSON and nothing else")
    parser.add_argument("--form-only", action="store_true", help="leave the clips out")
    return parser


def _measured(clips: list[Clip], *, quiet: bool) -> list[ClipFigures]:
    cv2.setNumThreads(1)
    pose, exercise = Pose(), Exercise()
    figures = []
    for clip in clips:
        figures.append(measure_clip(clip, pose, exercise))
        if not quiet:
            print(line_of(figures[-1]), flush=True)
    return figures


def _print_clips(figures: list[ClipFigures]) -> None:
    if not figures:
        return
    counted = sum(each.error is not None for each in figures)
    told = ", ".join(f"{key} {value}" for key, value in summary_of(figures).items())
    late_s = max(each.told_late_s for each in figures)
    print(f"\nin all: {told}, of which {counted} counted; told {late_s} s late at most")


def _print_form(form: dict[str, Any]) -> None:
    for key, title in (
        ("frames", "form, by frame"),
        ("groups", "form, by group"),
        (
            "held_out",
            "form, by frame, on half of the groups, thresholds refitted on the other half",
        ),
    ):
        print(f"\n{title}")
        for fault, figures in form[key].items():
            print(
                f"  {fault:24} precision {figures['precision']:.3f}"
                f"  recall {figures['recall']:.3f}  F1 {figures['f1']:.3f}"
            )
    print("\nmacro F1 over correct and faulty")
    for name, value in form["macro"].items():
        print(f"  {name:24} {value:.3f}")


if __name__ == "__main__":
    sys.exit(main())
