"""python -m client_test.athlete: list the clips, or render one or all of them."""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from .catalogue import CLIPS
from .clip import Clip, write_clip

MIN_SIDE_PX, MAX_SIDE_PX = 64, 2160
MAX_FPS = 120
MAX_PROCESSES = 64


def main(arguments: Sequence[str] | None = None) -> int:
    parser = _parser()
    asked = parser.parse_args(arguments)
    if asked.list:
        Console().print(_table())
        return 0
    if not asked.clip and not asked.all:
        parser.error("name a clip with --clip, or ask for --all; --list shows their names")
    names = list(CLIPS) if asked.all else asked.clip
    asked.output.mkdir(parents=True, exist_ok=True)
    with Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    ) as progress:
        for name in names:
            clip = _as_asked(CLIPS[name], asked)
            task = progress.add_task(name, total=clip.frame_count)
            for _number in write_clip(clip, asked.output, asked.processes):
                progress.advance(task)
    return 0


def _as_asked(clip: Clip, asked: argparse.Namespace) -> Clip:
    width, height = asked.size or (clip.width, clip.height)
    return clip.resized(width=width, height=height, fps=asked.fps or clip.fps)


def _table() -> Table:
    table = Table("clip", "seconds", "shows")
    for clip in CLIPS.values():
        table.add_row(clip.name, f"{clip.frame_count / clip.fps:.1f}", clip.description)
    return table


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m client_test.athlete",
        description="Render clips of people exercising, with the true position of every joint: "
        "NAME.mp4 (H.264) and NAME.json.",
    )
    parser.add_argument("--list", action="store_true", help="list the clips and leave")
    parser.add_argument(
        "--clip",
        action="append",
        choices=list(CLIPS),
        metavar="NAME",
        help="render this clip; repeatable",
    )
    parser.add_argument("--all", action="store_true", help="render every clip")
    parser.add_argument(
        "--output",
        type=Path,
        default=Path("."),
        metavar="DIR",
        help="where to write (default: here)",
    )
    parser.add_argument(
        "--size", type=_size, metavar="WxH", help="in pixels, both even (default: the clip's own)"
    )
    parser.add_argument(
        "--fps",
        type=_bounded(1, MAX_FPS),
        metavar="N",
        help="frames per second (default: the clip's own)",
    )
    parser.add_argument(
        "--processes",
        type=_bounded(1, MAX_PROCESSES),
        default=1,
        metavar="N",
        help="render in N processes (default: 1)",
    )
    return parser


def _bounded(low: int, high: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number") from None
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f"{value} is not between {low} and {high}")
        return value

    return parse


def _size(text: str) -> tuple[int, int]:
    width, cross, height = text.partition("x")
    if not (cross and width.isdecimal() and height.isdecimal()):
        raise argparse.ArgumentTypeError(f"{text!r} is not a size such as 640x480")
    size = int(width), int(height)
    for side in size:
        if not MIN_SIDE_PX <= side <= MAX_SIDE_PX or side % 2:
            raise argparse.ArgumentTypeError(
                f"{side} pixels: a side must be even and between {MIN_SIDE_PX} and {MAX_SIDE_PX}"
            )
    return size


if __name__ == "__main__":
    sys.exit(main())
