"""What the server counts and measures, for Prometheus."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from server.workers.messages import FrameResult

# From well under a frame (33 ms at 30 fps) to what nobody would call live.
_SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.2, 0.5, 1, 2, 5)


class Metrics:
    """The metrics of one server; a registry of its own, so that two can live in one process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.sessions = Gauge(
            "kinecast_sessions", "Sessions by state", ["state"], registry=self.registry
        )
        self.sessions_opened = Counter(
            "kinecast_sessions_opened", "Sessions opened since start", registry=self.registry
        )
        self.frames_in = Counter(
            "kinecast_frames_in", "Frames received and decoded", registry=self.registry
        )
        self.frames_analyzed = Counter(
            "kinecast_frames_analyzed", "Frames that a result went out for", registry=self.registry
        )
        self.frames_dropped = Counter(
            "kinecast_frames_dropped",
            "Frames replaced by a newer one before they were analyzed",
            registry=self.registry,
        )
        self.results_dropped = Counter(
            "kinecast_results_dropped",
            "Results not sent because the client reads too slowly",
            registry=self.registry,
        )
        self.analyzer_errors = Counter(
            "kinecast_analyzer_errors",
            "Analyzers' exceptions and unusable answers",
            ["analyzer"],
            registry=self.registry,
        )
        self.stage = Histogram(
            "kinecast_stage_seconds",
            "Where a frame's time goes: queue (arrived until analyzers take it), analyze (until all"
            " analyzers have answered), deliver (until the server has the result), total",
            ["stage"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.analyzer_seconds = Histogram(
            "kinecast_analyzer_seconds",
            "Time of one analyzer for one frame",
            ["analyzer"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._stages = {
            name: self.stage.labels(name) for name in ("queue", "analyze", "deliver", "total")
        }
        self.workers_ready = Gauge(
            "kinecast_workers_ready", "Workers that take frames", registry=self.registry
        )
        self.worker_restarts = Gauge(
            "kinecast_worker_restarts", "Workers replaced since start", registry=self.registry
        )

        self.node_feeds = Gauge(
            "kinecast_node_feeds",
            "Videos that other nodes get for their viewers, by name and codec",
            registry=self.registry,
        )
        self.node_frames = Counter(
            "kinecast_node_frames",
            "Frames sent to other nodes for their viewers",
            registry=self.registry,
        )
        self.node_bytes = Counter(
            "kinecast_node_bytes",
            "Bytes of frames sent to other nodes for their viewers",
            registry=self.registry,
        )

    def observe(self, result: FrameResult, now_s: float) -> None:
        """Count one frame's result."""
        received_s = result.frame.received_monotonic_s
        self.frames_analyzed.inc()
        self._stages["queue"].observe(max(result.taken_s - received_s, 0.0))
        self._stages["analyze"].observe(max(result.finished_s - result.taken_s, 0.0))
        self._stages["deliver"].observe(max(now_s - result.finished_s, 0.0))
        self._stages["total"].observe(max(now_s - received_s, 0.0))
        for name, milliseconds in result.timings_ms.items():
            self.analyzer_seconds.labels(name).observe(milliseconds / 1000)

    def text(self) -> bytes:
        """All of it in Prometheus' text format."""
        return generate_latest(self.registry)
