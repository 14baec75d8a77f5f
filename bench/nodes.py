"""Measures where sessions go when there are many nodes, by the placing that the server uses.

Simulated are the nodes and their load; what chooses is `server.cluster.placing`, with one placer at
each of the doors. Sessions come in bursts between the nodes' reports, as after a server was lost,
stay for random times, and cost unequally. Each node reports its measured load once a second.

    bench/nodes.py                        1000 nodes, 100 000 sessions: half a minute
    bench/nodes.py --nodes 4 --sessions 400
    bench/nodes.py --only drain           8 streams move to another node: two minutes
"""

import argparse
import heapq
import random
import statistics
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

if not __package__:  # Run as a file, Python looks for modules beside it.
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

from bench.harness.report import Report, at_most, parser_for, run
from bench.parts import drain
from server.cluster.placing import NodeState, Placer

MAX_FULLEST = 1.15
# Cores that a session keeps busy, from a small picture now and then to many people.
COSTS = (0.15, 0.35, 0.35, 0.35, 0.8)
COLUMNS = ("what", "nodes", "sessions", "mean:.1f", "fullest:.0f", "fullest, of mean:.3f")
DOORS = 20


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
            self._states[number] = replace(self._states[number], load=sum(own), sessions=len(own))
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


async def bench(asked: argparse.Namespace, report: Report) -> None:
    """Everything that the command line asks for."""
    if asked.only == "drain":
        await drain.measure(report, asked.streams, asked.analyzers)
        return
    table = report.table("Sessions per node", *COLUMNS)
    rng = random.Random(asked.seed)
    burst = max(asked.sessions // 100, 1)
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


def main() -> int:
    parser = parser_for(__doc__)
    parser.add_argument("--nodes", type=int, default=1000)
    parser.add_argument("--sessions", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", choices=("placing", "drain"), default="placing")
    parser.add_argument("--streams", type=int, default=drain.STREAMS, help="that move")
    parser.add_argument("--analyzers", default=drain.ANALYZER, help="of those streams")
    return run("Placing", parser.parse_args(), bench)


if __name__ == "__main__":
    sys.exit(main())
