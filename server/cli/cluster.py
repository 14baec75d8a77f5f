"""``kinecast cluster``: one server on the machines of a Ray cluster."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, get_args

import orjson
from pydantic import SecretStr
from rich.console import Console
from rich.table import Table

from server.cluster.node import tag_of
from server.config import BadSettings, Settings
from server.config.cluster import ON_THIS_MACHINE, ClusterSettings
from server.config.command_line import Parser, add_flags, make_settings

if TYPE_CHECKING:
    from server.cluster.on_ray.control import NodeStatus

_BAD_USAGE, _NOT_ALL = 2, 1
_WIDE = 240
COMMANDS = ("start", "status", "drain", "scale", "stop")

_EPILOG = """\
On each machine, with Kinecast and its analyzers installed there, the same version everywhere:
  export RAY_worker_niceness=0 RAY_AUTH_MODE=token       ray get-auth-token --generate, on one; the
                                                         same ~/.ray/auth_token on all
  export CLUSTER_SECRET=... AUTH_SECRET=...              each made by openssl rand -hex 32
  ray start --head --node-ip-address=10.0.0.2 --object-store-memory=100000000
  ray start --address=10.0.0.2:6379 --object-store-memory=100000000       on the others

examples:
  kinecast cluster start --host 0.0.0.0 --analyzers pose,exercise --ice-port 50000
                                                a node on each machine, with the server's flags
  kinecast cluster start --nodes 2 ...          on two of them
  kinecast cluster status                       node, machine, sessions, load, names, version
  kinecast cluster scale 5                      more of them, or fewer: those are ended in order
  kinecast cluster drain 01                     its sessions go to other nodes; then start it again
  kinecast cluster stop

Secrets are read from the environment of each machine, and never sent over Ray. Nodes go on when
this command has ended.

exit status: 0 all is well, 1 a node does not serve (status), 2 something is wrong.
"""


def main(arguments: Sequence[str]) -> int:
    """Carry out ``kinecast cluster`` with what follows it.

    Returns
    -------
    int
        The exit status.
    """
    try:
        asked, flags = _parse(arguments)
        given = {name: value for name, value in vars(asked).items() if name == "cluster"}
        cluster = make_settings(ClusterSettings, given).cluster or ON_THIS_MACHINE
        return _carry_out(asked, flags, cluster)
    except BadSettings as error:
        print(f"kinecast cluster: {error}", file=sys.stderr)
        return _BAD_USAGE
    except KeyboardInterrupt:
        print("kinecast cluster: interrupted; see kinecast cluster status", file=sys.stderr)
        return 130
    except SystemExit as end:  # --help
        return int(end.code or 0)


def _parse(arguments: Sequence[str]) -> tuple[argparse.Namespace, list[str]]:
    """What is asked for, and the server's flags."""
    parser = Parser(
        prog="kinecast cluster",
        usage="kinecast cluster start [--nodes N] [FLAG ...]\n"
        "       kinecast cluster status [--json] | drain NODE | scale N | stop",
        description="One server on the machines of a Ray cluster.",
        epilog=_EPILOG,
    )
    parser.add_argument("command", choices=COMMANDS, metavar="COMMAND", help=", ".join(COMMANDS))
    add_flags(parser, ClusterSettings.settings("cluster"))
    match next((each for each in arguments if each in COMMANDS), None):
        case "start":
            how = "start: how many (default: one for each machine)"
            parser.add_argument("--nodes", type=int, metavar="N", help=how)
            asked, flags = parser.parse_known_args(arguments)
            _keep_secrets(flags)
            return asked, flags
        case "drain":
            parser.add_argument("node", type=_node, metavar="NODE", help="as status shows it")
        case "scale":
            parser.add_argument("count", type=int, metavar="N", help="nodes there are to be")
        case _:
            parser.add_argument("--json", action="store_true", dest="as_json", help="as JSON")
    return parser.parse_args(arguments), []


def _node(text: str) -> int:
    try:
        return int(text, 16)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no node, as status shows it") from None


def _keep_secrets(flags: Sequence[str]) -> None:
    """Refuse those that others could read."""
    secret = set[str]()
    for setting in Settings.settings():
        kind = Settings.model_fields[setting.name].annotation
        if SecretStr in (kind, *get_args(kind)):
            secret.update(setting.flags)
    for flag in (given.partition("=")[0] for given in flags):
        if flag in secret:
            variable = flag.removeprefix("--").replace("-", "_").upper()
            raise BadSettings(
                f"{flag}: set {variable} where ray start is called on each machine: a secret is not"
                " sent over Ray"
            )


def _carry_out(asked: argparse.Namespace, flags: list[str], cluster: str) -> int:
    if find_spec("ray") is None:
        raise BadSettings("Ray is not installed: pip install 'kinecast[ray]'")
    from server.cluster.on_ray import control

    with control.connected(cluster):
        match asked.command:
            case "start":
                _show(control.start(flags, asked.nodes))
            case "scale":
                _show(control.scale(asked.count))
            case "drain":
                for said in control.drain(asked.node):
                    print(said, flush=True)
            case "stop":
                print(f"{control.stop()} nodes have ended", file=sys.stderr)
            case _:
                nodes = control.status()
                if asked.as_json:
                    print(_as_json(nodes))
                else:
                    _show(nodes)
                return 0 if all(each.serves for each in nodes) else _NOT_ALL
    return 0


def _as_json(nodes: Sequence[NodeStatus]) -> str:
    return orjson.dumps(
        [
            {"node": tag_of(each.number), "serves": each.serves, **(each.kept or {})}
            | {"state": each.told, "problem": each.problem}
            for each in nodes
        ]
    ).decode()


def _show(nodes: Sequence[NodeStatus]) -> None:
    table = Table()
    for heading in ("node", "machine", "sessions", "load", "published", "version", "clients go to"):
        table.add_column(heading, overflow="fold")
    for each in nodes:
        kept, told = each.kept or {}, each.told or {}
        table.add_row(
            tag_of(each.number),
            kept.get("machine", "?"),
            str(told.get("sessions", "-")),
            f"{told['load']:.2f}" if told else "-",
            ", ".join(told.get("names", ())),
            kept.get("version", "?"),
            kept.get("url") or "-",
        )
    # What reads it instead of somebody is to find each node in one line.
    Console(width=None if sys.stdout.isatty() else _WIDE).print(table)
    for each in nodes:
        lines = [each.problem] if not each.serves or each.problem else []
        for line in (*lines, *(each.kept or {}).get("warnings", ())):
            print(f"node {tag_of(each.number)}: {line or 'it is starting'}", file=sys.stderr)
