"""Measures what several nodes are worth: one by one, or all of it (12 minutes on a quiet machine).

    bench/nodes.py                            everything
    bench/nodes.py --only placing             1000 nodes, 100 000 sessions: half a minute
    bench/nodes.py --only placing --nodes 4 --sessions 400
    bench/nodes.py --only door,viewers        what it costs to be at another node: a minute
    bench/nodes.py --only recovery --kills 5  a first impression

placing   Where sessions go when there are many nodes. Simulated are the nodes and their load; what
          chooses is `server.cluster.placing`, with one placer at each of the doors. Sessions come
          in bursts between the nodes' reports, as after a server was lost, stay for random times,
          and cost unequally. Each node reports its measured load once a second, and how many
          sessions it has as soon as one comes.
streams   Servers of 1, 2 and 4 nodes, each node with its workers bound to one core. The streams
          for each core grow by steps until p95 from sending a frame to its result is over 100 ms.
          Frames are encoded beforehand; the client takes its part of the same cores.
two       8 streams to one process and to two nodes, nothing bound: CPU for a result, and p95.
recovery  The node that has a client's session is killed (SIGKILL), 30 times: time to the next
          result of client_test.client, which offers again. Before each kill all nodes are ready.
door      The same offer over one connection to one node, answered there or by the other one.
viewers   The first node's camera, decoded at the same time by a viewer at that node and by one at
          the other: from the time that is written into a picture to the decoded picture.
drain     Two nodes; 8 clients are sent from one to the other, as by `kinecast drain`: for how long
          each has no result, who is refused, and whose counts begin anew.
"""

import argparse
import asyncio
import heapq
import random
import statistics
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

if not __package__:  # Run as a file, Python looks for modules beside it.
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

from bench.harness.report import Failure, Report, at_most, parser_for, run
from bench.parts import drain
from bench.parts.node_load import PARTS
from server.cluster.placing import NodeState, Placer

MAX_FULLEST = 1.15
# Cores that a session keeps busy, from a small picture now and then to many people.
COSTS = (0.15, 0.35, 0.35, 0.35, 0.8)
COLUMNS = ("what", "nodes", "sessions", "mean:.1f", "fullest:.0f", "fullest, of mean:.3f")
DOORS = 20
# Beyond this a part is given up, so that all together end. On a quiet machine each takes half.
MOST_S = {
    "placing": 60.0,
    "streams": 240.0,
    "two": 120.0,
    "recovery": 240.0,
    "door": 75.0,
    "viewers": 75.0,
    "drain": 90.0,
}


class Simulation:
    """Nodes with sessions, told of by reports as old as they are in the server.

    Parameters
    ----------
    nodes
        How many.
    rng
        Draws everything.
    """

    def __init__(self, nodes: int, rng: random.Random) -> None:
        self.sessions: list[list[float]] = [[] for _ in range(nodes)]
        self.rng = rng
        self._states = {n: NodeState("x", room=1_000_000) for n in range(nodes)}
        self._doors = [Placer(rng) for _ in range(min(DOORS, nodes))]

    def report(self) -> None:
        """A second has passed: all doors hear how loaded all nodes are."""
        for number in self._states:
            own = self.sessions[number]
            self._states[number] = replace(
                self._states[number], load=sum(own), sessions=len(own), fresh=0
            )
        for door in self._doors:
            door.told(self._states)

    def lose(self, number: int) -> list[float]:
        """A node is gone; returns its sessions."""
        del self._states[number]
        lost, self.sessions[number] = self.sessions[number], []
        return lost

    def place(self, cost: float) -> int:
        """A session comes to some door."""
        door = self.rng.choice(self._doors)
        chosen = door.choose(self._states)[0]
        door.placed(chosen)
        self.sessions[chosen].append(cost)
        # A node that opens a session tells all at once; what it costs, not before it is measured.
        state = self._states[chosen]
        self._states[chosen] = replace(state, fresh=state.fresh + 1, sessions=state.sessions + 1)
        for each in self._doors:
            each.told([chosen])
        return chosen

    def row(self, what: str) -> tuple[object, ...]:
        """A row of the table."""
        counts = [len(self.sessions[n]) for n in self._states]
        mean = statistics.fmean(counts)
        return what, len(counts), sum(counts), mean, max(counts), max(counts) / mean

    @property
    def fullest(self) -> float:
        """Load of the most loaded node, of the mean."""
        loads = [sum(self.sessions[n]) for n in self._states]
        return max(loads) / statistics.fmean(loads)


