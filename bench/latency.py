"""Measures Kinecast against a server written like aiortc's own example.

A load client in a process of its own streams a numbered clip, 640x480 at 30 frames per second, by
1, 2, 3 and 4 peers at once over loopback, to Kinecast and to the baseline in turn. Both run the
same pose model and read the number from the frame's corner, each server freshly started for each
run. Latency is from handing a frame to the encoder to its result's arrival at the client.

Results per second are those that arrived within the window. A frame without a result in the window
is "missing": dropped by Kinecast, still waiting in the baseline. CPU time is that of all of the
server's processes, memory the sum of their resident sets.
"""

import argparse
import asyncio
import sys
from pathlib import Path

if not __package__:
    # Run as a file, Python looks for modules beside it. They are found as bench's.
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

from rich.console import Console

from bench import endurance, targets
from bench.measure import MEGABYTE, Figures, Run, measure, summarize
from bench.report import Report
from bench.servers import BASELINE, ServerKind, kinecast

SLOW_MODEL = "mock_model_2"


async def compare(
    report: Report, console: Console, *, streams: list[int], rounds: int, seconds: float
) -> None:
    """Kinecast and the baseline in turn, for each number of streams."""
    kinds = (kinecast(), BASELINE)
    for count in streams:
        ours, baseline = await _alternate(kinds, console, count, rounds, seconds)
        report.figures += [ours, baseline]
        report.checks += targets.check_streams(ours, baseline)


async def compare_slow_model(
    report: Report, console: Console, *, rounds: int, seconds: float
) -> None:
    """Pose alone and beside a model that takes a second a frame, in turn; one stream."""
    kinds = (kinecast(name="pose alone"), kinecast(SLOW_MODEL, name=f"pose and {SLOW_MODEL}"))
    alone, beside = await _alternate(kinds, console, 1, rounds, seconds)
    report.figures += [alone, beside]
    report.checks += targets.check_slow_model(alone, beside)


async def _alternate(
    kinds: tuple[ServerKind, ServerKind],
    console: Console,
    streams: int,
    rounds: int,
    seconds: float,
) -> tuple[Figures, Figures]:
    runs: dict[str, list[Run]] = {kind.name: [] for kind in kinds}
    for number in range(rounds):
        # Each goes first every other time.
        for kind in kinds if number % 2 == 0 else reversed(kinds):
            run = await measure(kind, streams=streams, seconds=seconds)
            runs[kind.name].append(run)
            figures = summarize(kind.name, [run])
            console.print(
                f"{streams} x {kind.name}, round {number + 1}: {figures.results_per_s:.1f}/s, "
                f"p50 {figures.p50_ms:.0f} ms, p95 {figures.p95_ms:.0f} ms, "
                f"{run.unread} unread",
                highlight=False,
            )
    first, second = (summarize(kind.name, runs[kind.name]) for kind in kinds)
    return first, second


async def bench(arguments: argparse.Namespace, console: Console, report: Report) -> None:
    """Everything that the command line asks for."""
    rounds, seconds = arguments.rounds, arguments.seconds
    await compare(report, console, streams=arguments.streams, rounds=rounds, seconds=seconds)
    if not arguments.skip_slow_model:
        await compare_slow_model(report, console, rounds=rounds, seconds=seconds)
    if arguments.soak:
        soaked = await endurance.soak(arguments.soak)
        report.checks += targets.check_soak(soaked)
        report.notes.append(
            f"Peak memory over {soaked.minutes:g} minutes at {soaked.streams} streams: "
            f"{soaked.peak_first_minute_mb:.0f} MB in the first minute, "
            f"{soaked.peak_later_mb:.0f} MB after it."
        )
    if arguments.cycles:
        cycled = await endurance.cycles(arguments.cycles)
        report.checks += targets.check_cycles(cycled)
        report.notes.append(
            f"Resident memory before and after {cycled.count} sessions: "
            f"{cycled.before.rss_bytes / MEGABYTE:.0f} MB, "
            f"{cycled.after.rss_bytes / MEGABYTE:.0f} MB."
        )


def main() -> int:
    """Run the bench; returns the exit status: 1 if a run failed, not if a target is missed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--streams", type=_counts, default=[1, 2, 3, 4], metavar="N,N")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=15.0, help="of each run's window")
    parser.add_argument("--skip-slow-model", action="store_true")
    parser.add_argument("--soak", type=_minutes, metavar="MINUTES", help="watch memory for so long")
    parser.add_argument("--cycles", type=int, metavar="N", help="connect, stream and leave N times")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the tables there")
    arguments = parser.parse_args()
    # Tables are wide; into a file or a pipe they go unbroken.
    console = Console(width=None if sys.stdout.isatty() else 140)
    report = Report(
        f"Rounds: {arguments.rounds}, windows of {arguments.seconds:g} s, the servers in turn"
    )
    status = 0
    try:
        asyncio.run(bench(arguments, console, report))
    except (RuntimeError, TimeoutError) as error:
        # What was measured until then is still worth reading.
        report.notes.append(f"Ended early: {error or 'a run took too long'}")
        status = 1
    report.print(console)
    if arguments.markdown:
        arguments.markdown.write_text(report.markdown())
    return status


def _minutes(text: str) -> float:
    minutes = float(text)
    if minutes <= 1:
        raise argparse.ArgumentTypeError("memory is held against the first minute's: give more")
    return minutes


def _counts(text: str) -> list[int]:
    return [int(count) for count in text.split(",") if count]


if __name__ == "__main__":
    sys.exit(main())
