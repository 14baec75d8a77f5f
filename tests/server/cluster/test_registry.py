"""What nodes agree on, and that it is told over the real socket."""

import asyncio
import contextlib

import pytest

from server.cluster import member
from server.cluster.member import Member
from server.cluster.node import Node, number_of, this_node
from server.cluster.placing import NodeState
from server.cluster.registry import GIVEN_S, MAX_GIVEN, Registry
from server.cluster.registry_server import RegistryServer
from signaling.errors import Busy

WITHIN_S = 60.0


class Clock:
    now_s = 0.0

    def __call__(self):
        return self.now_s


def test_a_name_has_one_node_until_that_gives_it_up():
    clock = Clock()
    registry = Registry(clock)
    registry.report(0, NodeState("a"))
    registry.report(1, NodeState("b"))
    assert registry.give("yard", 0) == 0
    assert registry.give("yard", 1) == 0
    registry.report(0, NodeState("a", names=("yard",)))
    clock.now_s += 10 * GIVEN_S
    assert registry.give("yard", 1) == 0
    registry.report(0, NodeState("a"))
    clock.now_s += 10 * GIVEN_S
    assert registry.give("yard", 1) == 1


@pytest.mark.parametrize(("here", "there"), [(0, 1), (1, 0)])
def test_a_name_whose_session_moves_is_where_that_still_is(here, there):
    """Where it is awaited there is nothing to see, and it may never come."""
    registry = Registry(Clock())
    awaited = NodeState("b", names=("yard",), awaited=("yard",))
    for number in (0, 1):
        registry.report(number, NodeState("a", names=("yard",)) if number == here else awaited)
    assert registry.holder("yard") == here
    registry.report(here, NodeState("a"))
    assert registry.holder("yard") == there
    assert registry.give("yard", here) == there


def test_a_name_that_was_given_and_not_used_is_free_again():
    clock = Clock()
    registry = Registry(clock)
    for number in (0, 1):
        registry.report(number, NodeState("a"))
    registry.give("yard", 0)
    clock.now_s += GIVEN_S + 1
    assert registry.holder("yard") is None
    assert registry.give("yard", 1) == 1


def test_the_names_of_a_node_that_is_gone_are_free_at_once():
    registry = Registry()
    registry.report(0, NodeState("a", names=("yard",)))
    registry.report(1, NodeState("b"))
    registry.give("door", 0)
    registry.leave(0)
    assert registry.give("yard", 1) == 1
    assert registry.give("door", 1) == 1
    assert list(registry.states) == [1]


def test_what_was_given_is_forgotten():
    clock = Clock()
    registry = Registry(clock)
    registry.report(0, NodeState("a"))
    for number in range(1000):
        registry.give(f"name{number}", 0)
    clock.now_s += GIVEN_S + 1
    registry.table()
    assert not registry._given


def test_a_node_without_room_keeps_a_name_only_if_it_uses_it():
    registry = Registry()
    for number in (0, 1):
        registry.report(number, NodeState("a"))
    registry.give("yard", 0)
    assert registry.give("yard", 1) == 0
    assert registry.give("yard", 1, full=[0]) == 1
    registry.report(1, NodeState("b", names=("yard",)))
    assert registry.give("yard", 0, full=[1]) == 1


def test_to_ask_for_a_name_again_and_again_does_not_keep_it():
    clock = Clock()
    registry = Registry(clock)
    for number in (0, 1):
        registry.report(number, NodeState("a"))
    registry.give("yard", 0)
    clock.now_s += GIVEN_S - 1
    assert registry.give("yard", 1) == 0
    clock.now_s += 2
    assert registry.give("yard", 1) == 1


def test_names_that_nobody_uses_do_not_fill_the_memory():
    registry = Registry()
    registry.report(0, NodeState("a"))
    for number in range(MAX_GIVEN + 10):
        registry.give(f"name{number}", 0)
    assert len(registry._given) == MAX_GIVEN
    assert registry.holder("name0") is None
    assert registry.holder(f"name{MAX_GIVEN + 9}") == 0


