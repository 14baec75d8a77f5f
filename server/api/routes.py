"""Everything that the main port serves."""

from __future__ import annotations

from server.api import health, sessions, signaling
from server.api.route import Route, Scope

ROUTES = (
    Route("GET", "/signaling", signaling.websocket, "Negotiate a session", Scope.PUBLISH, True),
    Route("POST", "/offer", signaling.offer, "Answer one offer", Scope.PUBLISH),
    Route("GET", "/health", health.health, "What is ready, what is not and why", None),
    Route("GET", "/metrics", health.metrics, "Metrics for Prometheus", Scope.VIEW),
    Route("GET", "/sessions", sessions.list_sessions, "Running sessions", Scope.VIEW),
    Route("GET", "/sessions/{id}", sessions.get_session, "One session", Scope.VIEW),
    Route("DELETE", "/sessions/{id}", sessions.delete_session, "End a session", Scope.PUBLISH),
    Route(
        "GET", "/sessions/{id}/results", sessions.stream_results, "Results as events", Scope.VIEW
    ),
)
