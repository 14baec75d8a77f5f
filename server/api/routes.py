"""Everything that the main port serves."""

from __future__ import annotations

from server.api import (
    camera,
    docs,
    health,
    recordings,
    sessions,
    signaling,
    web,
    whep,
    whip,
)
from server.api.camera import CameraAnswer, CameraStatus
from server.api.models import Health, SessionDetail, SessionList, SessionStatus, StartSession
from server.api.models_recordings import Recording, RecordingList, StartRecording
from server.api.older_routes import OLDER_ROUTES
from server.http.route import Route
from server.security.identity import Scope
from signaling.messages import Answer, Offer

SIGNALING = Route(
    "GET",
    "/signaling",
    signaling.websocket,
    "Negotiate a session, or watch",
    Scope.PUBLISH,
    True,
    Scope.VIEW,
)

ROUTES = (
    SIGNALING,
    Route(
        "POST",
        "/offer",
        signaling.offer,
        "Answer one offer",
        Scope.PUBLISH,
        or_scope=Scope.VIEW,
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
        "POST",
        "/sessions",
        sessions.start_session,
        "Have the camera analyzed",
        Scope.CONTROL,
        body=StartSession,
        answers={201: SessionStatus},
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
        "/camera/status",
        camera.status,
        "How the camera is",
        Scope.VIEW,
        answers={200: CameraStatus},
    ),
    Route(
        "POST",
        "/camera/start",
        camera.start,
        "Start the camera and keep it running",
        Scope.CONTROL,
        answers={200: CameraAnswer},
    ),
    Route(
        "POST",
        "/camera/stop",
        camera.stop,
        "Stop the camera, whoever watches",
        Scope.CONTROL,
        answers={200: CameraAnswer},
    ),
    Route(
        "GET",
        "/frame",
        camera.frame,
        "The camera's newest picture",
        Scope.VIEW,
        answers={200: "image/jpeg"},
    ),
    Route(
        "GET",
        "/stream.mjpg",
        camera.stream,
        "The camera's pictures as they come, as MJPEG",
        Scope.VIEW,
        answers={200: "multipart/x-mixed-replace"},
    ),
    Route(
        "POST",
        "/recordings",
        recordings.start,
        "Record the camera, or what is published",
        Scope.CONTROL,
        body=StartRecording,
        answers={201: Recording},
    ),
    Route(
        "GET",
        "/recordings",
        recordings.list_recordings,
        "All recordings",
        # They are everybody's.
        Scope.CONTROL,
        answers={200: RecordingList},
    ),
    Route(
        "GET",
        "/recordings/{name}",
        recordings.get,
        "A recording; also while it runs",
        Scope.CONTROL,
        answers={200: "video/mp4", 206: "video/mp4"},
    ),
    Route(
        "DELETE",
        "/recordings/{name}",
        recordings.delete,
        "End a recording and keep it; with ?file=1, remove one that has ended",
        Scope.CONTROL,
        answers={200: Recording},
    ),
    *OLDER_ROUTES,
    Route(
        "POST",
        "/whip/{name}",
        whip.publish,
        "Publish by WHIP: an SDP offer for an SDP answer",
        Scope.PUBLISH,
        answers={201: "application/sdp"},
    ),
    Route(
        "OPTIONS",
        "/whip/{name}",
        whip.options,
        "The STUN and TURN servers to publish with",
        Scope.PUBLISH,
        answers={204: None},
    ),
    Route(
        "PATCH",
        "/whip/{name}/{id}",
        whip.patch,
        "Trickle ICE candidates",
        Scope.PUBLISH,
        answers={204: None},
    ),
    Route(
        "DELETE",
        "/whip/{name}/{id}",
        whip.end,
        "Publish no longer",
        Scope.PUBLISH,
        answers={200: None},
    ),
    *(
        route
        for path, what in (("/whep/{name}", ""), ("/whep/{name}/annotated", ", annotated"))
        for route in (
            Route(
                "POST",
                path,
                whep.watch,
                f"Watch by WHEP{what}: an SDP offer for an SDP answer",
                Scope.VIEW,
                answers={201: "application/sdp"},
            ),
            Route(
                "OPTIONS",
                path,
                whep.options,
                f"The STUN and TURN servers to watch with{what}",
                Scope.VIEW,
                answers={204: None},
            ),
            Route(
                "PATCH",
                path + "/{id}",
                whep.patch,
                f"Trickle ICE candidates{what}",
                Scope.VIEW,
                answers={204: None},
            ),
            Route(
                "DELETE",
                path + "/{id}",
                whep.leave,
                f"Watch no longer{what}",
                Scope.VIEW,
                answers={200: None},
            ),
        )
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
        "GET",
        "/",
        web.index,
        "The page; to a WebSocket, signaling",
        None,
        answers={200: "text/html"},
        # Older clients ask there.
        upgrade=SIGNALING,
    ),
    Route(
        "GET",
        "/web/sample.mp4",
        web.sample,
        "The sample video",
        None,
        answers={200: "video/mp4"},
    ),
    Route(
        "GET",
        "/web/{path:.+}",
        web.file,
        "The page's scripts and styles; kinecast.js is for pages of others, too",
        None,
        answers={200: "text/javascript"},
    ),
    Route(
        "GET", "/docs.css", docs.style, "The style of that page", None, answers={200: "text/css"}
    ),
)
