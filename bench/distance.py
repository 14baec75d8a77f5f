"""Measures what a distance adds to a result's latency beyond the way there and back.

One peer streams a numbered clip to a server on this machine, and its datagrams go through a relay
that delays and loses them, video and results alike: 25 and 75 ms each way, and 25 ms with 2 % lost
each way. A frame needs the delay to get there and its result to get back; "beyond the way" is what
is left of the latency without the two. It is held against what it is with no delay at all, through
the same relay.

Results are one JSON object a frame on one reliable channel, as clients had them from the beginning;
and, from a server and a client that know them, compact ones (CBOR) on a channel that may drop what
is lost. Nothing is lost while a session connects.

    bench/distance.py                                all places, 4 minutes
    bench/distance.py --against ../kinecast-0.1      another checkout's server, too
    bench/distance.py --delay 40 --jitter 10 --loss 1 --bandwidth 2
                                                     a place of one's own
"""

import argparse
import contextlib
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

if not __package__:  # Run as a file, Python looks for modules beside it.
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

import numpy as np

from bench.harness import checkout, far
from bench.harness.processes import running, started, with_pose
from bench.harness.report import Check, Report, at_least, at_most, parser_for, run
from bench.harness.stream import encoded_clip, offers_compact, run_load

# Until what is lost is lost, and windows have found their size.
WARM_UP_S = far.LOSES_AFTER_S + 2.0
STARTS_WITHIN_S = 30.0
JSON, COMPACT = "JSON, reliable", "compact, droppable"

COLUMNS = (
    *("results", "server", "place", "p50 beyond, ms:.1f", "of loopback's:.2f"),
    *("p95 beyond, ms:.1f", "of loopback's:.2f", "results/s:.1f", "bytes/result:.0f"),
)


class Place(NamedTuple):
    """Where a client is."""

    name: str
    delay_ms: float = 0.0
    jitter_ms: float = 0.0
    loss_percent: float = 0.0
    bandwidth_mbps: float = 0.0

    def flags(self) -> tuple[object, ...]:
        """As `far` takes them."""
        return (
            *("--delay", self.delay_ms, "--jitter", self.jitter_ms),
            *("--loss", self.loss_percent, "--bandwidth", self.bandwidth_mbps),
        )


LOOPBACK = Place("loopback")
PLACES = (
    Place("25 ms", 25.0),
    Place("75 ms", 75.0),
    Place("25 ms, 2 % lost", 25.0, loss_percent=2.0),
)


class Seen(NamedTuple):
    """What one client had there."""

    p50_ms: float
    p95_ms: float
    results_per_s: float
    bytes_per_result: float


async def measure(
    url: str, place: Place, how: str, asked: argparse.Namespace, seed: int = 1
) -> Seen:
    """Stream from a place."""
    flags = ["--compact"] if how == COMPACT else []
    async with _far(url, place, seed) as far_url:
        told = await run_load(
            far_url,
            *("--warm-up", WARM_UP_S, "--use", "http", *flags),
            seconds=asked.seconds,
            packets=asked.packets,
        )
    return seen(told, place)


def seen(told: dict[str, Any], place: Place) -> Seen:
    """What a client told, without the way."""
    (stream,) = told["streams"]
    beyond_ms = np.array([ms for _, ms in stream["results"]]) - 2 * place.delay_ms
    count = len(beyond_ms)
    p50, p95 = np.percentile(beyond_ms, (50, 95)) if count else (np.nan, np.nan)
    return Seen(p50, p95, count / told["seconds"], stream["bytes"] / max(count, 1))


@contextlib.asynccontextmanager
async def _far(url: str, place: Place, seed: int) -> AsyncIterator[str]:
    """The server's address in a place."""
    async with started(far.__name__, "--server", url, *place.flags(), "--seed", seed) as relay:
        yield (await relay.line(STARTS_WITHIN_S))["url"]


def checks(how: str, place: Place, there: Seen, near: Seen) -> Iterator[Check]:
    """The targets for a place, of a client's that has its results in such a way."""
    what = f"{how}, {place.name}"
    p50, p95 = there.p50_ms / near.p50_ms, there.p95_ms / near.p95_ms
    of_p50, of_p95 = f"{what}: p50, of loopback's", f"{what}: p95, of loopback's"
    match how, place.loss_percent:
        case _ if place not in PLACES:
            return
        case "compact, droppable", 0.0:
            yield at_most(of_p50, p50, 1.2)
            yield at_most(of_p95, p95, 1.4)
        case "compact, droppable", _:
            yield at_most(of_p50, p50, 1.3)
            yield at_most(of_p95, p95, 2.5)
            yield at_least(f"{what}: results/s", there.results_per_s, 27.0)
        case _, 0.0:
            yield at_most(of_p50, p50, 1.3)
        case _:
            yield at_most(f"{what}: p50 beyond the way, ms", there.p50_ms, 60.0)
            yield at_least(f"{what}: results/s", there.results_per_s, 26.0)


async def bench(asked: argparse.Namespace, report: Report) -> None:
    """All places, from each server in turn."""
    report.settings = [f"Rounds: {asked.rounds}, windows of {asked.seconds:g} s, servers in turn"]
    kinds = [with_pose()]
    places = [LOOPBACK, *_places(asked)]
    table = report.table("Results at a distance", *COLUMNS)
    async with contextlib.AsyncExitStack() as stack:
        asked.packets = await stack.enter_async_context(encoded_clip())
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        if asked.against:
            kinds.append(checkout.server_of(asked.against, folder))
        servers = [(kind, await stack.enter_async_context(running(kind))) for kind in kinds]
        found: dict[tuple[str, str, Place], list[Seen]] = {}
        for _, server in servers:
            # Code and models are loaded by a first stream.
            await run_load(server.url, seconds=1, packets=asked.packets)
        for number in range(asked.rounds):
            for place in places:
                for kind, server in servers:
                    for how in _ways_to_have_results(kind is kinds[0]):
                        one = await measure(server.url, place, how, asked, asked.seed + number)
                        found.setdefault((how, kind.name, place), []).append(one)
                        report.say(
                            f"{how}, {kind.name}, {place.name}: p50 {one.p50_ms:.1f} ms,"
                            f" p95 {one.p95_ms:.1f} ms, {one.results_per_s:.1f}/s"
                        )
    for (how, name, place), runs in found.items():
        there, near = _median(runs), _median(found[how, name, LOOPBACK])
        shares = there.p50_ms / near.p50_ms, there.p95_ms / near.p95_ms
        table.add(
            *(how, name, place.name, there.p50_ms, shares[0], there.p95_ms, shares[1]),
            *(there.results_per_s, there.bytes_per_result),
        )
        if name == kinds[0].name and place is not LOOPBACK:
            report.check(checks(how, place, there, near))


def _ways_to_have_results(is_ours: bool) -> list[str]:
    return [JSON, COMPACT] if is_ours and offers_compact() else [JSON]


def _places(asked: argparse.Namespace) -> Sequence[Place]:
    own = Place("own", asked.delay, asked.jitter, asked.loss, asked.bandwidth or 0.0)
    return [own] if own != Place("own") else PLACES


def _median(runs: Sequence[Seen]) -> Seen:
    return Seen(*np.median(np.array(runs), axis=0))


def main() -> int:
    parser = parser_for(__doc__)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=15.0, help="of each window")
    parser.add_argument("--against", type=checkout.named, metavar="PATH", help="another checkout")
    far.add_way(parser)
    return run("Results at a distance", parser.parse_args(), bench)


if __name__ == "__main__":
    sys.exit(main())
