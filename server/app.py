"""Builds the HTTP applications, and runs them from the first listener to the last goodbye."""

from __future__ import annotations

import asyncio
import errno
import gc
import logging
import sqlite3
import ssl
from collections.abc import Callable
from functools import partial
from multiprocessing import resource_tracker
from typing import Any

from aiohttp import web

from server import rtc
from server.announce import announce
from server.api import (
    camera,
    camera_recording,
    clips,
    docs,
    game,
    history,
    joining,
    lookouts,
    recordings,
    signaling,
    whep,
    whip,
)
from server.api import web as page
from server.api.context import (
    CAMERA,
    EMBEDDING_CIPHER,
    METRICS,
    NO_CAMERA,
    OFFER_BUDGET,
    POOL,
    SESSIONS,
    SETTINGS,
    SOCKETS,
    STREAMS,
    THUMBNAILS,
    WEBHOOKS,
)
from server.api.older_errors import older_keys
from server.api.openapi import document
from server.api.routes import ROUTES
from server.api.sdp_resources import SdpResources
from server.cluster.member import Member
from server.cluster.node import Node
from server.config import BadSettings, Settings
from server.http.access import ROUTE_TABLE
from server.http.connection_guard import CONNECTIONS
from server.http.install import protect
from server.http.listener import KEEP_ALIVE_S, GuardedSite, refusal
from server.http.log import AccessLogger
from server.http.route import Handler, Route
from server.recordings.session_files import RecordingError, check_directory
from server.recordings.session_recorder import record_to
from server.security import descriptors, development_certificate, keys, private_file, tls
from server.security.budget import OFFERS, Budget
from server.security.development_certificate import DevelopmentCertificate
from server.security.embeddings import EmbeddingCipher
from server.security.identity import Scope
from server.security.places import Places
from server.sessions import handover
from server.sessions.embedding_gate import EmbeddingGate
from server.sessions.identifiers import Identifiers
from server.sessions.manager import Limits, SessionManager
from server.sessions.metrics import Metrics
from server.sessions.observer import Observers
from server.sessions.peer import Manners
from server.watchdog.heartbeat import Heartbeat
from server.watchdog.stopping import Stopping
from server.watchdog.supervisor import Watched
from server.watching.registry import StreamRegistry
from server.watching.thumbnails import Thumbnails
from server.webhooks.webhooks import Webhooks
from server.workers.pool import WorkerPool
from signaling.errors import BadMessage, SignalingError
from signaling.http import error_body
from signaling.ice import own_ice_servers

logger = logging.getLogger(__name__)

# Requests that are still being answered when the server stops.
SHUTDOWN_S = 2.0
# Final results and recordings; a disk that no longer answers must not hold up the end for ever.
DRAIN_WITHIN_S = 20.0

NEXT_PORT = Route(
    *("GET", "/{path:.*}", signaling.websocket, "Negotiate a session", Scope.PUBLISH, True),
    or_scopes=(Scope.VIEW,),
)
"""All that the next port serves, as older clients expect it."""


