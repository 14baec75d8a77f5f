"""Limits that are the whole server's, at two nodes of it: without workers, and without HTTP."""

import asyncio
import contextlib
from types import SimpleNamespace

import pytest

from server.api import joining
from server.api.context import CLUSTER, RECORDINGS, SESSIONS
from server.app import build
from server.cluster.node import Node
from server.cluster.registry_server import RegistryServer
from server.config import parse_settings
from server.http.limits import LIMITS
from server.security.identity import Identity, Scope
from server.workers.messages import Final
from server.workers.pool import WorkerPool
from signaling.errors import Busy, SignalingError, TooMany
from signaling.messages import Offer
from tests.support.server import COUNTER

WITHIN_S = 60.0
NODES, LIMIT, ADDRESS = 2, 4, "192.0.2.1"
FLAGS = ("--analyzers", COUNTER, "--nodes", str(NODES), "--no-camera-enabled")
ANN = Identity("ann", frozenset(Scope), client="ann")


@pytest.fixture
async def registry(tmp_path):
    one = RegistryServer(str(tmp_path / "registry.sock"), expensive_per_minute=3)
    await one.start()
    yield one
    await one.close()


@pytest.fixture
async def nodes(tmp_path, registry, monkeypatch):
    """Main applications, whose members know of each other."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    more = ("--sessions-per-subject", "2", "--expensive-per-minute", "3", "--max-recordings", "1")
    more += ("--connections-per-address", str(LIMIT))
    settings = parse_settings([*FLAGS, *more, "--recordings", str(tmp_path)])
    apps, members = [], []
    for number in range(NODES):
        node = Node(number, NODES, str(tmp_path), (), (), 0)
        own = joining.settings_of(node, settings)
        main, next_port = build(own, WorkerPool(1, own.analyzers), node)
        apps.append(main)
        members.append(joining.set_up(main, next_port, node))
        await members[-1].start()
    await until(lambda: all(len(each.states) == NODES for each in members))
    yield apps
    for app, member in zip(apps, members, strict=True):
        # Without a worker none of them ever gets a final result.
        await app[SESSIONS]._lifetimes._tasks.cancel()
        await member.close()


async def until(condition):
    async with asyncio.timeout(WITHIN_S):
        while not condition():
            await asyncio.sleep(0.01)


async def test_a_subject_gets_its_share_of_all_nodes_together(nodes):
    here, there = (app[SESSIONS] for app in nodes)
    here.open_direct(None, owner="ann")
    await until(lambda: there.places.elsewhere("ann") == 1)
    second = there.open_direct(None, owner="ann")
    await until(lambda: here.places.elsewhere("ann") == 1)
    for manager in (here, there):
        with pytest.raises(TooMany, match="one token's subject gets 2 sessions"):
            manager.open_direct(None, owner="ann")
    here.open_direct(None, owner="bob")
    # One that waits for its peer to come back is given up for another, and does not count.
    second.disconnect()
    await until(lambda: here.places.elsewhere("ann") == 0)
    here.open_direct(None, owner="ann")


async def test_half_of_all_sessions_is_the_whole_servers_half():
    settings = parse_settings([*FLAGS, "--max-sessions", "8"])
    for number in range(NODES):
        own = joining.settings_of(Node(number, NODES, "", (), (), 0), settings)
        assert (own.max_sessions, own.sessions_per_subject) == (4, 4)


async def test_the_others_hear_of_a_session_before_its_offer_is_answered(nodes):
    manager, told = nodes[0][SESSIONS], []
    report = manager.on_opening
    manager.on_opening = lambda: (report(), told.extend(each.name for each in manager.known))
    with pytest.raises(SignalingError):
        await manager.open(Offer(sdp="nonsense", publish="yard"), ANN)
    assert told == ["yard"]


async def test_expensive_requests_are_counted_together(nodes, registry):
    charge = [app[LIMITS].charge_expensive for app in nodes]
    for number in (0, 1, 0):
        await charge[number]("ann")
    for each in charge:
        with pytest.raises(TooMany, match="one client gets 3 of these a minute") as refusal:
            await each("ann")
        assert 1 <= refusal.value.retry_after_s <= 61
    await charge[1]("bob")
    # Without a registry each node counts for itself.
    await registry.close()
    for _ in range(3):
        await charge[0]("ann")
    with pytest.raises(TooMany):
        await charge[0]("ann")


async def test_recordings_of_all_nodes_are_as_many_as_one_server_has(nodes):
    here, there = (app[RECORDINGS] for app in nodes)
    there._running["film"] = None
    await until(lambda: here.elsewhere() == 1)
    with pytest.raises(Busy, match="--max-recordings"):
        await here.start("yard", lambda: None, None, 1.0)
    there._running.clear()


async def test_connections_of_an_address_are_counted_together(nodes):
    """Those that last: each second every node says which it had a second ago, too."""

    def asked(app):
        return app[LIMITS].serving(SimpleNamespace(remote=ADDRESS))

    here, there = nodes
    with contextlib.ExitStack() as stack:
        for _ in range(LIMIT - 1):
            stack.enter_context(asked(here))
        await until(lambda: there[LIMITS].elsewhere(ADDRESS) == LIMIT - 1)
        stack.enter_context(asked(there))
        await until(lambda: here[LIMITS].elsewhere(ADDRESS) == 1)
        for app in nodes:
            with pytest.raises(TooMany, match="are open already"):
                stack.enter_context(asked(app))
    await until(lambda: not any(app[LIMITS].elsewhere(ADDRESS) for app in nodes))
    with asked(there):
        pass


async def test_a_session_that_has_moved_is_looked_at_where_it_has_ended(nodes):
    """Its id says where it began."""
    here, there = nodes
    session = there[SESSIONS].expect(f"00{1:014x}", [], ANN, None)
    session.on_worker_message(Final(session.sid))
    member = here[CLUSTER]
    await until(lambda: member.of_session(session.sid) == 1)
    await there[SESSIONS].end(session.sid, "the test ends it")
    await until(lambda: member.states[1].sessions == 0)
    assert member.of_session(session.sid) == 1
    # What has gone on elsewhere is not here any more.
    gone = there[SESSIONS].expect(f"00{2:014x}", [], ANN, None)
    await until(lambda: member.of_session(gone.sid) == 1)
    await there[SESSIONS].hand_over(gone.resume_token, ANN)
    await until(lambda: member.states[1].sessions == 0)
    assert member.of_session(gone.sid) == 0
