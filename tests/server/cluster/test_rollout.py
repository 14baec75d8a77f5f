"""Whether a node may drain, and what whoever asked is told."""

import asyncio

import pytest

from server.cluster.placing import NodeState
from server.cluster.registry_server import CommandRefused
from server.cluster.rollout import Rollout


@pytest.fixture
def states():
    return {n: NodeState(f"first {n}", sessions=n) for n in range(3)}


@pytest.fixture
def terminated():
    return []


@pytest.fixture
def rollout(states, terminated):
    one = Rollout(lambda number: terminated.append(number) or True)
    one.count, one.states = 3, lambda: states
    return one


def command(node, stop=False):
    return {"command": "drain", "node": node, "stop": stop}


async def refused(rollout, node):
    with pytest.raises(CommandRefused) as refusal:
        await anext(rollout.command(command(node)))
    return str(refusal.value)


async def test_a_node_drains_and_another_one_comes(rollout, states, terminated):
    said = rollout.command(command("02"))
    assert await anext(said) == "Node 02 drains: 2 sessions go to other nodes"
    assert terminated == [2]
    ended = asyncio.create_task(anext(said))
    await asyncio.sleep(0)
    del states[2]
    assert rollout.has_ended(2)
    assert await ended == "Node 02 has ended; another one is started in its place"
    back = asyncio.create_task(anext(said))
    await asyncio.sleep(0)
    # Without a worker it takes no sessions.
    states[2] = NodeState("second", ready=False)
    rollout.heard(2)
    await asyncio.sleep(0)
    assert not back.done()
    # Whoever asks now would take the place of who waits.
    assert await refused(rollout, "02") == "node 02 has drained: its successor is starting"
    states[2] = NodeState("second")
    rollout.heard(2)
    assert await back == "Node 02 takes sessions again"
    with pytest.raises(StopAsyncIteration):
        await anext(said)
    assert not rollout.stays_off(2)


async def test_a_node_that_ended_by_itself_was_not_asked_to(rollout):
    assert not rollout.has_ended(1)


async def test_what_can_not_be_done_is_one_sentence(rollout, states, terminated):
    for node in ("03", "ff", "0", "000", "x1", ""):
        assert await refused(rollout, node) == f"there is no node {node!r}: there are 00, 01, 02"
    states[0] = NodeState("first 0", draining=True)
    draining = rollout.command(command("01"))
    await anext(draining)
    assert await refused(rollout, "01") == "node 01 drains already"
    assert (await refused(rollout, "02")).startswith("node 02 is the last one that takes sessions")
    states[0] = NodeState("first 0", ready=False)
    assert (await refused(rollout, "02")).startswith("node 02 is the last one that takes sessions")
    del states[2]
    assert await refused(rollout, "02") == "node 02 does not run: it is being started"
    assert terminated == [1]
    await draining.aclose()


async def test_a_node_without_a_process_drains_when_it_has_one(states):
    rollout = Rollout(lambda _: False)
    rollout.count, rollout.states = 3, lambda: states
    for _ in range(2):
        assert await refused(rollout, "01") == "node 01 does not run: it is being started"


async def test_a_node_that_is_to_stay_off(rollout, states):
    said = rollout.command(command("01", stop=True))
    await anext(said)
    ended = asyncio.create_task(anext(said))
    await asyncio.sleep(0)
    del states[1]
    assert rollout.has_ended(1)
    assert rollout.stays_off(1)
    assert (await ended).endswith("stays off until the server is restarted")
    assert await refused(rollout, "01") == "node 01 is off"