@web.middleware
async def errors_as_json(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Every error is ``{"message", "code"}``; a stack trace never reaches a client.

    Where an older server's clients ask, it has the keys that they look for, too.
    """
    try:
        return await handler(request)
    except SignalingError as error:
        status, headers, body = error_body(error)
    except web.HTTPException as error:
        if error.status < 400:
            raise
        status, body = error.status, {"message": error.text or error.reason, "code": error.status}
        headers = {k: v for k, v in error.headers.items() if k in ("Allow", "Retry-After")}
    except ConnectionError as error:
        # The client went, or was cut off, while it was being answered: nobody reads what follows.
        logger.debug("%s %s: %s", request.method, request.path, error)
        status, headers, body = 499, {}, {"message": "the client is gone", "code": 499}
    except web.RequestPayloadError:
        text = "the body is not what its headers say: check Content-Encoding and Content-Length"
        status, headers, body = error_body(BadMessage(text))
    except Exception:
        logger.exception("%s %s failed", request.method, request.path)
        status, headers, body = error_body(RuntimeError())
    body |= older_keys(request, str(body["message"]), status)
    return web.json_response(body, status=status, headers=headers)


def build(
    settings: Settings, pool: WorkerPool, node: Node | None = None
) -> tuple[web.Application, web.Application]:
    """The main application, and the one of the next port: a signaling WebSocket on any path."""
    metrics = Metrics()
    tag = node.tag if node else ""
    cipher = EmbeddingCipher(settings.encryption_keys() or keys.kept(), settings.embedding_ttl)
    webhooks = _webhooks(settings, tag)
    of_history = history.SessionsOfHistory()
    kept = history.make_history(settings, of_history)
    observers = [each for each in (webhooks, kept) if each is not None]
    manager = SessionManager(
        pool,
        [spec.name for spec in settings.analyzers],
        Limits(
            settings.max_sessions,
            settings.resume_window,
            settings.frames_per_second,
            settings.sessions_per_subject,
            Manners(settings.results_per_second, settings.farewell),
        ),
        own_ice_servers(settings.ice_servers),
        metrics,
        record_to(settings.record_to) if settings.record_to else None,
        EmbeddingGate(cipher),
        Observers(*observers) if observers else None,
        Identifiers(tag),
    )
    of_history.manager = manager
    main = web.Application(middlewares=[errors_as_json], client_max_size=settings.max_body_bytes)
    next_port = web.Application(middlewares=[errors_as_json])
    protect((main, next_port), settings)
    for app in (main, next_port):
        app[SETTINGS], app[METRICS] = settings, metrics
        app[POOL], app[SESSIONS], app[SOCKETS] = pool, manager, set()
        app.on_shutdown.append(signaling.close_sockets)
    main[EMBEDDING_CIPHER] = cipher
    # With --websocket-only the main application is not run.
    running = next_port if settings.websocket_only else main
    history.set_up(main, running, kept)
    if webhooks is not None:
        main[WEBHOOKS] = running[WEBHOOKS] = webhooks
        pool.idle_replaced = partial(_tell_of_worker, webhooks)
        running.on_startup.append(_open_webhooks)
        running.on_cleanup.append(_close_webhooks)
    # Before the camera: what runs is finished before its source goes.
    recordings.set_up(main, settings)
    camera.set_up(main, settings)
    camera_recording.set_up(main)
    streams = StreamRegistry(
        manager,
        main[CAMERA] if CAMERA in main else main[NO_CAMERA],
        own_ice_servers(settings.ice_servers),
        Places("viewers", settings.max_viewers, settings.viewers_per_subject),
    )
    offers = Budget("offers", OFFERS)
    for app in (main, next_port):
        app[STREAMS], app[OFFER_BUDGET] = streams, offers
    lookouts.set_up(main)
    main[THUMBNAILS] = Thumbnails()
    main.on_shutdown.append(_stop_watching)
    main[whep.RESOURCES] = SdpResources("watches", tag)
    main[whip.RESOURCES] = SdpResources("publishes", tag)
    main[ROUTE_TABLE].serve(main, ROUTES)
    next_port[ROUTE_TABLE].serve(next_port, (NEXT_PORT,))
    docs.set_up(main, document(ROUTES))
    page.set_up(main)
    game.set_up(main)
    clips.set_up(main)
    return main, next_port


def _webhooks(settings: Settings, tag: str) -> Webhooks | None:
    if not settings.webhook:
        return None
    whose = f"{settings.port}-{tag}" if tag else str(settings.port)
    path = private_file.data_directory() / f"webhooks-{whose}.sqlite"
    try:
        return Webhooks(settings.webhook, settings.webhook_secret.get_secret_value(), path)
    except (OSError, sqlite3.Error) as error:
        raise BadSettings(f"--webhook: events can not be kept in {path}: {error}") from error


def _tell_of_worker(webhooks: Webhooks, index: int, reason: str) -> None:
    webhooks.tell("worker.replaced", {"worker": index, "reason": reason})


async def _open_webhooks(app: web.Application) -> None:
    app[WEBHOOKS].open()


async def _close_webhooks(app: web.Application) -> None:
    await app[WEBHOOKS].close()


async def _stop_watching(app: web.Application) -> None:
    await app[STREAMS].close()
    await app[THUMBNAILS].close()


async def serve(
    settings: Settings, watched: Watched | None = None, node: Node | None = None
) -> None:
    """Serve until SIGINT or SIGTERM, or until the supervisor is gone.

    Parameters
    ----------
    settings
        All of them.
    watched
        What the supervisor gave; None where there is none.
    node
        Which one of several this is; None where it is the only one.

    Raises
    ------
    BadSettings
        A port is in use, a directory can not be written, an analyzer can not be loaded.
    """
    whole = settings
    if node is not None:
        settings = joining.settings_of(node, settings)
    descriptors.raise_limit(settings.max_connections)
    rtc.install()
    rtc.set_max_pixels(settings.video_pixels())
    if settings.record_to is not None:
        try:
            check_directory(settings.record_to)
        except RecordingError as error:
            raise BadSettings(f"--record-to: {error}") from error
    certificate = _make_certificate() if settings.self_signed else None
    context = (
        tls.server_context(certificate.path, certificate.path)
        if certificate
        else settings.tls_context()
    )
    # Starting it takes a moment; later that would be on the event loop, at the first frame.
    resource_tracker.ensure_running()
    stop = Stopping(drains=node is not None)
    pool = WorkerPool(
        settings.workers,
        settings.analyzers,
        settings=settings.analyzer_settings(),
        memory_bytes=settings.worker_memory,
        max_pixels=settings.video_pixels(),
        verbose=settings.verbose,
    )
    main, next_port = build(settings, pool, node)
    member = joining.set_up(main, next_port, node) if node is not None else None
    joined: joining.Joined | None = None
    manager = main[SESSIONS]
    book = handover.SessionBook(manager)
    heartbeat = Heartbeat(watched, book.changed, partial(_lose_supervisor, stop.request, member))
    runners = [_make_runner(next_port)]
    if not settings.websocket_only:
        runners.append(_make_runner(main))
    shared_port = _share_port(settings, node)
    rtc.set_ice_hosts(settings.ice_address, shared_port or settings.ice_port_range)
    try:
        if member is None:
            for runner, port in zip(runners, (settings.port + 1, settings.port), strict=False):
                await _listen(runner, settings, port, context)
        else:
            joined = await joining.join(
                *(
                    member,
                    runners,
                    _make_runner(joining.inner(main, ROUTES, errors_as_json, member)),
                ),
                *(context, stop.request),
            )
        if watched is not None and node is None:
            # Of several nodes another one has taken them by now.
            handover.go_on(manager, watched.book)
        await heartbeat.begin()
        pool.start()
        # What was imported stays: to walk through it takes the collector 0.1 s, on the event loop.
        gc.collect()
        gc.freeze()
        if node is None or node.number == 0:
            announce(whole, certificate)
        waits: list[asyncio.Future[Any]] = [stop.begun, pool.refused]
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        if pool.refused.done():
            raise BadSettings(f"--analyzers: {pool.refused.result()}")
        if joined is not None and not stop.now.done():
            await joined.drain(stop.now)
        logger.info("Stopping: sessions get their final results")
        try:
            await asyncio.wait_for(manager.drain("the server is shutting down"), DRAIN_WITHIN_S)
        except TimeoutError:
            logger.error("Sessions did not end within %.0f s: going anyway", DRAIN_WITHIN_S)
    finally:
        if joined is not None:
            await joined.leave()
        for runner in runners:
            await runner.cleanup()
        await main[CONNECTIONS].close()
        await pool.stop()
        await heartbeat.end()
        if shared_port is not None:
            shared_port.close()
        # Newer Pythons wait for it themselves. One that is left behind is for process 1 to reap,
        # which may take its time, and the supervisor waits until all of its group are gone.
        resource_tracker._resource_tracker._stop()  # type: ignore[attr-defined]


def _make_runner(app: web.Application) -> web.AppRunner:
    return web.AppRunner(
        app,
        shutdown_timeout=SHUTDOWN_S,
        keepalive_timeout=KEEP_ALIVE_S,
        # Inflating is work of the event loop's, for up to a thousand times what a client has sent.
        auto_decompress=False,
        access_log_class=AccessLogger,
    )


async def _listen(
    runner: web.AppRunner, settings: Settings, port: int, context: ssl.SSLContext | None
) -> None:
    await runner.setup()
    guard = runner.app[CONNECTIONS]
    try:
        await GuardedSite(runner, settings.host, port, guard, context).start()
    except OSError as error:
        raise refusal(settings.host, port, error) from error


def _share_port(settings: Settings, node: Node | None) -> rtc.SharedPort | None:
    if settings.ice_port is None:
        return None
    port = rtc.SharedPort(settings.ice_port, settings.ice_address, node.tag if node else "")
    try:
        port.open()
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise BadSettings(
                f"UDP port {settings.ice_port} is in use: choose another with --ice-port"
            ) from error
        raise BadSettings(
            f"can not receive on UDP port {settings.ice_port}: {error.strerror}"
        ) from error
    return port


def _lose_supervisor(end: Callable[[], None], member: Member | None) -> None:
    if member is not None:
        # Its successor has the same number.
        member.retire()
    end()


def _make_certificate() -> DevelopmentCertificate:
    try:
        return development_certificate.ensure()
    except OSError as error:
        raise BadSettings(f"--self-signed: the certificate can not be kept: {error}") from error
