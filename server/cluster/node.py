"""Which of several media processes this one is, and how the others are called."""

from __future__ import annotations

import json
import os
import re
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

# The variable by which the parent tells a child which node it is.
VARIABLE = "KINECAST_NODE"
MAX_NODES = 256
_TAG = re.compile("[0-9a-f]{2}")
REGISTRY = "registry.sock"


@dataclass(frozen=True, slots=True)
class Node:
    """One media process among several.

    Attributes
    ----------
    number, count
        Which one of how many.
    directory
        Where the sockets of all are; nobody else may enter it.
    next_port, main_port
        Descriptors of the sockets that clients connect to.
    parent
        One that ends when the parent does.
    inner_port
        Descriptor of the socket that nodes on other machines connect to; none where all are on
        this one.
    """

    number: int
    count: int
    directory: str
    next_port: tuple[int, ...]
    main_port: tuple[int, ...]
    parent: int
    inner_port: tuple[int, ...] = ()

    @property
    def spans_machines(self) -> bool:
        """Whether other nodes are on other machines; how many there are changes then."""
        return bool(self.inner_port)

    @property
    def tag(self) -> str:
        """What its identifiers begin with."""
        return tag_of(self.number)

    def socket_of(self, number: int) -> str:
        """Where a node answers the others."""
        return str(Path(self.directory) / f"{tag_of(number)}.sock")

    @property
    def registry(self) -> str:
        """The registry's socket; with several machines, a file that says where it is."""
        return str(Path(self.directory) / REGISTRY)

    def write(self) -> str:
        """As the variable has it."""
        return json.dumps(asdict(self))

    def share(self, whole: int) -> int:
        """This node's part of a number that is the whole server's; all parts add up to it.

        A further machine is there to take more: there it is each node's.
        """
        if self.spans_machines:
            return whole
        return whole // self.count + (self.number < whole % self.count)


def this_node() -> Node | None:
    """The node that this process is; None where there is only one process."""
    text = os.environ.get(VARIABLE)
    if not text:
        return None
    told = json.loads(text)
    # A parent that runs since before the server was upgraded knows of no inner port.
    ports = {name: tuple(told.get(name, ())) for name in ("next_port", "main_port", "inner_port")}
    return Node(**{**told, **ports})


def directory_prefix(port: int) -> str:
    """What the directory is called in which all sockets of a server are, up to what makes it new.

    Parameters
    ----------
    port
        Where clients find that server.
    """
    return f"kinecast-{port}-"


def places() -> list[str]:
    """Where such directories may be, the first of them that of a server that starts here."""
    # A service's own, where systemd gives it one: its /tmp may be seen by nobody else.
    given = os.environ.get("RUNTIME_DIRECTORY", "").partition(":")[0]
    return [*filter(None, [given]), tempfile.gettempdir(), "/run/kinecast"]


def tag_of(number: int) -> str:
    """Two hexadecimal digits, so that a session's id looks as ever."""
    return f"{number:02x}"


def number_of(identifier: str) -> int | None:
    """Which node made an identifier; None for what no node can have made."""
    match = _TAG.match(identifier)
    return int(match[0], 16) if match else None