def test_of_nodes_that_are_to_drain_one_always_takes_sessions():
    registry = Registry()
    for number in range(3):
        registry.report(number, NodeState("a"))
    assert [registry.let_drain(number) for number in (0, 0, 1, 2)] == [True, True, True, False]
    # One that says late that it drains is not asked twice.
    registry.report(0, NodeState("a", draining=True))
    assert not registry.let_drain(2)
    registry.leave(0)
    assert not registry.let_drain(2)
    registry.report(0, NodeState("b", ready=False))
    assert not registry.let_drain(2)
    registry.report(0, NodeState("b"))
    assert registry.let_drain(2)


def test_one_that_was_started_again_before_its_end_was_heard_of_takes_sessions():
    registry = Registry()
    for number in range(2):
        registry.report(number, NodeState("a"))
    assert registry.let_drain(0)
    assert not registry.let_drain(1)
    registry.report(0, NodeState("b"))
    assert registry.let_drain(1)


@pytest.fixture
async def server(tmp_path):
    one = RegistryServer(str(tmp_path / "registry.sock"))
    await one.start()
    yield one
    await one.close()


@pytest.fixture
async def members(tmp_path, server):
    made = []
    for number in range(3):
        node = Node(number, 3, str(tmp_path), (), (), 0)
        state = NodeState("", load=number, names=(f"of{number}",))
        made.append(Member(node, lambda state=state: state))
        await made[-1].start()
    await until(lambda: all(len(each.states) == 3 for each in made))
    yield made
    for each in made:
        await each.close()


async def until(condition):
    async with asyncio.timeout(WITHIN_S):
        while not condition():
            await asyncio.sleep(0.01)


async def test_each_node_knows_the_others_and_what_they_have(members):
    for each in members:
        assert [await each.holder(f"of{number}") for number in range(3)] == [0, 1, 2]
        assert {link.number for link in each.others} == {0, 1, 2} - {each.node.number}
    assert await members[1].give("of2", 1) == 2
    assert await members[1].give("new", 1) == 1
    assert await members[0].give("new", 0) == 1
    # Before that node has said so itself.
    assert await members[2].holder("new") == 1
    assert await members[2].holder("nobody's") is None


async def test_a_resume_token_tells_its_node_as_long_as_that_runs(members):
    token = members[2].token_prefix() + "secret"
    assert members[0].of_token(token) == 2
    assert members[2].of_token(token) == 2
    for other in (None, "", "02", "02..secret", "zz.0.s", "02.00000000.secret", "a" * 40):
        assert members[0].of_token(other) is None


async def test_a_node_that_is_gone_is_known_at_once(members):
    await members[2].close()
    await until(lambda: all(len(each.states) == 2 for each in members[:2]))
    assert await members[0].holder("of2") is None


async def test_one_that_stands_still_gets_no_more_sessions(members, monkeypatch):
    await until(lambda: len(members[0].lively) == 3)
    # Its connection is there, and nothing comes.
    monkeypatch.setattr(members[2], "_say", lambda _: None)
    monkeypatch.setattr(member, "STALE_S", 1.5)
    await until(lambda: set(members[0].lively) == {0, 1})
    assert len(members[0].states) == 3
    monkeypatch.undo()
    await until(lambda: len(members[0].lively) == 3)


async def test_many_nodes_with_long_names_are_told_of(tmp_path, server):
    """One line has all of them: of more than one node may say."""
    names = tuple(f"{number:0128}" for number in range(1000))
    for number in range(1, 13):
        server.registry.report(number, NodeState("other", names=names))
    node = Node(0, 13, str(tmp_path), (), (), 0)
    one = Member(node, lambda: NodeState(""))
    await one.start()
    try:
        await until(lambda: len(one.states) == 13)
        assert await one.holder(names[-1]) == 1
    finally:
        await one.close()


async def test_when_the_registry_is_lost_nodes_go_on_and_come_back(tmp_path, server, members):
    await server.close()
    await until(lambda: all(each._writer is None for each in members))
    assert len(members[0].states) == 3
    with pytest.raises(Busy):
        await members[0].give("yard", 0)
    again = RegistryServer(str(tmp_path / "registry.sock"))
    await again.start()
    try:
        await until(lambda: len(again.registry.states) == 3)
        assert await members[0].give("yard", 0) == 0
        assert await members[1].give("of2", 1) == 2
    finally:
        await again.close()


