"""What `kinecast drain` asks of the parent: one node ends, and its sessions go elsewhere.

The node itself knows how (`server.sessions.moves`); here is whether it may, and what comes after.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from typing import Any

from server.cluster.node import number_of, tag_of
from server.cluster.placing import NodeState
from server.cluster.registry_server import CommandRefused

# Workers load their models meanwhile.
BACK_WITHIN_S = 120.0


class Rollout:
    """Has nodes drain.

    Parameters
    ----------
    terminate
        Asks a node's process to drain; returns whether there is one.

    Attributes
    ----------
    count
        How many nodes there are to be.
    states
        What those say that are there.
    """

    def __init__(self, terminate: Callable[[int], bool]) -> None:
        self.count = 0
        self.states: Callable[[], Mapping[int, NodeState]] = dict
        self._terminate = terminate
        self._draining: dict[int, asyncio.Event] = {}
        self._off: set[int] = set()
        self._successors: dict[int, tuple[str, asyncio.Event]] = {}

    def heard(self, number: int) -> None:
        """A node has said how it does."""
        state = self.states()[number]
        before, is_there = self._successors.get(number, ("", None))
        if is_there is not None and state.incarnation != before and state.ready:
            is_there.set()

    def has_ended(self, number: int) -> bool:
        """A node's process has ended; returns whether it was asked to."""
        ended = self._draining.pop(number, None)
        if ended is not None:
            ended.set()
        return ended is not None

    def stays_off(self, number: int) -> bool:
        """Whether none is to be started in its place."""
        return number in self._off

    async def command(self, told: Mapping[str, Any]) -> AsyncIterator[str]:
        """Drain a node; yields what to tell whoever asked.

        Raises
        ------
        CommandRefused
            It can not be done.
        """
        number = self._checked(str(told["node"]))
        before = self.states()[number]
        ended = self._draining[number] = asyncio.Event()
        if told["stop"]:
            self._off.add(number)
        if not self._terminate(number):
            del self._draining[number]
            self._off.discard(number)
            raise CommandRefused(f"node {tag_of(number)} does not run: it is being started")
        yield f"Node {tag_of(number)} drains: {before.sessions} sessions go to other nodes"
        await ended.wait()
        if number in self._off:
            yield f"Node {tag_of(number)} has ended, and stays off until the server is restarted"
            return
        is_there = asyncio.Event()
        self._successors[number] = before.incarnation, is_there
        yield f"Node {tag_of(number)} has ended; another one is started in its place"
        try:
            await asyncio.wait_for(is_there.wait(), BACK_WITHIN_S)
        except TimeoutError as error:
            raise CommandRefused(
                f"no node {tag_of(number)} has come within {BACK_WITHIN_S:.0f} s: see the log"
            ) from error
        finally:
            del self._successors[number]
        yield f"Node {tag_of(number)} takes sessions again"

    def _checked(self, node: str) -> int:
        number = number_of(node) if len(node) == 2 else None
        if number is None or number >= self.count:
            there = _listed(range(self.count))
            raise CommandRefused(f"there is no node {node!r}: there are {there}")
        if number in self._draining:
            raise CommandRefused(f"node {tag_of(number)} drains already")
        if number in self._successors:
            raise CommandRefused(f"node {tag_of(number)} has drained: its successor is starting")
        if number not in self.states():
            raise CommandRefused(
                f"node {tag_of(number)} is off"
                if number in self._off
                else f"node {tag_of(number)} does not run: it is being started"
            )
        takers = {n: each for n, each in self.states().items() if n not in self._draining}
        if (refusal := refusal_of_last(number, takers)) is not None:
            raise CommandRefused(refusal)
        return number


def refusal_of_last(number: int, states: Mapping[int, NodeState]) -> str | None:
    """Why a node may not drain: its sessions have nowhere to go; None if they have.

    Parameters
    ----------
    states
        Of the nodes that are there.
    """
    if any(each != number and state.takes_sessions for each, state in states.items()):
        return None
    return (
        f"node {tag_of(number)} is the last one that takes sessions: wait until another one"
        " does, or stop the whole server"
    )


def _listed(numbers: Collection[int]) -> str:
    return ", ".join(map(tag_of, numbers))
