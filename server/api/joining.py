"""How this process becomes one of several nodes: where it is reached, what it says of itself."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import ssl
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial

from aiohttp import web

from server.api import node_feeds
from server.api.context import (
    CLUSTER,
    HISTORY,
    MOVES,
    POOL,
    RECORDINGS,
    SESSIONS,
    SETTINGS,
    STREAMS,
)
from server.api.moving import AMONG_NODES
from server.api.relay import relay, trust_node
from server.cluster.load import LoadMeter
from server.cluster.member import Member
from server.cluster.network import Network, UnixNetwork
from server.cluster.node import Node
from server.cluster.placing import NodeState
from server.cluster.tls_network import TlsNetwork
from server.config import BadSettings, Settings
from server.http.access import ROUTE_TABLE, RouteTable
from server.http.connection_guard import CONNECTIONS
from server.http.limits import LIMITS
from server.http.listener import GuardedSite, watch_request
from server.http.route import Handler, Route
from server.sessions.moves import Moves
from server.watching.elsewhere import Elsewhere


def settings_of(node: Node, settings: Settings) -> Settings:
    """One node's part of all settings: what is the whole server's is divided.

    Parameters
    ----------
    node
        Which one.
    settings
        As they were given.
    """
    return settings.model_copy(
        update={
            "max_sessions": node.share(settings.max_sessions),
            # At whichever nodes: each counts what the others have.
            "sessions_per_subject": settings.sessions_per_subject
            or max(settings.max_sessions // 2, 1),
            "workers": max(node.share(settings.workers), 1),
            # On several machines it has been told its own.
            "ice_port": settings.ice_port + node.number
            if settings.ice_port is not None and not node.spans_machines
            else settings.ice_port,
            # It has one owner; the others ask that.
            "camera_enabled": settings.camera_enabled and node.number == 0,
        }
    )


def set_up(main: web.Application, next_port: web.Application, node: Node) -> Member:
    """Have what other nodes answer passed on to them. Before the applications run."""
    member = Member(node, _own_state(main), _network(node, main[SETTINGS]))
    moves = Moves(member, main[SESSIONS])
    if HISTORY in main:
        moves.take_training = main[HISTORY].take_over
    for app in (main, next_port):
        app[CLUSTER], app[MOVES] = member, moves
    # The next port has sockets alone, and another scope for all its paths.
    main.middlewares.append(relay)
    main[SESSIONS].identifiers.token_prefix = member.token_prefix()
    main[SESSIONS].on_opening = member.report
    main[SESSIONS].places.elsewhere = member.sessions_elsewhere
    main[STREAMS].elsewhere = Elsewhere(member)
    main[RECORDINGS].elsewhere = member.recordings_elsewhere
    limits = main[LIMITS]
    limits.elsewhere, member.lasting = member.served_elsewhere, limits.lasting
    if main[SETTINGS].expensive_per_minute:
        limits.charge_expensive = partial(member.charge, alone=limits.charge_expensive)
    return member


def inner(
    main: web.Application, routes: Iterable[Route], errors: Callable[..., object], member: Member
) -> web.Application:
    """What the other nodes ask: all of the main application, without its guards and its relaying.

    Parameters
    ----------
    main
        Built; whose parts this one has.
    routes
        All of them.
    errors
        The middleware that tells of errors.
    member
        Says at once what a request has changed.
    """

    @web.middleware
    async def report(request: web.Request, handler: Handler) -> web.StreamResponse:
        response = await handler(request)
        member.report()
        return response

    guarded = [watch_request] if isinstance(member.network, TlsNetwork) else []
    app = web.Application(
        middlewares=[*guarded, errors, trust_node, report],  # type: ignore[list-item]
        client_max_size=main[SETTINGS].max_body_bytes,
    )
    for key, value in main.items():
        if key is not CLUSTER:
            app[key] = value
    if isinstance(member.network, TlsNetwork):
        app[CONNECTIONS] = member.network.guard
    app[ROUTE_TABLE] = RouteTable()
    app[ROUTE_TABLE].serve(app, (*routes, *node_feeds.FEED_ROUTES, *AMONG_NODES))
    app[node_feeds.FEEDS] = set()
    app.on_shutdown.append(node_feeds.close_all)
    return app


@dataclass(slots=True)
class Joined:
    """A node that serves; `leave` undoes it."""

    member: Member
    runner: web.AppRunner
    parent: int
    sites: list[GuardedSite]
    moves: Moves

    async def drain(self, given_up: asyncio.Future[None]) -> None:
        """Accept nobody new, and send all sessions to other nodes, if there are any."""
        await self.moves.drain(given_up, self._accept_nobody)

    async def _accept_nobody(self) -> None:
        # Where others accept from the same sockets. On several machines clients ask here for the
        # way to another node.
        if not self.member.node.spans_machines:
            for site in self.sites:
                await site.stop()

    async def leave(self) -> None:
        """Take no more requests from the others."""
        asyncio.get_running_loop().remove_reader(self.parent)
        await self.moves.close()
        await self.member.close()
        await self.member.network.close()
        await self.runner.cleanup()


async def join(
    member: Member,
    doors: Sequence[web.AppRunner],
    inner_runner: web.AppRunner,
    context: ssl.SSLContext | None,
    parent_gone: Callable[[], None],
) -> Joined:
    """Accept clients and the other nodes' requests.

    Parameters
    ----------
    doors
        The next port's, and the main one's unless that is not served; set up.
    inner_runner
        Of `inner`.
    context
        For TLS.
    parent_gone
        Called when the parent has died: nobody would start anything again.
    """
    node = member.node
    await inner_runner.setup()
    await member.network.serve(inner_runner)
    sites: list[GuardedSite] = []
    for runner, descriptors in zip(doors, (node.next_port, node.main_port), strict=False):
        await runner.setup()
        guard = runner.app[CONNECTIONS]
        for descriptor in descriptors:
            # Its own descriptor: the successor of this process gets them, too.
            listening = socket.socket(fileno=os.dup(descriptor))
            host, port = listening.getsockname()[:2]
            sites.append(GuardedSite(runner, host, port, guard, context, listening))
            await sites[-1].start()
    asyncio.get_running_loop().add_reader(node.parent, _end, member, parent_gone)
    await member.start()
    return Joined(member, inner_runner, node.parent, sites, doors[0].app[MOVES])


def _end(member: Member, parent_gone: Callable[[], None]) -> None:
    member.retire()
    if member.node.spans_machines:
        # Whoever made it was killed, and makes another one for this node's successor.
        shutil.rmtree(member.node.directory, ignore_errors=True)
    parent_gone()


def _network(node: Node, settings: Settings) -> Network:
    if not node.spans_machines:
        return UnixNetwork(node)
    secret = settings.cluster_secret.get_secret_value()
    if not secret:
        raise BadSettings(
            "nodes on several machines need a secret by which they know each other: set"
            " CLUSTER_SECRET to what openssl rand -hex 32 prints"
        )
    return TlsNetwork(node, secret)


def _own_state(app: web.Application) -> Callable[[], NodeState]:
    meter = LoadMeter()

    def made_here(sid: str) -> bool:
        return sid.startswith(app[SESSIONS].identifiers.tag)

    def state() -> NodeState:
        manager, pool = app[SESSIONS], app[POOL]
        lasting = manager.known.lasting()
        # One that is over can be looked at where it ended.
        here = (*lasting, *manager.known.over())
        pids = [os.getpid(), *(worker.pid for worker in pool.workers if worker.pid)]
        load = meter.measure(pids, len(lasting))
        return NodeState(
            incarnation="",
            load=load,
            fresh=max(len(lasting) - meter.measured_with, 0),
            sessions=len(lasting),
            room=manager.room,
            names=tuple(session.name for session in lasting if session.name is not None),
            awaited=tuple(s.name for s in lasting if s.name is not None and s.arrival is not None),
            recordings=tuple(app[RECORDINGS].running),
            subjects=dict(manager.of_subjects()),
            ready=pool.ready,
            guests=tuple(s.sid for s in here if s.arrival is None and not made_here(s.sid)),
        )

    return state
