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

The rendered clips are sample-video.mp4 and as many more as --clips says. These are rendered once,
half a minute each, and kept in the user's cache directory. Real clips and TUD-Campus are in the
data folder; without it they are left out, and the report says so.

All of it takes four to six minutes, the first time ten, --quick less than two. End other programs:
what they take of the cores is told below the tables. Ctrl-C ends it and shows what there is until
then.
The exit status is 1 when a target is missed or a run fails. MediaPipe has an environment of its
own: .venv-mediapipe/bin/python bench/pose.py, after make test-mediapipe.
"""

import argparse
import importlib.util
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

if not __package__:
    # Run as a file, Python looks for modules beside it. They are found as bench's.
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

import cv2
from rich.console import Console

from bench.poses import parts
from bench.poses.athlete import CLIP_NAMES, ROOT, SAMPLE, CannotRender, render_clips
from bench.poses.clips import MAX_REAL_FRAMES, REAL_CLIPS, PoseClip, real_clips, rendered_clip
from bench.poses.display import Display
from bench.poses.engines import MEDIAPIPE, NO_BF16, OPENVINO_BF16, OPENVINO_F32, has_native_bf16
from bench.poses.others import Others
from bench.poses.report import PoseReport
from bench.poses.targets import check_all

PARTS = ("clips", "empty", "processes", "people")
DATA_VARIABLE = "KINECAST_DATA"
CAMPUS = Path("people_videos", "TUD-Campus.mp4")
DETECTOR = Path("models", "openvino", "person-detection-retail-0013.xml")

# As a shell has it for a program that Ctrl-C ended.
INTERRUPTED = 130


@dataclass(frozen=True, slots=True)
class Amount:
    """How much is measured.

    Attributes
    ----------
    real_clips, real_frames
        Clips of the data folder, and frames of each at most.
    athlete_clips
        Rendered ones beside the sample, unless --clips says otherwise.
    empty_s
        Seconds of each scene with nobody in view.
    process_frames, process_rounds
        Frames of each process, and how often.
    people_rounds
        How often the clip with several people is shown.
    """

    real_clips: int
    real_frames: int
    athlete_clips: int
    empty_s: int
    process_frames: int
    process_rounds: int
    people_rounds: int


FULL = Amount(len(REAL_CLIPS), MAX_REAL_FRAMES, 8, 6, 300, 5, 2)
QUICK = Amount(3, 100, 0, 4, 150, 3, 1)


def bench(asked: argparse.Namespace, console: Console, report: PoseReport) -> None:
    """Everything that the command line asks for."""
    amount = QUICK if asked.quick else FULL
    engines = [MEDIAPIPE, OPENVINO_F32]
    if has_native_bf16():
        engines.append(OPENVINO_BF16)
    else:
        report.notes.append(NO_BF16)
    videos = _athlete_videos(asked, amount, console, report) if "clips" in asked.only else []
    real = _real_names(asked.data, amount, report) if "clips" in asked.only else ()
    detector = asked.data / DETECTOR
    if not _is_there(detector, "What needs the person detector", report):
        detector = None
    with Others(report.notes), Display(console) as display:
        if "clips" in asked.only:
            clips = _clips(asked.data, real, videos, amount)
            count = len(real) + 1 + len(videos)
            parts.measure_clips(report, display, engines, clips, count)
        if "empty" in asked.only:
            parts.measure_empty(report, display, engines, amount.empty_s, detector)
        if "processes" in asked.only:
            parts.measure_processes(
                report,
                display,
                engines,
                frames=amount.process_frames,
                rounds=amount.process_rounds,
            )
        if "people" in asked.only and _is_there(asked.data / CAMPUS, "Several people", report):
            parts.measure_people(
                report,
                display,
                engines,
                video=asked.data / CAMPUS,
                detector=detector,
                rounds=amount.people_rounds,
            )


def _clips(
    data: Path, real: tuple[str, ...], videos: list[Path], amount: Amount
) -> Iterator[PoseClip]:
    """One clip after the other, decoded when its turn has come: all would take gigabytes."""
    yield from real_clips(data, real, amount.real_frames)
    yield from map(rendered_clip, (SAMPLE, *videos))


def _athlete_videos(
    asked: argparse.Namespace, amount: Amount, console: Console, report: PoseReport
) -> list[Path]:
    if asked.rendered:
        return sorted(asked.rendered.glob("*.mp4"))
    count = amount.athlete_clips if asked.clips is None else asked.clips
    try:
        return render_clips(CLIP_NAMES[:count], console)
    except CannotRender as error:
        report.notes.append(f"Of the rendered clips only the sample takes part: {error}")
        return []


def _real_names(data: Path, amount: Amount, report: PoseReport) -> tuple[str, ...]:
    folder = data / "exercise_videos"
    if not _is_there(folder, "Real clips", report):
        return ()
    names = REAL_CLIPS[: amount.real_clips]
    missing = [name for name in names if not (folder / f"{name}.mp4").exists()]
    if missing:
        report.notes.append(f"Not in {folder} and left out: {', '.join(missing)}")
    return tuple(name for name in names if name not in missing)


def _is_there(path: Path, what: str, report: PoseReport) -> bool:
    if path.exists():
        return True
    report.notes.append(f"{what}: left out, since there is no {path}. Give the folder with --data.")
    return False


def main() -> int:
    """Run the bench; returns the exit status: 1 if a target is missed or a run failed."""
    asked = _parser().parse_args()
    if importlib.util.find_spec("mediapipe") is None:
        sys.exit(
            "bench/pose.py compares with MediaPipe, which is not installed here: make"
            " test-mediapipe makes an environment with it, .venv-mediapipe:"
            " run this with its Python"
        )
    # Each engine has one thread; OpenCV, which crops for one of them, is not to have more.
    cv2.setNumThreads(1)
    # Tables are wide; into a file or a pipe they go unbroken.
    console = Console(width=None if sys.stdout.isatty() else 180)
    length = "quick" if asked.quick else "full"
    report = PoseReport(f"One thread for each engine, in turns; {length}: {', '.join(asked.only)}")
    status = 0
    try:
        bench(asked, console, report)
    except (OSError, RuntimeError, TimeoutError, ValueError) as error:
        report.notes.append(f"Ended early: {error}")
        status = 1
    except KeyboardInterrupt:
        report.notes.append("Ended early: interrupted")
        status = INTERRUPTED
    report.checks = list(check_all(report))
    report.print(console)
    if asked.markdown:
        asked.markdown.write_text(report.markdown())
    if asked.json:
        asked.json.write_text(report.json())
    return status or int(not report.reached)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    beside = ROOT.parent / "shared" / "data"
    parser.add_argument(
        "--data",
        type=Path,
        default=Path(os.environ.get(DATA_VARIABLE, os.path.relpath(beside))),
        metavar="DIR",
        help=f"real clips and the person detector (default: ${DATA_VARIABLE}, or %(default)s)",
    )
    parser.add_argument("--quick", action="store_true", help="fewer and shorter clips: two minutes")
    parser.add_argument(
        "--only",
        type=_parts,
        default=PARTS,
        metavar="PART,PART",
        help=f"some of {', '.join(PARTS)}",
    )
    parser.add_argument(
        "--clips",
        type=_clip_count,
        metavar="N",
        help=f"rendered clips beside the sample, 0 to {len(CLIP_NAMES)} (default: "
        f"{FULL.athlete_clips}, {QUICK.athlete_clips} with --quick)",
    )
    parser.add_argument(
        "--rendered",
        type=Path,
        metavar="DIR",
        help="instead of them, the clips there: NAME.mp4 with NAME.json, as python -m "
        "client_test.athlete writes them, one person each",
    )
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the tables there")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures there")
    return parser


def _parts(text: str) -> tuple[str, ...]:
    asked = [part for part in text.split(",") if part]
    unknown = sorted(set(asked) - set(PARTS))
    if unknown or not asked:
        raise argparse.ArgumentTypeError(
            f"{', '.join(unknown) or 'nothing'} is none of {', '.join(PARTS)}"
        )
    return tuple(part for part in PARTS if part in asked)


def _clip_count(text: str) -> int:
    try:
        count = int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number") from None
    if not 0 <= count <= len(CLIP_NAMES):
        raise argparse.ArgumentTypeError(f"{count} is not between 0 and {len(CLIP_NAMES)}")
    return count


if __name__ == "__main__":
    sys.exit(main())
