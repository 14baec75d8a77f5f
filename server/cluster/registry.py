"""What all nodes have to agree on: who is there, and who has which name."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict
from typing import Any

from server.cluster.placing import NodeState, node_of_name

# From a name's giving to a node until that says that it is published there.
GIVEN_S = 15.0
# Whoever may publish can ask for names that nobody ever uses: the oldest are forgotten first.
MAX_GIVEN = 4096


class Registry:
    """The nodes and their names, without any I/O.

    Parameters
    ----------
    now_s
        A clock that does not go back.
    """

    def __init__(self, now_s: Callable[[], float] = time.monotonic) -> None:
        self._now_s = now_s
        self._states: dict[int, NodeState] = {}
        self._given: dict[str, tuple[int, float]] = {}
        self._draining: set[int] = set()

    @property
    def states(self) -> Mapping[int, NodeState]:
        """The nodes that are there."""
        return self._states

    def report(self, number: int, state: NodeState) -> None:
        """A node says how it does."""
        before = self._states.get(number)
        if before is not None and before.incarnation != state.incarnation:
            # It was started again before the end of its connection was heard of.
            self._draining.discard(number)
        self._states[number] = state
        for name in state.names:
            if self._given.get(name, (number,))[0] == number:
                self._given.pop(name, None)

    def leave(self, number: int) -> None:
        """A node is gone, and its names are free."""
        self._states.pop(number, None)
        self._draining.discard(number)
        self._given = {name: given for name, given in self._given.items() if given[0] != number}

    def let_drain(self, number: int) -> bool:
        """Let a node send its sessions elsewhere, if there is another one that takes them."""
        others = self._states.keys() - self._draining - {number}
        if not any(self._states[each].takes_sessions for each in others):
            return False
        self._draining.add(number)
        return True

    def give(self, name: str, wish: int, full: Collection[int] = ()) -> int:
        """Give a name to a node, unless another one has it; returns the one that has it.

        Parameters
        ----------
        full
            Nodes without room: to be given a name is not enough to keep it there.
        """
        holder = self.holder(name)
        if holder is None or (holder in full and name not in self._states[holder].names):
            holder = wish
            self._given.pop(name, None)
            self._given[name] = (holder, self._now_s() + GIVEN_S)
            if len(self._given) > MAX_GIVEN:
                del self._given[next(iter(self._given))]
        return holder

    def holder(self, name: str) -> int | None:
        """The node that has a name."""
        published = node_of_name(self._states, name)
        if published is not None:
            return published
        given = self._given.get(name)
        if given is None:
            return None
        number, until_s = given
        if until_s < self._now_s() or number not in self._states:
            del self._given[name]
            return None
        return number

    def table(self) -> dict[str, Any]:
        """All that nodes are told."""
        now_s = self._now_s()
        self._given = {name: given for name, given in self._given.items() if given[1] > now_s}
        return {"nodes": {str(number): asdict(state) for number, state in self._states.items()}}
