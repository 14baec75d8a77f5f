"""A node sends its sessions away: when, whereto, and what it does first."""

import asyncio

import server.sessions.moves
from server.cluster.member import Member
from server.cluster.node import Node
from server.cluster.placing import NodeState
from server.sessions.moves import Moves
from server.workers.messages import Final
from tests.server.sessions.moving import (
    ANN,
    WITHIN_S,
    Channel,
    know_each_other,
    offer,
)
from tests.support.server import COUNTER


async def test_who_comes_back_to_a_node_that_drains_is_told_again(members, managers, monkeypatch):
    """Once on each connection."""
    monkeypatch.setattr(server.sessions.moves, "NEXT_AFTER_S", 0.05)
    await know_each_other(members)
    session = managers[0].expect("0" * 16, [COUNTER], ANN, None)
    subscribers, channels = session.subscribers, [Channel(), Channel()]
    given_up = asyncio.get_running_loop().create_future()
    subscribers.add_channel(channels[0])
    begun = asyncio.Event()

    async def begin():
        begun.set()

    draining = asyncio.create_task(Moves(members[0], managers[0]).drain(given_up, begin))
    for channel in channels:
        if channel is not subscribers.peer:
            subscribers.remove_sink(subscribers.peer)
            subscribers.add_channel(channel)
        told = await asyncio.wait_for(channel.told.get(), WITHIN_S)
        assert (told["type"], told["resume"]) == ("move", session.resume_token)
    assert begun.is_set()
    await asyncio.sleep(0.2)
    assert all(channel.told.empty() for channel in channels)
    given_up.set_result(None)
    await asyncio.wait_for(draining, WITHIN_S)


class SlowRecorder:
    """Is closed when the test lets it be."""

    def __init__(self):
        self.closes, self.may_close = asyncio.Event(), asyncio.Event()
        self.summary = None

    async def close(self, summary):
        self.closes.set()
        await self.may_close.wait()
        self.summary = summary


async def test_what_was_counted_goes_before_the_recording_is_closed(managers):
    """Files may take seconds; and the process does not end before they are there."""
    manager = managers[0]
    session = manager.expect("0" * 16, [COUNTER], ANN, "yard")
    session.intake.recorder = recorder = SlowRecorder()
    luggage = await asyncio.wait_for(manager.hand_over(session.resume_token, ANN), WITHIN_S)
    assert luggage.memory is not None
    assert session.ended.is_set()
    await asyncio.wait_for(recorder.closes.wait(), WITHIN_S)
    ending = asyncio.create_task(manager.drain("the test is over"))
    await asyncio.wait({ending}, timeout=0.2)
    assert not ending.done()
    recorder.may_close.set()
    await asyncio.wait_for(ending, WITHIN_S)
    assert recorder.summary["end_reason"] == "it goes on at another node"


async def test_of_two_that_are_to_drain_at_once_one_waits_for_the_other(
    members, managers, tmp_path
):
    """Neither ends with the other one as the only way out."""
    await know_each_other(members)
    given_up = asyncio.get_running_loop().create_future()
    begun = asyncio.Queue()

    async def drain(number):
        async def begin():
            begun.put_nowait(number)

        await Moves(members[number], managers[number]).drain(given_up, begin)

    for number, manager in enumerate(managers):
        manager.expect(f"{number}" * 16, [COUNTER], ANN, None)
    draining = [asyncio.create_task(drain(number)) for number in (0, 1)]
    first = await asyncio.wait_for(begun.get(), WITHIN_S)
    waiting = members[1 - first]
    await asyncio.wait(draining, timeout=1.5)
    assert begun.empty()
    assert members[first].draining
    assert not waiting.draining
    # The first one has ended, and its successor is there.
    await members[first].close()
    successor = Member(Node(first, 2, str(tmp_path), (), (), 0), lambda: NodeState(""))
    await successor.start()
    assert await asyncio.wait_for(begun.get(), WITHIN_S) == 1 - first
    assert waiting.draining
    given_up.set_result(None)
    await asyncio.wait_for(asyncio.gather(*draining), WITHIN_S)
    await successor.close()


async def test_the_last_node_does_not_wait_to_drain(tmp_path, managers):
    """No other one was there: its sessions end, as those of a server of one process."""
    alone = Member(Node(0, 2, str(tmp_path), (), (), 0), lambda: NodeState(""))
    given_up = asyncio.get_running_loop().create_future()

    async def begin():
        raise AssertionError("there is nowhere to go")

    await asyncio.wait_for(Moves(alone, managers[0]).drain(given_up, begin), WITHIN_S)
    assert not alone.draining


async def test_one_that_comes_while_its_node_drains_is_waited_for_and_sent_on(
    drains, members, moves, managers, monkeypatch
):
    """Its client has the token of this node already: it would begin anew elsewhere."""
    monkeypatch.setattr(server.sessions.moves, "NEXT_AFTER_S", 0.05)
    await moves.expected(offer(drains["yard"].resume_token, "yard"), ANN)
    (session,) = managers[1].known.lasting()
    session.begin()
    members[0].draining = False
    members[0].report()
    async with asyncio.timeout(WITHIN_S):
        while members[1].states[0].draining:
            await asyncio.sleep(0.01)
    given_up = asyncio.get_running_loop().create_future()
    begun = asyncio.Event()

    async def begin():
        begun.set()

    draining = asyncio.create_task(moves.drain(given_up, begin))
    await asyncio.wait_for(begun.wait(), WITHIN_S)
    await asyncio.wait({draining}, timeout=0.3)
    assert not draining.done()
    channel = Channel()
    session.subscribers.add_channel(channel)
    session.arrive(None, audio=False)
    async with asyncio.timeout(WITHIN_S):
        while (told := await channel.told.get())["type"] != "move":
            pass
    assert told["resume"] == session.resume_token
    given_up.set_result(None)
    await asyncio.wait_for(draining, WITHIN_S)
    session.on_worker_message(Final(session.sid))
