"""Where a session goes: the less loaded of two nodes that are drawn at random.

With the same load table in many hands, "the least loaded" would send a burst to one node; the
better of two random ones spreads it nearly as well as perfect knowledge would (Mitzenmacher, "The
Power of Two Choices", 2001). Load is measured a moment ago, so what was placed since then is added
at the mean cost of a session. Where sessions come and go, both of the two are busy now and then,
and what is placed there stays: so two others are drawn when the better one has more than the mean.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

# Of a session, as long as there is none to measure: a frame with one person takes 12 ms of a core.
USUAL_COST = 0.35
# Of whoever watches: 0.1 ms for each of 30 frames a second (docs/benchmarks.md, fan-out), times ten
# for what a node gets from another one for its first.
VIEWER_COST = 0.03
# So many pairs are drawn, at most. After six, one of 4000 sessions comes to a node with more than
# the mean where half of them have; after one it would be one of four.
DRAWS = 6
# How many nodes are asked before a client is told that there is no room.
TRIES = 3
# Of a state; JSON has no tuples.
LISTS = frozenset({"names", "awaited", "recordings", "guests"})


@dataclass(frozen=True, slots=True)
class NodeState:
    """What a node says of itself, each second.

    Attributes
    ----------
    incarnation
        Differs each time that the node is started.
    load
        Cores that its processes kept busy.
    fresh
        Sessions that came since that was measured, and are not in it.
    sessions, room
        How many it has, and how many more it takes.
    names
        What is published there.
    awaited
        Those of them whose session another node still has, and which may never come.
    recordings
        Those that it is writing.
    subjects
        How many of its sessions each token's subject has.
    addresses
        How many requests and sockets that last each address has; no news by itself.
    guests
        Its sessions that another node has begun, those that ended last included.
    draining
        Whether it is about to end: its sessions go elsewhere, and no new ones come.
    ready
        Whether it has a worker that takes frames.
    address
        Where it is reached, if its number does not say it.
    """

    incarnation: str
    load: float = 0.0
    fresh: int = 0
    sessions: int = 0
    room: int = 1
    names: tuple[str, ...] = ()
    recordings: tuple[str, ...] = ()
    subjects: dict[str, int] = field(default_factory=dict)
    addresses: dict[str, int] = field(default_factory=dict, compare=False)
    guests: tuple[str, ...] = ()
    draining: bool = False
    ready: bool = True
    address: str = ""
    awaited: tuple[str, ...] = ()

    @property
    def takes_sessions(self) -> bool:
        """Whether sessions should go there."""
        return self.ready and not self.draining

    @classmethod
    def read(cls, told: dict[str, Any]) -> NodeState:
        """From JSON; what a newer node says beside it is passed over.

        Raises
        ------
        TypeError
            It is no state.
        """
        known = {each.name: told[each.name] for each in fields(cls) if each.name in told}
        lists = {name: tuple(known[name]) for name in LISTS & known.keys()}
        return cls(**{**known, **lists})


def node_of_name(states: Mapping[int, NodeState], name: str) -> int | None:
    """The node at which something is published; of what moves, the one where it still is."""
    awaited: int | None = None
    for number, state in states.items():
        if name in state.names:
            if name not in state.awaited:
                return number
            awaited = number
    return awaited


@dataclass(slots=True)
class Placer:
    """Chooses nodes for one door.

    Parameters
    ----------
    rng
        Draws them.
    """

    rng: random.Random = field(default_factory=random.Random)
    _placed: dict[int, int] = field(default_factory=dict)
    _watching: dict[int, int] = field(default_factory=dict)
    _cost: float | None = None
    _mean: float = 0.0
    _news: int = 0

    def told(self, nodes: Iterable[int]) -> None:
        """These have said anew how loaded they are: what was placed there before is in it."""
        for number in nodes:
            self._news += 1
            self._placed.pop(number, None)
            self._watching.pop(number, None)

    def choose_for_viewer(self, nodes: Mapping[int, NodeState]) -> list[int]:
        """The node for somebody who watches and sends nothing, and those to ask next.

        They take no session's place, and are counted as placed at the first of them.
        """
        chosen = self._choose(nodes, needs_room=False)
        self._watching[chosen[0]] = self._watching.get(chosen[0], 0) + 1
        return chosen

    def choose(self, nodes: Mapping[int, NodeState]) -> list[int]:
        """The node for a session, and those to ask when it refuses.

        Parameters
        ----------
        nodes
            The states of those that are there.
        """
        return self._choose(nodes, needs_room=True)

    def _choose(self, nodes: Mapping[int, NodeState], *, needs_room: bool) -> list[int]:
        # The means of many move little with the news of one.
        if self._cost is None or self._news * 10 >= len(nodes):
            self._cost, self._news = _mean_cost(nodes.values()), 0
            self._mean = sum(self._expected(n, nodes[n]) for n in nodes) / len(nodes)
        left, chosen, is_filtered = list(nodes), list[int](), not needs_room
        while left and len(chosen) < TRIES:
            best = self._draw(left, nodes)
            if not is_filtered and not self._has_room(best, nodes[best]):
                with_room = [n for n in left if self._has_room(n, nodes[n])]
                # Of full ones, one may have somebody whose place can be given away.
                left = with_room if with_room or chosen else left
                is_filtered = True
                continue
            chosen.append(best)
            left.remove(best)
        return chosen

    def _draw(self, left: Sequence[int], nodes: Mapping[int, NodeState]) -> int:
        """The better of two; where that one has more than the mean, the best of some more."""
        best: int | None = None
        for _ in range(DRAWS):
            drawn = self.rng.sample(left, min(2, len(left)))
            if best is not None:
                drawn.append(best)
            best = min(drawn, key=lambda n: self._expected(n, nodes[n]))
            if len(left) <= 2 or self._expected(best, nodes[best]) <= self._mean:
                break
        assert best is not None
        return best

    def _has_room(self, number: int, state: NodeState) -> bool:
        return state.room > self._placed.get(number, 0)

    def _expected(self, number: int, state: NodeState) -> float:
        sessions = state.fresh + self._placed.get(number, 0)
        watching = self._watching.get(number, 0)
        return state.load + sessions * (self._cost or USUAL_COST) + watching * VIEWER_COST

    def placed(self, number: int) -> None:
        """A session has gone there."""
        self._placed[number] = self._placed.get(number, 0) + 1


def _mean_cost(states: Iterable[NodeState]) -> float:
    load, sessions = 0.0, 0
    for state in states:
        load += state.load
        sessions += state.sessions - state.fresh
    return load / sessions if sessions > 0 and load else USUAL_COST
