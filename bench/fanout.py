"""Measures what it costs to show one camera to many viewers.

A camera of 1536x864 pixels and 20 frames a second (a film, played in a loop, with the time written
into each picture) is watched by 1 to 50 viewers over loopback. They have processes of their own,
and count complete frames without decoding them. What is measured is the server's CPU: the first
viewer's is the camera's and the encoder's as well, so what a further one takes is the difference,
divided by their number. Against it, in the same run and in turn, the same viewers of a server that
is written like aiortc's webcam example, where each viewer has an encoder of aiortc's own, at the
same bitrate. That one fills two cores with a few viewers: what it takes for more is not measured.

With --forward: a publisher's 640x480 at 30 frames a second to ten viewers, as the frames it came
in, against decoding it and encoding it once. Without it, both parts are measured.

    bench/fanout.py                             everything, about 8 minutes
    bench/fanout.py --viewers 1,10 --rounds 1   a first impression
    bench/fanout.py --forward                   forwarding only
"""

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

if not __package__:
    # Run as a file, Python looks for modules beside it. They are found as bench's.
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from bench import fanout_forward, fanout_runs
from bench.fanout_camera import make_clip
from bench.fanout_figures import Fanout
from bench.fanout_runs import Window
from bench.report import markdown_table, rich_table
from bench.servers import ROOT, RunningServer, ServerKind, running
from server.media.encoder import Codec

FILM = ROOT / "sample-video.mp4"
WIDTH, HEIGHT, FPS = 1536, 864, 20
CLIP_FRAMES = 400
BPS = 2_000_000
SEEN_BY = 10
QUIET_WITHIN_S = 20.0


def kinecast(clip: Path | None) -> ServerKind:
    """Kinecast with the clip for a camera; of the analyzers only one that does nothing."""
    camera = ("--camera", str(clip), "--camera-hook", "bench.fanout_camera:stamp") if clip else ()
    return ServerKind(
        "kinecast",
        "http",
        (
            *("-m", "server", "--analyzers", "mock_model_1", "--workers", "1"),
            *("--max-viewers", "60", "--connections-per-address", "0", *camera),
        ),
    )


def baseline(clip: Path) -> ServerKind:
    """An encoder for each viewer."""
    return ServerKind("baseline", "http", ("-m", "bench.fanout_baseline", "--clip", str(clip)))


