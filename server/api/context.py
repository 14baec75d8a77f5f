"""What request handlers find in the application."""

from __future__ import annotations

from aiohttp import web

from server.camera.camera import Camera
from server.camera.jpeg import JpegCamera
from server.config import Settings
from server.ingest.camera_analysis import CameraAnalysis
from server.recordings.recordings import Recordings
from server.security.embeddings import EmbeddingVault
from server.sessions.manager import SessionManager
from server.sessions.metrics import Metrics
from server.watching.registry import Watching
from server.workers.pool import WorkerPool

SETTINGS = web.AppKey("settings", Settings)
METRICS = web.AppKey("metrics", Metrics)
POOL = web.AppKey("pool", WorkerPool)
SOCKETS = web.AppKey("sockets", set[web.WebSocketResponse])
SESSIONS = web.AppKey("sessions", SessionManager)
RECORDINGS = web.AppKey("recordings", Recordings)
WATCHING = web.AppKey("watching", Watching)
VAULT = web.AppKey("vault", EmbeddingVault)
CAMERA = web.AppKey("camera", Camera)
NO_CAMERA = web.AppKey("no camera", str)
"""Why there is none."""
CAMERA_ANALYSIS = web.AppKey("camera analysis", CameraAnalysis)
JPEGS = web.AppKey("jpegs", JpegCamera)