def placements(simulation: Simulation, sessions: int, burst: int, stay: float) -> Iterator[int]:
    """Place sessions, `burst` between two reports; each leaves when `stay` times as many came."""
    leaving: list[tuple[float, int, float]] = []
    for number in range(sessions):
        if number % burst == 0:
            simulation.report()
        while leaving and leaving[0][0] <= number:
            _, node, cost = heapq.heappop(leaving)
            simulation.sessions[node].remove(cost)
        cost = simulation.rng.choice(COSTS)
        node = simulation.place(cost)
        if stay:
            until = number + simulation.rng.expovariate(1 / (stay * sessions))
            heapq.heappush(leaving, (until, node, cost))
        yield node


async def placing(asked: argparse.Namespace, report: Report) -> None:
    """The simulation."""
    table = report.table("Sessions per node", *COLUMNS)
    rng = random.Random(asked.seed)
    burst = max(asked.sessions // asked.reports, 1)
    for what, stay in (("all stay", 0.0), ("they come and go", 0.3)):
        simulation = Simulation(asked.nodes, rng)
        for _ in placements(simulation, asked.sessions, burst, stay):
            pass
        row = simulation.row(what)
        table.add(*row)
        report.check(
            at_most(
                f"{what}: load of the fullest node, of the mean", simulation.fullest, MAX_FULLEST
            )
        )
    simulation = Simulation(asked.nodes, rng)
    for _ in placements(simulation, asked.sessions, burst, 0.0):
        pass
    before = simulation.fullest
    simulation.report()
    lost = simulation.lose(0)
    got: dict[int, int] = {}
    for cost in lost:
        node = simulation.place(cost)
        got[node] = got.get(node, 0) + 1
    table.add(*simulation.row("after one node was lost"))
    report.notes.append(
        f"The {len(lost)} sessions of a lost node came back within one report to {len(got)} others,"
        f" at most {max(got.values())} to one; the fullest node had {before:.3f} of the mean load"
        f" before and {simulation.fullest:.3f} after."
    )


ALL_PARTS = {"placing": placing, **PARTS, "drain": drain.measure}


async def bench(asked: argparse.Namespace, report: Report) -> None:
    """The parts that the command line asks for; one that fails leaves the others."""
    report.settings = [f"Windows of {asked.seconds:g} s, {asked.rounds} rounds where there are any"]
    for name in asked.only:
        report.say(f"== {name}")
        try:
            async with asyncio.timeout(MOST_S[name]):
                await ALL_PARTS[name](asked, report)
        except Failure as error:
            report.failed = True
            report.notes.append(f"{name}: ended early: {str(error) or 'it took too long'}")


def main() -> int:
    parser = parser_for(__doc__)
    parser.add_argument(
        "--only",
        type=_parts,
        default=list(ALL_PARTS),
        metavar="PART,PART",
        help=f"of {', '.join(ALL_PARTS)}",
    )
    parser.add_argument("--nodes", type=int, default=1000, help="placing: how many (1000)")
    parser.add_argument("--sessions", type=int, default=100_000, help="placing: (100000)")
    parser.add_argument(
        "--reports",
        type=int,
        default=100,
        help="placing: how often nodes report until all sessions have come (100)",
    )
    parser.add_argument("--seed", type=int, default=1, help="placing: of what is drawn (1)")
    parser.add_argument(
        "--node-counts",
        type=_numbers,
        default=[1, 2, 4],
        metavar="N,N",
        help="streams: servers of so many nodes (1,2,4)",
    )
    parser.add_argument(
        "--steps", type=_numbers, default=[1, 2, 3], metavar="N,N", help="streams a core (1,2,3)"
    )
    parser.add_argument("--streams", type=int, default=8, help="two, drain: so many (8)")
    parser.add_argument("--rounds", type=int, default=2, help="two: how often each (2)")
    parser.add_argument("--kills", type=int, default=30, help="recovery: (30)")
    parser.add_argument("--offers", type=int, default=60, help="door: (60)")
    parser.add_argument("--seconds", type=float, default=8.0, help="of each window (8)")
    return run("Nodes", parser.parse_args(), bench)


def _parts(text: str) -> list[str]:
    names = text.split(",")
    if unknown := set(names) - set(ALL_PARTS):
        known = ", ".join(ALL_PARTS)
        raise argparse.ArgumentTypeError(f"{', '.join(sorted(unknown))}: there are {known}")
    return names


def _numbers(text: str) -> list[int]:
    return [int(number) for number in text.split(",")]


if __name__ == "__main__":
    sys.exit(main())
