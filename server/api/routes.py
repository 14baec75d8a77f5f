"""Everything that the main port serves."""

from __future__ import annotations

from server.api import docs, health, sessions, signaling
from server.api.models import Health, SessionDetail, SessionList, SessionStatus
from server.api.route import Route, Scope
from signaling.messages import Answer, Offer

ROUTES = (
    Route("GET", "/signaling", signaling.websocket, "Negotiate a session", Scope.PUBLISH, True),
    Route(
        "POST",
        "/offer",
        signaling.offer,
        "Answer one offer",
        Scope.PUBLISH,
        body=Offer,
        answers={200: Answer},
    ),
    Route(
        "GET",
        "/health",
        health.health,
        "What is ready, what is not and why",
        None,
        answers={200: Health},
    ),
    Route(
        "GET",
        "/metrics",
        health.metrics,
        "Metrics for Prometheus",
        Scope.VIEW,
        answers={200: "text/plain"},
    ),
    Route(
        "GET",
        "/sessions",
        sessions.list_sessions,
        "Running sessions",
        Scope.VIEW,
        answers={200: SessionList},
    ),
    Route(
        "GET",
        "/sessions/{id}",
        sessions.get_session,
        "One session",
        Scope.VIEW,
        answers={200: SessionDetail},
    ),
    Route(
        "DELETE",
        "/sessions/{id}",
        sessions.delete_session,
        "End a session",
        Scope.PUBLISH,
        answers={200: SessionStatus},
    ),
    Route(
        "GET",
        "/sessions/{id}/results",
        sessions.stream_results,
        "A session's results as server-sent events",
        Scope.VIEW,
        answers={200: "text/event-stream"},
    ),
    Route(
        "GET",
        "/openapi.json",
        docs.openapi,
        "This document",
        None,
        answers={200: "application/json"},
    ),
    Route(
        "GET",
        "/docs",
        docs.docs,
        "The page that describes all this",
        None,
        answers={200: "text/html"},
    ),
    Route(
        "GET", "/docs.css", docs.style, "The style of that page", None, answers={200: "text/css"}
    ),
)
