"""Fixtures of sessions that move."""

import asyncio

import pytest

from server.api.moving import AMONG_NODES
from server.cluster.member import Member
from server.cluster.node import Node
from server.cluster.placing import NodeState
from server.cluster.registry_server import RegistryServer
from server.sessions.moves import Moves
from tests.server.sessions.moving import ANN, WITHIN_S, make_manager, serving
from tests.support.server import COUNTER


@pytest.fixture
async def managers():
    """Of a node that drains, and of the one where its clients offer; without workers."""
    made = [make_manager() for _ in range(2)]
    yield made
    for manager in made:
        await manager.drain("the test is over")


@pytest.fixture
async def members(tmp_path, managers):
    registry = RegistryServer(str(tmp_path / "registry.sock"))
    await registry.start()
    made = []
    for number, manager in enumerate(managers):

        def state(manager=manager):
            lasting = manager.known.lasting()
            return NodeState("", names=tuple(s.name for s in lasting if s.name is not None))

        made.append(Member(Node(number, 2, str(tmp_path), (), (), 0), state))
        manager.identifiers.token_prefix = made[-1].token_prefix()
        await made[-1].start()
    yield made
    for each in made:
        await each.close()
    await registry.close()


@pytest.fixture
async def moves(members, managers):
    """Of the second node."""
    one = Moves(members[1], managers[1])
    yield one
    await one.close()


@pytest.fixture
async def drains(members, managers):
    """The first node has a session of each name, and is about to end."""
    first, second = members
    sessions = {}
    for number, name in enumerate(("yard", "hall", None)):
        sessions[name] = managers[0].expect(f"00{number:014x}", [COUNTER], ANN, name)
    first.draining = True
    first.report()
    async with asyncio.timeout(WITHIN_S):
        while not ((known := second.states.get(0)) and known.draining and len(known.names) == 2):
            await asyncio.sleep(0.01)
    routes = [(each.method, each.path, each.answer) for each in AMONG_NODES]
    async with serving(first, routes, managers[0]):
        yield sessions
