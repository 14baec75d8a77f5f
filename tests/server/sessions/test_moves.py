"""Who gets a session that moves, and under which name: asked of the node that has it."""

import asyncio
import json

import pytest
from aiohttp import web

import server.sessions.moves
from server.api.moving import AMONG_NODES
from server.sessions.luggage import Luggage
from server.sessions.moves import LABEL, LUGGAGE, Moves
from server.sessions.state import SessionState
from server.workers.messages import Final, Memory, Seen
from signaling.errors import Busy, Conflict, NotAllowed
from tests.server.sessions.moving import (
    ANN,
    EVE,
    STEADY,
    WITHIN_S,
    Channel,
    know_each_other,
    make_manager,
    offer,
    serving,
)
from tests.support.server import COUNTER


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


async def bring(moves, session, wanted):
    """Have a session come, and wait until it has."""
    moves._bring_soon(session, 0, wanted, ANN, False)
    await asyncio.wait_for(moves._tasks.join(), WITHIN_S)


@pytest.mark.parametrize(
    "notes", [[{"text": "n" * 100_000}], [{"received_at": 1, "surveyResult": [2]}]]
)
async def test_what_can_not_be_taken_over_has_the_session_begin_anew(
    members, moves, managers, notes
):
    """It has a worker all the same, and its client is told."""
    await know_each_other(members)
    yard = managers[0].expect("0" * 16, [COUNTER], ANN, "yard")
    label = next(each.answer for each in AMONG_NODES if each.path == LABEL)

    async def luggage(_):
        memory = Memory({COUNTER: b"12"})
        return web.Response(body=Luggage(100, 40, 1, 4.0, 0, None, notes, memory).write())

    wanted = offer(yard.resume_token, "yard")
    routes = [("POST", LABEL, label), ("POST", LUGGAGE, luggage)]
    async with serving(members[0], routes, managers[0]):
        await moves.expected(wanted, ANN)
        (session,) = managers[1].known.lasting()
        channel = Channel()
        session.subscribers.add_channel(channel)
        session.begin()
        await bring(moves, session, wanted)
    assert session.worker_index is not None
    fits = len(str(notes)) < 1000
    assert len(session.notes.kept) == fits
    assert [told["type"] for told in channel.all()] == [] if fits else ["analyzers_restarted"]
    session.on_worker_message(Final(session.sid))


async def test_a_training_that_can_not_be_read_costs_nothing_of_what_was_counted(
    members, moves, managers
):
    """Its node is of another version."""
    await know_each_other(members)
    yard = managers[0].expect("0" * 16, [COUNTER], ANN, "yard")
    label = next(each.answer for each in AMONG_NODES if each.path == LABEL)

    async def luggage(_):
        memory = Memory({COUNTER: b"12"})
        training = {"uid": 3}
        kept = Luggage(100, 40, 1, 4.0, 0, None, [], memory, training=training)
        return web.Response(body=kept.write())

    def refuse(_, training):
        raise ValueError(f"no training: {training}")

    moves.take_training = refuse
    wanted = offer(yard.resume_token, "yard")
    routes = [("POST", LABEL, label), ("POST", LUGGAGE, luggage)]
    async with serving(members[0], routes, managers[0]):
        await moves.expected(wanted, ANN)
        (session,) = managers[1].known.lasting()
        session.begin()
        await bring(moves, session, wanted)
    assert session.worker_index is not None
    assert session.frames_in == 100
    session.on_worker_message(Final(session.sid))


async def test_an_analyzer_that_is_not_at_the_new_node_is_left_out(members, tmp_path):
    """As for a while when servers are rolled out with another one."""
    both, one = make_manager(COUNTER, STEADY), make_manager()
    options = {COUNTER: {"a": 1}, STEADY: {"b": 2}}
    before = both.expect("0" * 16, [COUNTER, STEADY], ANN, "yard")
    before.options.update(options)
    before.resume_token = members[0].token_prefix() + "secret"
    await know_each_other(members)
    arriving = Moves(members[1], one)
    routes = [(each.method, each.path, each.answer) for each in AMONG_NODES]
    async with serving(members[0], routes, both):
        await arriving.expected(offer(before.resume_token, "yard"), ANN)
    (session,) = one.known.lasting()
    assert (session.sid, session.analyzers) == (before.sid, (COUNTER,))
    assert session.options == {COUNTER: {"a": 1}}
    channel = Channel()
    session.subscribers.add_channel(channel)
    (told,) = channel.all()
    assert (told["type"], told["analyzer"]) == ("analyzer_error", STEADY)
    assert "left out" in told["message"]
    await arriving.close()
    for manager in (both, one):
        await manager.drain("the test is over")


async def test_one_whose_analyzers_are_all_gone_begins_anew(members):
    """Its offer asks for what it asks for, and that may run."""
    other, one = make_manager(STEADY), make_manager()
    before = other.expect("0" * 16, [STEADY], ANN, "yard")
    before.resume_token = members[0].token_prefix() + "secret"
    await know_each_other(members)
    arriving = Moves(members[1], one)
    routes = [(each.method, each.path, each.answer) for each in AMONG_NODES]
    wanted = offer(before.resume_token, "yard")
    async with serving(members[0], routes, other):
        assert await arriving.expected(wanted, ANN) == wanted
    assert one.known.lasting() == []
    await arriving.close()
    for manager in (other, one):
        await manager.drain("the test is over")


async def test_while_its_node_is_late_nobody_begins_anew(drains, members, moves, monkeypatch):
    """Whoever tries again finds the session."""
    monkeypatch.setattr(server.sessions.moves, "LABEL_WITHIN_S", 0.0001)
    wanted = offer(drains["yard"].resume_token, "yard")
    with pytest.raises(Busy):
        await moves.expected(wanted, ANN)
    monkeypatch.undo()
    assert (await moves.expected(wanted, ANN)).resume != wanted.resume
    # Of a node that is gone there is nothing to wait for.
    await members[0].close()
    async with asyncio.timeout(WITHIN_S):
        while 0 in members[1].states:
            await asyncio.sleep(0.01)
    again = offer(drains["hall"].resume_token)
    assert await moves.expected(again, ANN) == again