async def test_for_a_registry_that_stands_still_only_so_much_waits(tmp_path, server, members):
    transport = members[0]._writer.transport
    server._writers[0].transport.pause_reading()
    asked = [members[0].give(f"{number}" + "x" * 10_000, 0) for number in range(400)]
    answers = await asyncio.wait_for(asyncio.gather(*asked, return_exceptions=True), WITHIN_S)
    assert any(isinstance(each, Busy) for each in answers)
    assert transport.get_write_buffer_size() < member.MAX_WAITING_BYTES + 20_000


async def test_a_registry_that_is_not_understood_is_asked_again(tmp_path):
    """A parent that is older than its nodes: they serve on."""
    asked = []

    async def answer(reader, writer):
        asked.append(await reader.readline())
        writer.write(b'{"nodes": {"0": {"nonsense": 1}}, "news_of": 0}\n')
        await reader.read()
        writer.close()

    async with await asyncio.start_unix_server(answer, str(tmp_path / "registry.sock")):
        one = Member(Node(0, 2, str(tmp_path), (), (), 0), lambda: NodeState(""))
        await one.start()
        await until(lambda: len(asked) >= 2)
        await one.close()


async def test_a_node_may_leave_while_it_hangs_up(tmp_path, server, monkeypatch):
    """Its reports are being ended at that moment, and it would have begun anew instead."""
    one = Member(Node(0, 2, str(tmp_path), (), (), 0), lambda: NodeState(""))
    leaving = asyncio.get_running_loop().create_future()

    def not_understood(told):
        leaving.set_result(asyncio.create_task(one.close()))
        raise TypeError

    monkeypatch.setattr(one, "_take", not_understood)
    await one.start()
    closing = await asyncio.wait_for(leaving, WITHIN_S)
    has_left, _ = await asyncio.wait([closing], timeout=WITHIN_S)
    assert has_left


async def test_what_is_no_message_ends_one_connection_and_nothing_else(tmp_path, server, members):
    for line in (b"nonsense\n", b"{}\n", b'{"node": "x"}\n', b"x" * 3_000_000):
        reader, writer = await asyncio.open_unix_connection(str(tmp_path / "registry.sock"))
        writer.write(line)
        # It hangs up, and does not read the rest.
        with contextlib.suppress(ConnectionError):
            await asyncio.wait_for(reader.read(), WITHIN_S)
        assert reader.at_eof() or reader.exception()
        writer.close()
    assert await members[0].give("yard", 0) == 0


def test_identifiers_tell_their_node():
    assert number_of("0a0123456789abcd") == 10
    assert number_of("zz") is None
    assert number_of("") is None


def test_parts_add_up():
    for whole in (1, 7, 16):
        parts = [Node(n, 3, "", (), (), 0).share(whole) for n in range(3)]
        assert sum(parts) == whole
        assert max(parts) - min(parts) <= 1


def test_a_node_is_told_which_one_it_is(monkeypatch):
    node = Node(1, 3, "/somewhere", (4,), (5, 6), 7)
    monkeypatch.setenv("KINECAST_NODE", node.write())
    assert this_node() == node
    monkeypatch.delenv("KINECAST_NODE")
    assert this_node() is None


async def test_a_node_that_could_not_say_how_it_does_says_it_again(tmp_path, server, monkeypatch):
    """Whatever it was: it would be taken for one that stands still, for ever."""
    monkeypatch.setattr(member, "REPORT_EVERY_S", 0.05)
    wrong = iter([KeyError("worker"), RuntimeError("meter")])
    told = asyncio.Event()

    def lasting(_):
        if (error := next(wrong, None)) is not None:
            raise error
        told.set()
        return {}

    one = Member(Node(5, 8, str(tmp_path), (), (), 0), lambda: NodeState(""))
    one.lasting = lasting
    await one.start()
    await asyncio.wait_for(told.wait(), WITHIN_S)
    assert one.is_registered
    await one.close()
