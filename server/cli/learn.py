"""``kinecast learn``: an exercise out of a clip in which somebody shows it."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from analyzers.base_model import AnalyzerUnavailable
from analyzers.exercise.demonstration import BadExercise, Learner, Seen, distilled
from analyzers.exercise.demonstration.definition import (
    MAX_REPETITIONS,
    MIN_REPETITIONS,
    checked_name,
)
from analyzers.exercise.demonstration.motion import Motion
from analyzers.registry import AnalyzerLoadError, find, load
from server.cli.progress_display import Display, display
from server.config import BadSettings
from server.config.analysis import AnalysisSettings
from server.config.command_line import Parser, add_flags, make_settings
from server.config.limits import LimitSettings
from server.search.video import IndexedVideo
from server.sources.errors import SourceError

LEARNED, NOT_LEARNED, FAILED, INTERRUPTED = 0, 1, 2, 130
# More looks a second tell no more of a movement.
_LOOKS_HZ = 25.0
# Nobody can do half a repetition unseen.
_MAX_GAP_S = 1.0
_SID = "learn"

_EXAMPLES = """\
examples:
  kinecast learn coach.mp4 --name band_pull -o exercises/band_pull.json
  kinecast --exercises exercises                        a server that knows it

The clip shows one person, who does the exercise two to five times, each time alike, and comes back
to where they began after each.

exit status: 0 it was learned, 1 the clip does not show enough, 2 something is wrong,
130 interrupted.
"""


class LearnSettings(AnalysisSettings, LimitSettings):
    """Those of the server's settings that learning needs, from flags, environment and .env."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """What the command line asks for."""

    clip: Path
    name: str
    output: Path
    repetitions: int
    quiet: bool


class _NotShown(Exception):
    """The clip does not show enough: one line that says what is missing."""


def main(arguments: Sequence[str]) -> int:
    """Carry out ``kinecast learn`` with what follows it.

    Parameters
    ----------
    arguments
        As on the command line.

    Returns
    -------
    int
        The exit status: 0 learned, 1 not enough was shown, 2 failed, 130 interrupted.
    """
    logging.basicConfig(level=logging.WARNING, format="kinecast learn: %(message)s")
    try:
        given = vars(_parser().parse_args(arguments))
        asked = _asked(given)
        settings = make_settings(LearnSettings, given)
        with display(hidden=asked.quiet) as shown:
            seen = _watch(asked, settings, shown)
        definition = distilled(seen, asked.name).as_json()
        asked.output.write_bytes(orjson.dumps(definition, option=orjson.OPT_APPEND_NEWLINE))
    except _NotShown as error:
        print(f"kinecast learn: {error}", file=sys.stderr)
        return NOT_LEARNED
    except (BadSettings, BadExercise, SourceError, AnalyzerUnavailable, AnalyzerLoadError) as error:
        print(f"kinecast learn: {getattr(error, 'message', None) or error}", file=sys.stderr)
        return FAILED
    except OSError as error:
        print(f"kinecast learn: {error}", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        print("kinecast learn: interrupted", file=sys.stderr)
        return INTERRUPTED
    except SystemExit as end:  # --help
        return int(end.code or 0)
    if not asked.quiet:
        first, last = seen.signals[0][1].spans[0], seen.signals[0][1].spans[-1]
        print(
            f"{asked.output}: {asked.name}, of {asked.repetitions} repetitions"
            f" from {first.start_s:.1f} to {last.end_s:.1f} s"
        )
    return LEARNED


def _parser() -> Parser:
    parser = Parser(
        prog="kinecast learn",
        description="Learn an exercise from a clip that shows it.",
        epilog=_EXAMPLES,
    )
    add = parser.add_argument
    add("clip", type=Path, metavar="CLIP.mp4", help="a video of somebody who shows it")
    add("--name", required=True, help="what it is called: a-z, 0-9 and _")
    add("-o", "--output", type=Path, required=True, metavar="FILE.json", help="where it goes")
    add(
        "--repetitions",
        type=int,
        default=3,
        metavar="N",
        help=f"learn from so many, {MIN_REPETITIONS} to {MAX_REPETITIONS} (default: %(default)s)",
    )
    add("-q", "--quiet", action="store_true", help="print nothing: the exit status tells")
    add_flags(parser, LearnSettings.settings("pose_engine", "pose_model"))
    return parser


def _asked(given: dict[str, Any]) -> _Asked:
    asked = _Asked(**{name: given[name] for name in _Asked.__dataclass_fields__})
    checked_name(asked.name)
    if not asked.clip.is_file():
        raise BadSettings(f"there is no file {asked.clip}")
    if not asked.output.absolute().parent.is_dir():
        raise BadSettings(f"--output: there is no directory {asked.output.parent}")
    if asked.output.exists() and asked.output.samefile(asked.clip):
        raise BadSettings("--output would replace the clip")
    if not MIN_REPETITIONS <= asked.repetitions <= MAX_REPETITIONS:
        raise BadSettings(f"--repetitions is {MIN_REPETITIONS} to {MAX_REPETITIONS}")
    return asked


def _watch(asked: _Asked, settings: LearnSettings, shown: Display) -> Seen:
    """Watch the clip until enough was shown."""
    (spec,) = find(["pose"])
    pose = load(spec, settings.analyzer_settings()["pose"])
    learner, motion = Learner(asked.repetitions), Motion()
    last_s, most, people = float("-inf"), 0, 0
    pose.start(_SID, 0.0, options={})
    for fraction, time_s, rgb in _frames(asked.clip, settings.max_pixels):
        seen = pose.frame(_SID, rgb, time_s * 1000.0)
        shown.show("watching", fraction, f"{learner.seen} of {asked.repetitions} repetitions")
        if seen is None or not seen["has_pose"]:
            continue
        people += 1
        if time_s - last_s > _MAX_GAP_S:
            learner.begin_anew()
            motion = Motion()
        last_s = time_s
        flat, solid = (
            [(each["x"], each["y"], each["z"], each["visibility"]) for each in seen[key]]
            for key in ("landmarks", "world_landmarks")
        )
        enough = learner.feed(
            time_s, motion.measure(flat, solid, time_s, rgb.shape[1] / rgb.shape[0])
        )
        if enough is not None:
            return enough
        most = max(most, learner.seen)
    enough = learner.finish()
    if enough is not None:
        return enough
    if not people:
        raise _NotShown(f"there is nobody in {asked.clip}: the whole body has to be seen")
    raise _NotShown(
        f"{asked.clip} shows {most} repetitions that are alike, and {asked.repetitions} are needed:"
        " show more, each the same way and back to where it began, or give fewer --repetitions"
    )


def _frames(clip: Path, max_pixels: int) -> Iterator[tuple[float, float, Any]]:
    """Yield how far it is, the frame's time in seconds, and its (H, W, 3) RGB."""
    video = IndexedVideo.read(clip, max_pixels)
    (part,) = video.split(1)
    count = len(video.times_s)
    for frame in video.decode(part, video.sample(_LOOKS_HZ)):
        yield frame.number / count, frame.time_s, frame.picture.to_ndarray(format="rgb24")