class Bench:
    """One run of everything that was asked for."""

    def __init__(self, arguments: argparse.Namespace, progress: Progress, fanout: Fanout) -> None:
        self._arguments = arguments
        self._progress = progress
        self._fanout = fanout
        self._task = progress.add_task("", total=self._steps())

    def _steps(self) -> int:
        arguments = self._arguments
        windows = len(arguments.viewers) + len(arguments.baseline_viewers) + 1
        return arguments.rounds * (
            (0 if arguments.forward else windows) + 2 * (not arguments.camera)
        )

    async def run(self) -> None:
        """Measure."""
        with tempfile.TemporaryDirectory() as directory:
            if not self._arguments.forward:
                self._say("making the camera's film")
                clip = Path(directory) / "camera.mp4"
                await asyncio.to_thread(
                    make_clip, FILM, clip, width=WIDTH, height=HEIGHT, fps=FPS, count=CLIP_FRAMES
                )
                await self._measure_camera(clip)
        if not self._arguments.camera:
            await self._measure_forwarding()

    async def _measure_camera(self, clip: Path) -> None:
        for number in range(self._arguments.rounds):
            order = [
                (kinecast(clip), self._arguments.viewers),
                (baseline(clip), self._arguments.baseline_viewers),
            ]
            # Each goes first every other time.
            for kind, counts in order if number % 2 == 0 else reversed(order):
                await self._measure_server(kind, counts, number)

    async def _measure_server(self, kind: ServerKind, counts: list[int], number: int) -> None:
        await self._quiet()
        async with running(kind) as server:
            for count in counts:
                self._say(f"round {number + 1}: {kind.name}, {count} viewers")
                window = await self._watch(server, count)
                self._fanout.add(kind.name, count, window)
                self._progress.advance(self._task)
            if kind.name == "kinecast":
                self._say(f"round {number + 1}: glass to glass with {SEEN_BY} viewers")
                window = await self._watch(server, SEEN_BY, see=True)
                self._fanout.latencies_ms += window.latencies_ms
                self._progress.advance(self._task)

    async def _watch(self, server: RunningServer, viewers: int, *, see: bool = False) -> Window:
        return await fanout_runs.watch(
            server.tree,
            f"{server.url}/whep/camera",
            viewers=viewers,
            seconds=self._arguments.seconds,
            codec=self._arguments.codec,
            fps=FPS,
            remb_bps=BPS,
            see=see,
        )

    async def _measure_forwarding(self) -> None:
        for number in range(self._arguments.rounds):
            for codec in (Codec.VP8, Codec.H264):
                await self._quiet()
                self._say(f"round {number + 1}: decoding and encoding {codec}")
                work = fanout_forward.measure_work(FILM, codec, self._arguments.seconds)
                async with running(kinecast(None)) as server:
                    self._say(f"round {number + 1}: forwarding {codec}")
                    forwarded = await fanout_forward.measure(
                        server,
                        FILM,
                        codec,
                        work,
                        seconds=self._arguments.seconds,
                        forward_first=number % 2 == 0,
                    )
                self._fanout.forwarded.append(forwarded)
                self._progress.advance(self._task)

    async def _quiet(self) -> None:
        self._say("waiting for the machine to be quiet")
        self._fanout.busy_percent.append(await fanout_runs.quiet_moment(QUIET_WITHIN_S))

    def _say(self, what: str) -> None:
        self._progress.update(self._task, description=what)
        if not self._progress.console.is_terminal:
            self._progress.console.print(what, highlight=False)


def main() -> int:
    """Run the bench; returns the exit status: 1 if a part failed, not if a target is missed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--forward", action="store_true", help="measure forwarding only")
    which.add_argument("--camera", action="store_true", help="measure the camera only")
    parser.add_argument(
        "--viewers",
        type=_counts,
        default=[1, 5, 10, 25, 50],
        metavar="N,N",
        help="of Kinecast, 1 first (1,5,10,25,50)",
    )
    parser.add_argument(
        "--baseline-viewers",
        type=_counts,
        default=[1, 2, 3],
        metavar="N,N",
        help="of the baseline, 1 first (1,2,3): two cores encode for no more",
    )
    parser.add_argument("--codec", choices=["H264", "VP8"], default="H264", help="that they take")
    parser.add_argument("--rounds", type=int, default=2, help="how often each is measured (2)")
    parser.add_argument("--seconds", type=float, default=10.0, help="of each window (10)")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the tables there")
    arguments = parser.parse_args()
    console = Console(width=None if sys.stdout.isatty() else 130)
    fanout = Fanout(arguments.codec, arguments.rounds, arguments.seconds, FPS)
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    status = 0
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        try:
            asyncio.run(Bench(arguments, progress, fanout).run())
        except (RuntimeError, TimeoutError) as error:
            # What was measured until then is still worth reading.
            fanout.notes.append(f"Ended early: {error or 'a window took too long'}")
            status = 1
    for title, headings, rows in fanout.tables():
        console.print(rich_table(title, headings, rows))
    for note in fanout.all_notes():
        console.print(note, highlight=False)
    if arguments.markdown:
        parts = [f"- {line}" for line in fanout.settings()]
        tables = [f"## {t}\n\n{markdown_table(h, r)}" for t, h, r in fanout.tables()]
        text = "\n\n".join(["# Fan-out", "\n".join(parts), *tables, *fanout.all_notes()])
        arguments.markdown.write_text(text + "\n")
    return status


def _counts(text: str) -> list[int]:
    counts = [int(count) for count in text.split(",") if count]
    if not counts or counts[0] != 1 or sorted(set(counts)) != counts:
        raise argparse.ArgumentTypeError("rising numbers, 1 first: the others are held against it")
    return counts


if __name__ == "__main__":
    sys.exit(main())
