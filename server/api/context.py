"""What request handlers find in the application."""

from __future__ import annotations

from aiohttp import web

from server.camera.camera import Camera
from server.camera.jpeg import JpegCamera
from server.cluster.member import Member
from server.config import Settings
from server.history.history import History
from server.ingest.camera_analysis import CameraAnalysis
from server.recordings.recordings import Recordings
from server.security.budget import Budget
from server.security.embeddings import EmbeddingCipher
from server.sessions.manager import SessionManager
from server.sessions.metrics import Metrics
from server.sessions.moves import Moves
from server.watching.registry import StreamRegistry
from server.watching.thumbnails import Thumbnails
from server.webhooks.webhooks import Webhooks
from server.workers.pool import WorkerPool

SETTINGS = web.AppKey("settings", Settings)
METRICS = web.AppKey("metrics", Metrics)
POOL = web.AppKey("pool", WorkerPool)
SOCKETS = web.AppKey("sockets", set[web.WebSocketResponse])
SESSIONS = web.AppKey("sessions", SessionManager)
RECORDINGS = web.AppKey("recordings", Recordings)
STREAMS = web.AppKey("streams", StreamRegistry)
THUMBNAILS = web.AppKey("thumbnails", Thumbnails)
WEBHOOKS = web.AppKey("webhooks", Webhooks)
"""Where there is somebody to tell."""
HISTORY = web.AppKey("history", History)
"""Where trainings are kept."""
HISTORY_BUDGET = web.AppKey("history budget", Budget)
OFFER_BUDGET = web.AppKey("offer budget", Budget)
"""Charged for each offer, whatever door it comes through."""
EMBEDDING_CIPHER = web.AppKey("embedding cipher", EmbeddingCipher)
CAMERA = web.AppKey("camera", Camera)
NO_CAMERA = web.AppKey("no camera", str)
"""Why there is none."""
CAMERA_ANALYSIS = web.AppKey("camera analysis", CameraAnalysis)
CLUSTER = web.AppKey("cluster", Member)
"""Where several nodes are one server."""
MOVES = web.AppKey("moves", Moves)
"""Where sessions can move from one of them to another."""
JPEGS = web.AppKey("jpegs", JpegCamera)
