"""A node's end of the registry: says how it does, hears of the others, and asks for names."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import logging
import secrets
import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import asdict, replace
from typing import Any

from server.backoff import Backoff
from server.cluster.link import Link
from server.cluster.network import Network, UnixNetwork
from server.cluster.node import Node, number_of
from server.cluster.placing import NodeState, Placer, node_of_name
from server.cluster.registry_server import MAX_TABLE_BYTES
from server.tasks import Tasks, cancel_and_wait
from signaling.errors import Busy, TooMany

logger = logging.getLogger(__name__)

REPORT_EVERY_S = 1.0
ANSWER_WITHIN_S = 2.0
# A node that has said nothing for so long stands still, and gets no more sessions.
STALE_S = 3.0
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.1, 1.0
# A node that has left: it may be that it was started again.
COMES_WITHIN_S = 30.0
# What waits for a registry that does not read. Clients cause more of it with each request.
MAX_WAITING_BYTES = 1 << 20
# Whoever has many addresses is not told of, and limited by each node.
MAX_ADDRESSES = 100


class Member:
    """One node among the others.

    Parameters
    ----------
    node
        Which one.
    own_state
        Says how it does; its incarnation and address are filled in here.
    network
        How the others are reached; by default those of this machine are.

    Attributes
    ----------
    lasting
        Says how many requests and sockets each address has, asked once a second.
    """

    def __init__(
        self, node: Node, own_state: Callable[[], NodeState], network: Network | None = None
    ) -> None:
        self.node = node
        self.incarnation = secrets.token_hex(4)
        self.placer = Placer()
        self.draining = False
        """Whether this node is about to end, and takes no more sessions."""
        self.network = network or UnixNetwork(node)
        self.links: dict[int, Link] = {}
        self._own_state = own_state
        self._states: dict[int, NodeState] = {}
        self._lost_s: dict[int, float] = {}
        self._tasks = Tasks("member")
        self._writer: asyncio.StreamWriter | None = None
        self._calls = itertools.count()
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._running: asyncio.Task[None] | None = None
        self._reported: NodeState | None = None
        self._heard_s: dict[int, float] = {}
        self._news = asyncio.Event()
        self.lasting: Callable[[int], dict[str, int]] = lambda _: {}
        self._addresses: dict[str, int] = {}

    async def start(self) -> None:
        """Begin; whether the registry is there or not."""
        self._running = asyncio.create_task(self._run(), name="member")

    async def close(self) -> None:
        """Leave."""
        if self._running is not None:
            await cancel_and_wait(self._running)
        await self._tasks.join()
        for link in self.links.values():
            await link.close()

    def retire(self) -> None:
        """Be a node no longer: whoever started this process is gone, and starts another one."""
        if self._running is not None:
            self._running.cancel()

    @property
    def states(self) -> Mapping[int, NodeState]:
        """The nodes that are there, this one among them, as it is now."""
        return {**self._states, self.node.number: self._state()}

    @property
    def lively(self) -> Mapping[int, NodeState]:
        """Those of them that sessions can be given to; this one can if no other can."""
        since_s = time.monotonic() - STALE_S
        own, states = self.node.number, self.states
        lively = {
            number: state
            for number, state in states.items()
            if state.takes_sessions and (number == own or self._heard_s.get(number, 0.0) >= since_s)
        }
        return lively or {own: states[own]}

    @property
    def has_others(self) -> bool:
        """Whether there are other nodes, or were a moment ago: they may take sessions soon."""
        since_s = time.monotonic() - COMES_WITHIN_S
        return bool(self._elsewhere()) or any(at_s > since_s for at_s in self._lost_s.values())

    async def begin_to_drain(self) -> bool:
        """Take no more sessions, if another node does; returns whether this one drains now.

        The registry says so, since two that look at each other would both see another one.
        """
        try:
            granted = bool((await self._call({"drain": True}))["granted"])
        except Busy:
            granted = any(number != self.node.number for number in self.lively)
        if granted:
            self.draining = True
            self.report()
        return granted

    @property
    def is_registered(self) -> bool:
        """Whether the registry knows of this node: it gets sessions, and can give names."""
        return self._writer is not None

    @property
    def expected(self) -> Collection[int]:
        """The nodes that there should be."""
        if self.node.spans_machines:
            return sorted(self.states)
        return range(self.node.count)

    def may_come(self, number: int) -> bool:
        """Whether a node that is not there is likely to be there in a moment."""
        if self.node.spans_machines:
            return self._lost_s.get(number, -COMES_WITHIN_S) + COMES_WITHIN_S > time.monotonic()
        return number < self.node.count

    @property
    def others(self) -> list[Link]:
        """Ways to the other nodes that are there."""
        return [link for number, link in self.links.items() if number in self._states]

    def recording_at(self, name: str) -> int | None:
        """The node that is writing a recording."""
        return next((n for n, state in self.states.items() if name in state.recordings), None)

    async def holder(self, name: str) -> int | None:
        """The node at which something is published under a name, or is about to be.

        Raises
        ------
        Busy
            It is not known here, and the registry does not answer.
        """
        known = self.publisher(name)
        return await self._ask(name, None) if known is None else known

    def publisher(self, name: str) -> int | None:
        """The node at which something is published under a name, as far as is known here."""
        return node_of_name(self.states, name)

    async def news(self) -> None:
        """Wait until there is something new of the other nodes."""
        await self._news.wait()

    def of_token(self, token: str | None) -> int | None:
        """The node that a resume token is of, if that still runs."""
        if token is None:
            return None
        parts = token.split(".", 2)
        for number, state in self.states.items():
            if len(parts) == 3 and parts[:2] == [f"{number:02x}", state.incarnation]:
                return number
        return None

    def of_session(self, identifier: str) -> int | None:
        """The node that has a session: the one that made its id, unless it has moved."""
        for number, state in self.states.items():
            if identifier in state.guests:
                return number
        return number_of(identifier)

    def token_prefix(self) -> str:
        """What this node's resume tokens begin with."""
        return f"{self.node.tag}.{self.incarnation}."

    async def give(self, name: str, wish: int, full: Collection[int] = ()) -> int:
        """Have a name given to a node, unless another has it; returns the one that has it.

        Parameters
        ----------
        full
            Nodes that have no room, and give up a name that they do not use.

        Raises
        ------
        Busy
            The registry does not answer: nobody can tell whether the name is free.
        """
        holder = await self._ask(name, wish, full)
        if holder is None:
            # It was started anew, and does not know yet what is published.
            raise self._no_registry()
        return holder

    async def charge(self, client: str, alone: Callable[[str], Awaitable[None]]) -> None:
        """Count an expensive request of a client's, at all nodes together.

        Parameters
        ----------
        alone
            Counts it at this node, while the registry does not answer.

        Raises
        ------
        TooMany
            The client has used up its minute.
        """
        try:
            refused = (await self._call({"charge": client}))["refused"]
        except Busy:
            await alone(client)
            return
        if refused is not None:
            message, retry_after_s = refused
            raise TooMany(message, retry_after_s=retry_after_s)

    def sessions_elsewhere(self, client: str) -> int:
        """How many sessions a token's subject has at the other nodes."""
        return sum(state.subjects.get(client, 0) for state in self._elsewhere())

    def served_elsewhere(self, address: str) -> int:
        """How many requests and sockets that last an address has at the other nodes."""
        return sum(state.addresses.get(address, 0) for state in self._elsewhere())

    def recordings_elsewhere(self) -> int:
        """How many recordings the other nodes are writing."""
        return sum(len(state.recordings) for state in self._elsewhere())

    def _elsewhere(self) -> list[NodeState]:
        return [state for n, state in self._states.items() if n != self.node.number]

    def report(self) -> None:
        """Say how this node does, if it has changed."""
        state = self._state()
        if state != self._reported:
            self._say(state)

    # ---- the connection

    async def _ask(self, name: str, wish: int | None, full: Collection[int] = ()) -> int | None:
        told = await self._call({"name": name, "wish": wish, "full": [*full]})
        holder: int | None = told["holder"]
        return holder

    async def _call(self, message: dict[str, Any]) -> dict[str, Any]:
        if self._writer is None:
            raise self._no_registry()
        call = next(self._calls)
        answer = self._answers[call] = asyncio.get_running_loop().create_future()
        try:
            self._write({**message, "call": call})
            return await asyncio.wait_for(answer, ANSWER_WITHIN_S)
        except (TimeoutError, ConnectionError) as error:
            raise self._no_registry() from error
        finally:
            del self._answers[call]

    async def _run(self) -> None:
        backoff = Backoff(FIRST_PAUSE_S, LONGEST_PAUSE_S)
        while True:
            try:
                reader, self._writer = await self.network.open_registry(MAX_TABLE_BYTES)
                backoff.reset()
                await self._talk(reader)
                logger.error("The registry is gone: trying again")
            except OSError as error:
                logger.warning("The registry can not be reached: %s", error)
            except Exception:
                # A parent that runs since before the server was upgraded.
                logger.exception("The registry is not understood: restart the whole server")
            finally:
                if self._writer is not None:
                    self._writer.close()
                self._writer = self._reported = None
                for answer in self._answers.values():
                    if not answer.done():
                        answer.set_exception(ConnectionError("the registry is gone"))
            # What is known of the others holds until it is told otherwise: they serve on.
            await asyncio.sleep(backoff.pause_s())

    async def _talk(self, reader: asyncio.StreamReader) -> None:
        self.report()
        reporting = self._tasks.spawn(self._report_on(), "report")
        try:
            while line := await reader.readline():
                self._take(json.loads(line))
        finally:
            await cancel_and_wait(reporting)

    async def _report_on(self) -> None:
        while True:
            await asyncio.sleep(REPORT_EVERY_S)
            try:
                self._addresses = self.lasting(MAX_ADDRESSES)
                # Changed or not: it says that this node does not stand still.
                self._say(self._state())
            except Exception:
                # Whatever it was, a node that said nothing more would get no more sessions.
                logger.exception("This node could not say how it does: it tries again")

    def _say(self, state: NodeState) -> None:
        if self._writer is not None:
            self._reported = state
            # It hears the next one.
            with contextlib.suppress(ConnectionError):
                self._write({"state": asdict(state)})

    def _take(self, told: dict[str, Any]) -> None:
        if "call" in told:
            answer = self._answers.get(told["call"])
            if answer is not None and not answer.done():
                answer.set_result(told)
            return
        self._learn(
            {int(number): NodeState.read(state) for number, state in told["nodes"].items()},
            is_all=not told.get("settling"),
        )
        self._news.set()
        self._news = asyncio.Event()
        news_of = told["news_of"]
        if news_of is not None:
            self._heard_s[news_of] = time.monotonic()
            self.placer.told([news_of])

    def _learn(self, states: dict[int, NodeState], *, is_all: bool) -> None:
        """Who is there, and how they are reached; those that have left may come back."""
        now_s = time.monotonic()
        if not is_all:
            states = {**self._states, **states}
        for number in self._states.keys() - states.keys():
            self._lost_s[number] = now_s
            if self.node.spans_machines:
                # What waits for a machine that is gone would wait for long.
                self._drop(number)
        self._states = states
        for number in states.keys() - {self.node.number}:
            way = self.network.way_to(number, states[number].address)
            known = self.links.get(number)
            if known is not None and known.way.url != way.url:
                self._drop(number)
            self.links.setdefault(number, Link(number, way))

    def _drop(self, number: int) -> None:
        link = self.links.pop(number, None)
        if link is not None:
            self._tasks.spawn(link.close(), "close a link")

    def _write(self, message: dict[str, Any]) -> None:
        assert self._writer is not None
        if self._writer.transport.get_write_buffer_size() > MAX_WAITING_BYTES:
            raise ConnectionError("the registry stands still")
        self._writer.write(json.dumps({"node": self.node.number, **message}).encode() + b"\n")

    def _state(self) -> NodeState:
        return replace(
            self._own_state(),
            incarnation=self.incarnation,
            address=self.network.address,
            addresses=self._addresses,
            draining=self.draining,
        )

    def _no_registry(self) -> Busy:
        return Busy("names can not be given for a moment: try again", retry_after_s=1)
