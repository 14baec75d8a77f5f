"""``kinecast drain``: has one node of a running server end, once its sessions are elsewhere."""

from __future__ import annotations

import contextlib
import json
import socket
import sys
from pathlib import Path

from server.cluster.node import REGISTRY, directory_prefix, places
from server.config import BadSettings
from server.config.command_line import Parser

_FAILED, _BAD_USAGE = 1, 2
_DEFAULT_PORT = 8083

_EPILOG = """\
The node takes no more sessions. Clients that know how (kinecast.js, client_test, and any that
obeys {"type": "move"}) are sent to other nodes and go on there, with their counts; others end
as when the server ends, after 60 s. Then a new node is started in its place, with the code that
is installed by then: one node after the other, that rolls out a new version. This command
returns when the new node takes sessions; when it is interrupted, the node drains all the same.

It is run where the server runs, by the same user. SIGTERM to a node's process does the same.

example:
  for node in 00 01 02 03; do kinecast drain $node || break; done
"""


def main(arguments: list[str]) -> int:
    """Carry out ``kinecast drain`` with what follows it.

    Returns
    -------
    int
        The exit status: 0, 1 when it can not be done, 2 when the arguments are wrong.
    """
    parser = Parser(
        prog="kinecast drain",
        description="Has one node of a server (--nodes) end once its sessions are elsewhere.",
        epilog=_EPILOG,
    )
    parser.add_argument("node", metavar="NODE", help="which one: 00 is the first, 01 the next")
    parser.add_argument(
        "--port", type=int, default=_DEFAULT_PORT, help="of the server (default: %(default)s)"
    )
    parser.add_argument(
        "--stop", action="store_true", help="start none in its place, until the server is restarted"
    )
    try:
        asked = parser.parse_args(arguments)
    except BadSettings as error:
        print(f"kinecast drain: {error}", file=sys.stderr)
        return _BAD_USAGE
    except SystemExit as end:  # --help
        return int(end.code or 0)
    try:
        return _ask(asked.port, {"command": "drain", "node": asked.node, "stop": asked.stop})
    except KeyboardInterrupt:
        print("kinecast drain: interrupted; the node drains all the same", file=sys.stderr)
        return 130


def _ask(port: int, command: dict[str, object]) -> int:
    with contextlib.ExitStack() as stack:
        connection = _connect(port)
        if connection is None:
            return _fail(
                f"no server with --nodes and --port {port} runs here, or it is another user's"
            )
        stack.enter_context(connection)
        connection.sendall(json.dumps(command).encode() + b"\n")
        for line in stack.enter_context(connection.makefile("rb")):
            told = json.loads(line)
            if "refused" in told:
                return _fail(told["refused"])
            if "done" in told:
                return 0
            if "said" in told:
                print(told["said"], flush=True)
    return _fail("the server ended meanwhile")


def _connect(port: int) -> socket.socket | None:
    """To the process that the user started; what is left of one that was killed does not answer."""
    found = [
        path
        for place in places()
        for path in sorted(Path(place).glob(f"{directory_prefix(port)}*/{REGISTRY}"))
    ]
    for path in found:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            connection.connect(str(path))
        except OSError:
            connection.close()
            continue
        return connection
    return None


def _fail(why: str) -> int:
    print(f"kinecast drain: {why}", file=sys.stderr)
    return _FAILED
