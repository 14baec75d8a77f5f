"""WebRTC stacks that are not ours, watching by WHEP and publishing by WHIP: frames at both ends.

    python -m tests.interop                             # all that are installed: 3 minutes
    python -m tests.interop --only gstreamer,firefox
    python -m tests.interop --each-other                # each watches what each publishes, too

Everything runs on 127.0.0.1. A client that is not installed is named, with the command that
installs it. The exit status is 1 when one that is installed could not do something it has, got
less than 90 % of the frames, or saw a wrong picture.

Each client, with VP8 and with H264,

- watches the camera's pattern until it has 100 frames;
- watches what Kinecast's own client publishes: 100 frames, the first one sent when it is connected;
- publishes until it has sent 100 frames by its own count; Kinecast's own viewer joins meanwhile.

Pictures are told by the colours of a pixel near each side, after decoding.
"""

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from bench.harness.report import Report, parser_for, run
from tests.interop.clients import bars
from tests.interop.clients.client import Client, Codec
from tests.interop.clients.registry import CLIENTS
from tests.interop.clients.trials import (
    CAMERA_FLAGS,
    PUBLISHES,
    WATCHES_CAMERA,
    WATCHES_PUBLISHER,
    Outcome,
    Trials,
)
from tests.support.server import COUNTER, running_server

# Of what was sent: a packet or two may be lost for good while the connection comes about.
LEAST = 0.9
CODECS: tuple[Codec, ...] = ("VP8", "H264")
COLUMNS = (
    *("client", "does", "codec", "sent", "at the server", "analyzed", "at the viewer", "picture"),
)


async def _bench(asked: argparse.Namespace, report: Report) -> None:
    """Every client that is here."""
    clients = [c for c in asked.only if await _is_here(c, report)]
    report.failed = not clients
    table, outcomes = report.table("Watching and publishing", *COLUMNS), list[Outcome]()
    flags = ("--analyzers", COUNTER, "--workers", "1", *CAMERA_FLAGS)
    with (
        tempfile.TemporaryDirectory() as folder,
        running_server(Path(folder), *flags) as server,
    ):
        trials = Trials(server.url, bars.write_clips(Path(folder)))
        for client, does, codec in _plan(clients):
            outcomes.append(outcome := await trials.run(client, does, codec))
            table.add(*_row(outcome))
            said = outcome.problem or f"{outcome.arrived} frames"
            report.say(f"{client.name} {does}, {codec}: {said}")
        crossed = [
            await trials.watch_each_other(client, clients, "VP8")
            for client in (clients if asked.each_other else [])
        ]
    names = [client.name for client in clients]
    each = report.table("Each other, VP8", "publishes", *(f"{name} watches" for name in names))
    for name, row in zip(names, crossed, strict=False):
        each.add(name, *map(_cell, row.values()))
        outcomes += row.values()
    versions = {outcome.client: outcome.version for outcome in outcomes if outcome.version}
    report.settings = list(versions.values())
    report.failed = report.failed or any(map(_is_bad, outcomes))
    report.figures = {"outcomes": [asdict(outcome) for outcome in outcomes]}


async def _is_here(client: Client, report: Report) -> bool:
    missing = await asyncio.to_thread(client.missing)
    if missing is not None:
        report.say(f"{client.name} is left out: {missing}. To install: {client.install}")
    return missing is None


def _plan(clients: Sequence[Client]) -> Iterator[tuple[Client, str, Codec]]:
    for client in clients:
        for does in (WATCHES_CAMERA, WATCHES_PUBLISHER, PUBLISHES):
            for codec in CODECS:
                yield client, does, codec


def _is_bad(outcome: Outcome) -> bool:
    if outcome.problem:
        return not outcome.is_unsupported
    counts = (outcome.received, outcome.arrived if outcome.does == WATCHES_PUBLISHER else None)
    enough = LEAST * (outcome.sent or 0)
    return outcome.picture == "wrong" or any(c is not None and c < enough for c in counts)


def _row(outcome: Outcome) -> tuple[str, ...]:
    counts = (outcome.sent, outcome.received, outcome.analyzed, outcome.arrived)
    told = [str(count) if count is not None else "" for count in counts]
    picture = "has it not" if outcome.is_unsupported else outcome.problem or outcome.picture
    return (outcome.client, outcome.does, outcome.codec, *told, picture)


def _cell(outcome: Outcome) -> str:
    return outcome.problem or f"{outcome.arrived}, {outcome.picture}"


def _clients(text: str) -> list[Client]:
    names = [name.strip() for name in text.split(",")]
    if unknown := sorted(set(names) - set(CLIENTS)):
        raise argparse.ArgumentTypeError(
            f"no client {', '.join(unknown)}: there are {', '.join(CLIENTS)}"
        )
    return [CLIENTS[name] for name in names]


def main() -> int:
    """Try all that is asked for; returns the exit status."""
    parser = parser_for(__doc__)
    names = ", ".join(CLIENTS)
    parser.add_argument(
        "--only", type=_clients, default=[*CLIENTS.values()], help=f"some of {names}"
    )
    parser.add_argument(
        "--each-other", action="store_true", help="each watches what each publishes (VP8), too"
    )
    return run("Other clients", parser.parse_args(), _bench)


if __name__ == "__main__":
    sys.exit(main())
