"""Who gets a session that moves, and under which name: asked of the node that has it."""

import asyncio
import contextlib
import json

import pytest
from aiohttp import web

import server.sessions.moves
from analyzers.registry import find
from server.api.context import SESSIONS
from server.api.moving import AMONG_NODES
from server.api.relay import trust_node
from server.app import errors_as_json
from server.cluster.member import Member
from server.cluster.node import Node
from server.cluster.placing import NodeState
from server.cluster.registry_server import RegistryServer
from server.security.identity import Identity
from server.sessions.luggage import Luggage
from server.sessions.manager import Limits, SessionManager
from server.sessions.metrics import Metrics
from server.sessions.moves import LABEL, Moves
from server.sessions.state import SessionState
from server.workers.messages import Final, Memory, Seen
from server.workers.pool import WorkerPool
from signaling.errors import Busy, Conflict, NotAllowed
from signaling.messages import Offer
from tests.support.server import COUNTER

ANN, EVE = (Identity(name, frozenset(), client=name) for name in ("ann", "eve"))
WITHIN_S = 10.0


def make_manager():
    pool = WorkerPool(1, find([COUNTER]))
    return SessionManager(pool, [COUNTER], Limits(4, 60.0), (), Metrics())


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


@contextlib.asynccontextmanager
async def serving(member, routes, sessions=None):
    """What the first node answers to others."""
    app = web.Application(middlewares=[errors_as_json, trust_node])
    if sessions is not None:
        app[SESSIONS] = sessions
    for method, path, answer in routes:
        app.router.add_route(method, path, answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.UnixSite(runner, member.node.socket_of(0)).start()
    yield
    await runner.cleanup()


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


def offer(token, publish=None):
    return Offer(sdp="v=0", resume=token, publish=publish)


async def test_a_session_is_waited_for_under_its_id_and_its_name(drains, moves, managers):
    yard = drains["yard"]
    for _ in range(2):
        expected = await moves.expected(offer(yard.resume_token, "yard"), ANN)
        (session,) = managers[1].known.lasting()
        assert expected.resume == session.resume_token != yard.resume_token
        assert (session.sid, session.name, session.owner) == (yard.sid, "yard", "ann")
    with pytest.raises(NotAllowed):
        await moves.expected(offer(yard.resume_token, "yard"), EVE)


async def test_a_door_hears_first_that_a_node_drains(moves, members, managers):
    yard = managers[0].expect("0" * 16, [COUNTER], ANN, "yard")
    async with asyncio.timeout(WITHIN_S):
        while 0 not in members[1].states:
            await asyncio.sleep(0.01)
    routes = [(each.method, each.path, each.answer) for each in AMONG_NODES]
    async with serving(members[0], routes, managers[0]):
        await moves.expected(offer(yard.resume_token, "yard"), ANN)
    assert [session.sid for session in managers[1].known.lasting()] == [yard.sid]


@pytest.mark.parametrize("own", ["hall", None])
async def test_whoever_moves_takes_nobody_s_name(drains, moves, managers, own):
    """A door lets such an offer through without asking the registry for its name."""
    with pytest.raises(Conflict):
        await moves.expected(offer(drains[own].resume_token, "yard"), ANN)
    assert managers[1].known.lasting() == []
    await moves.expected(offer(drains[own].resume_token, "free"), ANN)
    assert [session.sid for session in managers[1].known.lasting()] == [drains[own].sid]


async def test_a_token_that_is_of_no_session_takes_no_name_either(drains, moves, members):
    made_up = offer(members[0].token_prefix() + "made-up", "yard")
    with pytest.raises(Busy):
        await moves.expected(made_up, EVE)
    free = made_up.model_copy(update={"publish": "free"})
    assert await moves.expected(free, EVE) == free


@pytest.mark.parametrize(
    "told",
    [
        {"kept": {"id": "0" * 16, "name": "yard", "colour": "red"}, "states": ["new"]},
        {"kept": {"name": "yard"}, "states": []},
        {"other": 1},
    ],
)
async def test_what_another_version_says_of_a_session_begins_anew(members, moves, managers, told):
    first, second = members
    first.draining = True
    first.report()
    async with asyncio.timeout(WITHIN_S):
        while not ((known := second.states.get(0)) and known.draining):
            await asyncio.sleep(0.01)

    async def label(request):
        return web.Response(body=json.dumps(told).encode())

    wanted = offer(first.token_prefix() + "x", "yard")
    async with serving(first, [("POST", LABEL, label)]):
        assert await moves.expected(wanted, ANN) == wanted
    assert managers[1].known.lasting() == []


async def test_one_that_came_without_what_was_counted_is_not_waited_for_again(
    drains, moves, managers
):
    """Its old node did not answer in time, and has it still."""
    wanted = offer(drains["yard"].resume_token, "yard")
    await moves.expected(wanted, ANN)
    (session,) = managers[1].known.lasting()
    session.arrive(None, audio=False)
    again = await moves.expected(wanted, ANN)
    assert again.resume == session.resume_token
    assert managers[1].known.lasting() == [session]
    session.on_worker_message(Final(session.sid))


async def test_what_no_worker_has_heard_of_yet_is_taken_along_again(drains, moves, managers):
    """The node where it has just come drains, too, while its worker loads."""
    await moves.expected(offer(drains["yard"].resume_token, "yard"), ANN)
    (session,) = managers[1].known.lasting()
    memory = Memory({COUNTER: b"12"}, {"count": b"12"})
    session.arrive(Luggage(100, 40, 1, 4.0, 0, None, [], memory), audio=False)
    taken = await asyncio.wait_for(managers[1].hand_over(session.resume_token, ANN), WITHIN_S)
    assert (taken.memory, taken.frames) == (memory, 100)


async def test_who_has_seen_every_frame_has_not_missed_those_before_the_move(
    drains, moves, managers
):
    before = drains["yard"]
    before._outgoing.every_frame.take({"vitals": Seen(90, 80, 5.0)})
    await moves.expected(offer(before.resume_token, "yard"), ANN)
    (session,) = managers[1].known.lasting()
    luggage = await managers[0].hand_over(before.resume_token, ANN)
    session.arrive(Luggage.read(luggage.write()), audio=False)
    assert session.every_frame["vitals"]["dropped"] == 10
    session._outgoing.every_frame.take({"vitals": Seen(95, 5, 5.0)})
    assert session.every_frame == {"vitals": {"lag_ms": 5.0, "dropped": 10}}
    session.on_worker_message(Final(session.sid))


async def test_what_was_dropped_before_the_move_is_not_counted_twice(drains, moves, managers):
    await moves.expected(offer(drains["yard"].resume_token, "yard"), ANN)
    (session,) = managers[1].known.lasting()
    session.arrive(Luggage(100, 40, 1, 4.0, 0, None, [], Memory()), audio=False)
    assert session.dropped == 59
    session.on_worker_message(Final(session.sid))
    await session.end("the test ends it")
    assert session.last.dropped == 59
    assert managers[1]._metrics.frames_dropped._value.get() == 0


@pytest.mark.parametrize("is_lost", [True, False])
async def test_who_is_lost_while_the_session_comes_is_waited_for(drains, moves, managers, is_lost):
    await moves.expected(offer(drains["yard"].resume_token, "yard"), ANN)
    (session,) = managers[1].known.lasting()
    session.begin()
    assert session.worker_index is None
    if is_lost:
        session.disconnect()
    session.arrive(None, audio=False)
    assert session.worker_index is not None
    assert session.state is (SessionState.DISCONNECTED if is_lost else SessionState.STREAMING)
    # No worker runs that would say something last.
    session.on_worker_message(Final(session.sid))


class Channel:
    """A peer's, which notes what it is told."""

    forms = frozenset()

    def __init__(self):
        self.told = asyncio.Queue()

    def notice(self, message):
        self.told.put_nowait(message)

    def final(self, result):
        """The test is over."""


async def test_who_comes_back_to_a_node_that_drains_is_told_again(members, managers, monkeypatch):
    """Once on each connection."""
    monkeypatch.setattr(server.sessions.moves, "NEXT_AFTER_S", 0.05)
    session = managers[0].expect("0" * 16, [COUNTER], ANN, None)
    subscribers, channels = session.subscribers, [Channel(), Channel()]
    given_up = asyncio.get_running_loop().create_future()
    subscribers.add_channel(channels[0])
    draining = asyncio.create_task(Moves(members[0], managers[0]).drain(given_up))
    for channel in channels:
        if channel is not subscribers.peer:
            subscribers.remove_sink(subscribers.peer)
            subscribers.add_channel(channel)
        told = await asyncio.wait_for(channel.told.get(), WITHIN_S)
        assert (told["type"], told["resume"]) == ("move", session.resume_token)
    await asyncio.sleep(0.2)
    assert all(channel.told.empty() for channel in channels)
    given_up.set_result(None)
    await asyncio.wait_for(draining, WITHIN_S)
