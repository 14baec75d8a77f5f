"""WebRTC stacks that are not ours, watching by WHEP and publishing by WHIP: frames at both ends.

    .venv/bin/python bench/interop.py                     # all that are installed: 3 minutes
    .venv/bin/python bench/interop.py --only gstreamer,firefox
    .venv/bin/python bench/interop.py --each-other        # each watches what each publishes, too

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
import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

# Started as a script, this folder is on the path, and not the one above it.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from rich.console import Console

from bench.interop_clients import bars
from bench.interop_clients.client import Client, Codec
from bench.interop_clients.registry import CLIENTS
from bench.interop_clients.trials import (
    CAMERA_FLAGS,
    PUBLISHES,
    WATCHES_CAMERA,
    WATCHES_PUBLISHER,
    Outcome,
    Trials,
)
from bench.report import markdown_table, rich_table
from bench.servers import ServerKind, running

# Of what was sent: a packet or two may be lost for good while the connection comes about.
LEAST = 0.9
ANALYZER = "bench.interop_clients.analyzer:Shape"
CODECS: tuple[Codec, ...] = ("VP8", "H264")
COLUMNS = (
    "client",
    "does",
    "codec",
    "sent",
    "at the server",
    "analyzed",
    "at the viewer",
    "picture",
)


def main() -> None:
    arguments = _parse(sys.argv[1:])
    console = Console(stderr=arguments.json)
    sys.exit(asyncio.run(_run(arguments, console)))


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--only", metavar="NAMES", default=",".join(CLIENTS), help=f"some of {', '.join(CLIENTS)}"
    )
    parser.add_argument(
        "--each-other", action="store_true", help="each watches what each publishes (VP8), too"
    )
    parser.add_argument("--json", action="store_true", help="print the outcomes as JSON")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the tables there")
    parsed = parser.parse_args(arguments)
    parsed.only = [name.strip() for name in parsed.only.split(",")]
    if unknown := sorted(set(parsed.only) - set(CLIENTS)):
        parser.error(f"no client {', '.join(unknown)}: there are {', '.join(CLIENTS)}")
    return parsed


async def _run(arguments: argparse.Namespace, console: Console) -> int:
    clients = [c for c in (CLIENTS[name] for name in arguments.only) if await _is_here(c, console)]
    if not clients:
        return 1
    flags = ("-m", "server", "--analyzers", ANALYZER, "--workers", "1", *CAMERA_FLAGS)
    server_kind = ServerKind("kinecast", "http", flags)
    with tempfile.TemporaryDirectory() as folder:
        clip = bars.write_clips(Path(folder))
        async with running(server_kind) as server:
            trials = Trials(server.url, clip)
            outcomes = [await _tried(trials, console, *what) for what in _plan(clients)]
            crossed = await _crossed(trials, clients) if arguments.each_other else {}
    _print(outcomes, crossed, arguments, console)
    every = [*outcomes, *(o for row in crossed.values() for o in row.values())]
    return int(any(_is_bad(outcome) for outcome in every))


async def _is_here(client: Client, console: Console) -> bool:
    missing = await asyncio.to_thread(client.missing)
    if missing is not None:
        console.print(f"{client.name} is left out: {missing}. To install: {client.install}")
    return missing is None


def _plan(clients: Sequence[Client]) -> Iterator[tuple[Client, str, Codec]]:
    for client in clients:
        for does in (WATCHES_CAMERA, WATCHES_PUBLISHER, PUBLISHES):
            for codec in CODECS:
                yield client, does, codec


async def _tried(
    trials: Trials, console: Console, client: Client, does: str, codec: Codec
) -> Outcome:
    outcome = await trials.run(client, does, codec)
    said = outcome.problem or f"{outcome.arrived} frames"
    console.print(f"{client.name} {does}, {codec}: {said}", highlight=False)
    return outcome


async def _crossed(trials: Trials, clients: Sequence[Client]) -> dict[str, dict[str, Outcome]]:
    return {
        client.name: await trials.watch_each_other(client, clients, "VP8") for client in clients
    }


def _is_bad(outcome: Outcome) -> bool:
    if outcome.problem:
        return not outcome.is_unsupported
    counts = (outcome.received, outcome.arrived if outcome.does == WATCHES_PUBLISHER else None)
    enough = LEAST * (outcome.sent or 0)
    return outcome.picture == "wrong" or any(c is not None and c < enough for c in counts)


def _print(
    outcomes: Sequence[Outcome],
    crossed: dict[str, dict[str, Outcome]],
    arguments: argparse.Namespace,
    console: Console,
) -> None:
    rows = [_row(outcome) for outcome in outcomes]
    tables = [("Watching and publishing", COLUMNS, rows)]
    if crossed:
        columns = ("publishes", *(f"{name} watches" for name in crossed))
        cells = [(name, *map(_cell, row.values())) for name, row in crossed.items()]
        tables.append(("Each other, VP8", columns, cells))
    for title, columns, lines in tables:
        console.width = max(console.width, 100)
        console.print(rich_table(title, columns, lines))
    versions = {o.client: o.version for o in outcomes if o.version}
    console.print(", ".join(versions.values()), highlight=False)
    if arguments.markdown:
        parts = [f"## {title}\n\n{markdown_table(c, lines)}" for title, c, lines in tables]
        arguments.markdown.write_text("\n\n".join([", ".join(versions.values()), *parts]) + "\n")
    if arguments.json:
        found = [asdict(outcome) for outcome in outcomes]
        each = {name: [asdict(o) for o in row.values()] for name, row in crossed.items()}
        print(json.dumps({"outcomes": found, "each_other": each}, indent=2))


def _row(outcome: Outcome) -> tuple[str, ...]:
    counts = (outcome.sent, outcome.received, outcome.analyzed, outcome.arrived)
    told = [str(count) if count is not None else "" for count in counts]
    return (
        outcome.client,
        outcome.does,
        outcome.codec,
        *told,
        "has it not" if outcome.is_unsupported else outcome.problem or outcome.picture,
    )


def _cell(outcome: Outcome) -> str:
    return outcome.problem or f"{outcome.arrived}, {outcome.picture}"


if __name__ == "__main__":
    main()
