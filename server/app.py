"""Builds the HTTP applications, and runs them from the first listener to the last goodbye."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import signal
from multiprocessing import resource_tracker
from typing import Any

from aiohttp import web

from server.api import docs, signaling
from server.api.openapi import document
from server.api.route import Handler
from server.api.routes import ROUTES
from server.config import BadSettings, Settings
from server.context import METRICS, POOL, SESSIONS, SETTINGS, SOCKETS
from server.media import aiortc_compat
from server.media.recorder import RecordingError, check_directory
from server.metrics import Metrics
from server.recording import record_to
from server.sessions import Limits, SessionManager
from server.workers.pool import WorkerPool
from signaling.errors import SignalingError
from signaling.http import error_body

logger = logging.getLogger(__name__)

MAX_BODY_BYTES = 8 * 1024 * 1024
# Requests that are still being answered when the server stops.
SHUTDOWN_S = 2.0
# Final results and recordings; a disk that no longer answers must not hold up the end for ever.
DRAIN_WITHIN_S = 20.0


@web.middleware
async def errors_as_json(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Every error is ``{"message", "code"}``; a stack trace never reaches a client."""
    try:
        return await handler(request)
    except SignalingError as error:
        status, headers, body = error_body(error)
    except web.HTTPException as error:
        if error.status < 400:
            raise
        status, body = error.status, {"message": error.text or error.reason, "code": error.status}
        headers = {k: v for k, v in error.headers.items() if k in ("Allow", "Retry-After")}
    except Exception:
        logger.exception("%s %s failed", request.method, request.path)
        status, headers, body = error_body(RuntimeError())
    return web.json_response(body, status=status, headers=headers)


def build(settings: Settings, pool: WorkerPool) -> tuple[web.Application, web.Application]:
    """The main application, and the one of the next port: a signaling WebSocket on any path."""
    metrics = Metrics()
    manager = SessionManager(
        pool,
        [spec.name for spec in settings.analyzers],
        Limits(settings.max_sessions, settings.resume_window),
        settings.ice_servers,
        metrics,
        record_to(settings.record_to) if settings.record_to else None,
    )
    main = web.Application(middlewares=[errors_as_json], client_max_size=MAX_BODY_BYTES)
    next_port = web.Application(middlewares=[errors_as_json])
    for app in (main, next_port):
        app[SETTINGS], app[METRICS] = settings, metrics
        app[POOL], app[SESSIONS], app[SOCKETS] = pool, manager, set()
        app.on_shutdown.append(signaling.close_sockets)
    main.add_routes(
        [
            # Unlike a route with the method GET, this answers HEAD too.
            web.get(r.path, r.handler)
            if r.method == "GET" and not r.websocket
            else web.route(r.method, r.path, r.handler)
            for r in ROUTES
        ]
    )
    docs.set_up(main, document(ROUTES))
    next_port.add_routes([web.get("/{path:.*}", signaling.websocket)])
    return main, next_port


async def serve(settings: Settings) -> None:
    """Serve until SIGINT or SIGTERM.

    Raises
    ------
    BadSettings
        A port is in use, a directory can not be written, an analyzer can not be loaded.
    """
    aiortc_compat.install()
    aiortc_compat.set_ice_hosts(settings.ice_address, settings.ice_port_range)
    if settings.record_to is not None:
        try:
            check_directory(settings.record_to)
        except RecordingError as error:
            raise BadSettings(f"--record-to: {error}") from error
    # Starting it takes a moment; later that would be on the event loop, at the first frame.
    resource_tracker.ensure_running()
    stop = _stop_on_signals()
    pool = WorkerPool(
        settings.workers,
        settings.analyzers,
        settings=settings.analyzer_settings(),
        verbose=settings.verbose,
    )
    main, next_port = build(settings, pool)
    manager = main[SESSIONS]
    runners = [web.AppRunner(next_port, shutdown_timeout=SHUTDOWN_S)]
    if not settings.websocket_only:
        runners.append(web.AppRunner(main, shutdown_timeout=SHUTDOWN_S))
    try:
        for runner, port in zip(runners, (settings.port + 1, settings.port), strict=False):
            await _listen(runner, settings, port)
        pool.start()
        _tell_where(settings)
        waits: list[asyncio.Future[Any]] = [stop, pool.refused]
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        if pool.refused.done():
            raise BadSettings(f"--analyzers: {pool.refused.result()}")
        logger.info("Stopping: sessions get their final results")
        try:
            await asyncio.wait_for(manager.drain("the server is shutting down"), DRAIN_WITHIN_S)
        except TimeoutError:
            logger.error("Sessions did not end within %.0f s: going anyway", DRAIN_WITHIN_S)
    finally:
        for runner in runners:
            await runner.cleanup()
        await pool.stop()


async def _listen(runner: web.AppRunner, settings: Settings, port: int) -> None:
    await runner.setup()
    try:
        await web.TCPSite(runner, settings.host, port, ssl_context=settings.tls_context()).start()
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise BadSettings(
                f"port {port} of {settings.host} is in use: choose another with --port"
                " (the next one is needed too)"
            ) from error
        raise BadSettings(f"can not listen on {settings.host}:{port}: {error.strerror}") from error


def _stop_on_signals() -> asyncio.Future[None]:
    loop = asyncio.get_running_loop()
    stop = loop.create_future()

    def request_stop() -> None:
        if stop.done():
            logger.warning("Stopped at once, as asked a second time")
            os._exit(1)
        stop.set_result(None)

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, request_stop)
    return stop


def _tell_where(settings: Settings) -> None:
    web_scheme, socket_scheme = ("https", "wss") if settings.cert_file else ("http", "ws")
    if not settings.websocket_only:
        logger.info(
            "Kinecast serves %s://%s:%d (offers: /signaling, /offer; state: /health, /sessions)",
            web_scheme,
            settings.host,
            settings.port,
        )
    logger.info(
        "Signaling WebSocket on any path: %s://%s:%d",
        socket_scheme,
        settings.host,
        settings.port + 1,
    )
    logger.info(
        "Analyzers: %s in %d workers, which load now",
        ", ".join(spec.name for spec in settings.analyzers),
        settings.workers,
    )
