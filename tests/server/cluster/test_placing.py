"""Where sessions go: with the real placing, and loads that are made up."""

import os
import random
import time
from dataclasses import replace

from server.cluster.load import LoadMeter
from server.cluster.placing import TRIES, NodeState, Placer


def states(*loads, room=100):
    return {n: NodeState("x", load=load, room=room) for n, load in enumerate(loads)}


def test_the_less_loaded_of_two_is_first():
    assert Placer(random.Random(1)).choose(states(3.0, 0.5))[0] == 1


def test_nodes_with_more_than_the_mean_are_left_alone_while_there_are_others():
    """Of two that are drawn, both have more in half of the cases."""
    nodes = states(*[1.0] * 30, *[2.0] * 70)
    placer = Placer(random.Random(1))
    busy = [placer.choose(nodes)[0] >= 30 for _ in range(1000)]
    # 0.7 to the twelfth.
    assert 0 < sum(busy) <= 30
    # Where all have the same, none is left out.
    chosen = {placer.choose(states(*[1.0] * 5))[0] for _ in range(200)}
    assert chosen == set(range(5))


def test_those_that_are_full_are_asked_only_when_all_are():
    nodes = states(0.1, 5.0, 0.1)
    nodes[0], nodes[2] = replace(nodes[0], room=0), replace(nodes[2], room=0)
    assert Placer(random.Random(1)).choose(nodes) == [1]
    assert sorted(Placer(random.Random(1)).choose(states(1, 2, 3, room=0))) == [0, 1, 2]


def test_no_more_than_three_are_asked_and_none_twice():
    chosen = Placer(random.Random(1)).choose(states(*range(20)))
    assert len(set(chosen)) == len(chosen) == TRIES


def test_a_burst_within_one_report_is_spread():
    """Nothing new is heard between the placements: all say that they are idle."""
    placer, nodes, count = Placer(random.Random(1)), states(*[0.0] * 4), dict.fromkeys(range(4), 0)
    for _ in range(100):
        number = placer.choose(nodes)[0]
        placer.placed(number)
        count[number] += 1
    assert max(count.values()) <= 1.15 * 25


def test_sessions_that_came_after_the_measuring_count_as_well():
    """Ten came at once: the node has said so, and its load does not show it yet."""
    nodes = states(0.2, 0.6)
    nodes[0] = replace(nodes[0], sessions=10, fresh=10)
    assert Placer(random.Random(1)).choose(nodes)[0] == 1


def test_a_session_costs_what_those_cost_that_are_there():
    placer = Placer(random.Random(1))
    placer.placed(0)
    nodes = {n: replace(state, sessions=10) for n, state in states(1.0, 1.15).items()}
    # A tenth of a core each, and one more.
    assert placer.choose(nodes)[0] == 0
    placer.told([1])
    nodes = {n: replace(state, sessions=2) for n, state in states(1.0, 1.15).items()}
    assert placer.choose(nodes)[0] == 1


def test_the_meter_knows_what_it_measured_with():
    meter, until_s = LoadMeter(), time.monotonic() + 30
    assert meter.measure([os.getpid()], 3) == 0.0
    while meter.measure([os.getpid()], 3) == 0.0:
        assert time.monotonic() < until_s
    # The second look was the first that had something to compare with.
    assert meter.measured_with == 3
    assert 0 < meter.measure([os.getpid(), 2**22 + 1], 5) < 4


def test_what_a_report_has_in_it_is_not_counted_twice():
    placer = Placer(random.Random(1))
    for _ in range(3):
        placer.placed(0)
    assert placer.choose(states(0.0, 0.5))[0] == 1
    placer.told([0])
    assert placer.choose(states(0.0, 0.5))[0] == 0
