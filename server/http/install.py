"""Puts the guards in front of an application's handlers."""

from __future__ import annotations

from collections.abc import Iterable

from aiohttp import web

from server.config import Settings
from server.http.access import AUTH_SECRET, ROUTE_TABLE, RouteTable, check_access
from server.http.connection_guard import CONNECTIONS, ConnectionGuard
from server.http.headers import HAS_REAL_CERTIFICATE, set_headers
from server.http.limits import LIMITS, ClientLimits, count_expensive, count_served
from server.http.listener import watch_request
from server.http.origins import ORIGINS, Origins, check_origin, share_response

GUARDS = (watch_request, count_served, check_origin, check_access, count_expensive)
"""What a request passes, in this order, before its handler."""


def protect(apps: Iterable[web.Application], settings: Settings) -> None:
    """Have each request of these applications checked; they count a client together."""
    limits = ClientLimits(
        connections_per_address=settings.connections_per_address,
        expensive_per_minute=settings.expensive_per_minute,
        request_time_s=settings.body_timeout,
    )
    connections = ConnectionGuard(
        max_connections=settings.max_connections,
        per_address=settings.connections_per_address,
        handshake_s=settings.handshake_timeout,
        send_s=settings.write_timeout,
    )
    origins = Origins(settings.allow_origin, check_host=not settings.asks_for_tokens)
    for app in apps:
        app[CONNECTIONS], app[LIMITS], app[ORIGINS] = connections, limits, origins
        app[ROUTE_TABLE] = RouteTable()
        app[AUTH_SECRET] = settings.auth_secret.get_secret_value()
        app[HAS_REAL_CERTIFICATE] = settings.has_real_certificate()
        app.middlewares.extend(GUARDS)
        app.on_response_prepare.append(set_headers)
        app.on_response_prepare.append(share_response)
