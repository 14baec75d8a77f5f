"""The hostile peer of bench/, in a process of its own, which is replaced when it is hung up on."""

import json
import subprocess
import sys
from collections.abc import Sequence
from typing import Self

from tests.support.server import ROOT

RECORD_S = 4.0

Packet = tuple[str, bytes, bool]
"""A door, what goes through it, and whether it is made fresh: see `HostilePeer.send`."""


class Hostile:
    """Connects, and sends what it is told.

    Parameters
    ----------
    url
        The server's.
    arguments
        Of ``bench.parts.hostile_peer``.

    Attributes
    ----------
    samples
        What it has sent honestly, by kind.
    replaced
        How often it had to connect anew.
    """

    def __init__(self, url: str, *arguments: str) -> None:
        self._arguments = ("--url", url, *arguments)
        self.samples: dict[str, list[bytes]] = {}
        self.replaced = 0

    def send(self, packets: Sequence[Packet], *, ask: bool = False) -> bool:
        """Send packets; a new peer is there afterwards if the connection has ended.

        Returns
        -------
        Whether it lives: as far as the server has said, or, with `ask`, since it was asked.
        """
        asked = {"send": [(door, data.hex(), fresh) for door, data, fresh in packets], "ask": ask}
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()
        alive: bool = self._line()["alive"]
        if not alive:
            self.replace()
        return alive

    def replace(self) -> None:
        """Hang up, and connect again."""
        self._end()
        self._start(0.0)
        self.replaced += 1

    def __enter__(self) -> Self:
        self.samples = self._start(RECORD_S)
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def _start(self, record_s: float) -> dict[str, list[bytes]]:
        self._process = subprocess.Popen(
            [
                *(sys.executable, "-m", "bench.parts.hostile_peer"),
                *self._arguments,
                *("--record", str(record_s)),
            ],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        recorded = self._line()
        return {kind: [bytes.fromhex(each) for each in datas] for kind, datas in recorded.items()}

    def _line(self) -> dict:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the hostile peer has ended: what it printed is above"
        return json.loads(line)

    def _end(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.terminate()
        self._process.wait(60)
