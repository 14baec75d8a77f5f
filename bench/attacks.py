"""What clients that mean no good cost everybody else.

Two tables, each of attacks on a server that serves one honest stream (640x480 at 30 frames a
second) meanwhile; each attack runs in a process of its own:

- a peer that is let in, and others: how late the server's event loop was at most, how much its
  processes grew, how many results the honest stream still got, how long the server took to stop;
- connections: memory, descriptors and latencies before, during and after, without the limits on
  connections and with them.

    .venv/bin/python bench/attacks.py                      # all: 40 minutes
    .venv/bin/python bench/attacks.py --only nack          # one, half a minute; repeatable

On a machine that does other things a stall may be the machine's: "working" says for how much of it
the server's own thread was at work, "before" how late it was without an attack.
"""

import argparse
import os
import sys
from collections.abc import Mapping
from pathlib import Path

if not __package__:  # Run as a file, Python looks for modules beside it.
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

from cryptography.fernet import Fernet

from bench.harness.report import Report, parser_for, run
from bench.parts import attack_watch, attacker, connection_attacks

LINES, CONNECTIONS = attacker.LINES, connection_attacks.ATTACKS


async def bench(asked: argparse.Namespace, report: Report) -> None:
    """The attacks that were asked for."""
    # One that the attackers know, too: what they make up with it is refused for what is in it.
    os.environ["ENCRYPTION_KEY"] = Fernet.generate_key().decode()
    names = asked.only or [*LINES, *CONNECTIONS]
    lines = [LINES[name] for name in names if name in LINES]
    if lines:
        await attack_watch.bench(lines, asked.seconds, asked.runs, report)
    on_connections = [name for name in names if name in CONNECTIONS]
    if on_connections:
        await connection_attacks.bench(on_connections, asked.connection_seconds, report)


def listed(attacks: Mapping[str, str]) -> str:
    """Names and what they are, a line each."""
    return "\n".join(f"    {name:26} {what}" for name, what in attacks.items())


def main() -> int:
    lines = listed({name: line.what for name, line in LINES.items()})
    others = listed({name: f"{many} {what}" for name, (_, many, what) in CONNECTIONS.items()})
    parser = parser_for(
        f"{__doc__}\na peer that is let in, and others:\n{lines}\n\nconnections:\n{others}"
    )
    parser.add_argument(
        "--only", choices=[*LINES, *CONNECTIONS], action="append", metavar="NAME", help="repeatable"
    )
    parser.add_argument("--seconds", type=float, default=8.0, help="of each attack of a peer (8)")
    parser.add_argument(
        "--runs",
        type=int,
        default=1,
        metavar="N",
        help="attack up to N times while a target of a peer's attack is missed, and take the best:"
        " for machines that do other things, too (1)",
    )
    parser.add_argument(
        "--connection-seconds", type=float, default=30.0, help="of each attack on connections (30)"
    )
    return run("Attacks", parser.parse_args(), bench)


if __name__ == "__main__":
    sys.exit(main())
