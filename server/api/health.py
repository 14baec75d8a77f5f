"""``/health`` and ``/metrics``: what is ready, what is not and why; what was counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from aiohttp import web

from server.api.context import CLUSTER, HISTORY, METRICS, POOL, SESSIONS, SETTINGS
from server.history.history import History
from server.sessions.session import Session
from signaling.errors import Busy

# An analyzer that can not draw, or says NaN, does its work all the same.
_MILD = frozenset({"draw", "encode", "configure"})


async def health(request: web.Request) -> web.Response:
    """What is ready, what is not and why. Offers are taken from the first moment on."""
    pool, settings = request.app[POOL], request.app[SETTINGS]
    sessions = list(request.app[SESSIONS].known)
    failing = _failing(sessions)
    history = request.app.get(HISTORY)
    is_kept = history is None or history.status.is_written
    is_well = not pool.unavailable and not failing and is_kept
    return web.json_response(
        {
            "status": "ok" if pool.ready and is_well else _status(pool.ready),
            "ready": pool.ready,
            "analyzers": {
                spec.name: (
                    {"ready": False, "reason": pool.unavailable[spec.name]}
                    if spec.name in pool.unavailable
                    else {"ready": True, **_told(failing[spec.name], len(sessions))}
                    if pool.ready
                    else {"ready": False, "reason": "the workers are loading"}
                )
                for spec in settings.analyzers
            },
            "workers": [
                {
                    "index": worker.index,
                    "pid": worker.pid,
                    "ready": worker.ready,
                    "sessions": len(worker.sessions),
                    "restarts": worker.restarts,
                }
                for worker in pool.workers
            ],
            "sessions": len(sessions),
            "recording": str(settings.record_to) if settings.record_to else None,
            "history": _kept(history) if history else None,
            # Of one process that is all there is (`merged`).
            "nodes": None,
        }
    )


def _kept(history: History) -> dict[str, object]:
    now = history.status
    # What is wrong with the database is the operator's to know: it stands in the log.
    reason = "the database does not take trainings: they wait in memory, up to two hundred"
    return {
        "written": now.is_written,
        "waiting": now.waiting,
        "lost": now.lost,
        **({} if now.is_written else {"reason": reason}),
    }


def _failing(sessions: Iterable[Session]) -> Counter[str]:
    """In how many sessions each analyzer has failed."""
    failed = Counter[str]()
    for session in sessions:
        failed.update({p["analyzer"] for p in session.problems if p["phase"] not in _MILD})
    return failed


def _told(failed: int, sessions: int) -> dict[str, str]:
    # What it said is for those who may see the session.
    if not failed:
        return {}
    return {"reason": f"failed in {failed} of {sessions} sessions: GET /sessions says how"}


def _status(ready: bool) -> str:
    return "degraded" if ready else "starting"


async def live(request: web.Request) -> web.Response:
    """That this process answers: whoever restarts it for what is elsewhere makes that worse."""
    return web.json_response({"live": True})


async def ready(request: web.Request) -> web.Response:
    """Whether clients can be sent here: workers take frames, and the other nodes are known.

    Raises
    ------
    Busy
        They can not, for now.
    """
    if not request.app[POOL].ready:
        raise Busy("the workers are loading", retry_after_s=1)
    if CLUSTER in request.app and request.app[CLUSTER].draining:
        raise Busy("this node is about to end", retry_after_s=1)
    if CLUSTER in request.app and not request.app[CLUSTER].is_registered:
        raise Busy("the registry of the nodes can not be reached", retry_after_s=1)
    return web.json_response({"ready": True})


async def metrics(request: web.Request) -> web.Response:
    """The metrics in Prometheus' text format."""
    pool, counted = request.app[POOL], request.app[METRICS]
    counted.workers_ready.set(sum(worker.ready for worker in pool.workers))
    counted.worker_restarts.set(sum(worker.restarts for worker in pool.workers))
    states = request.app[SESSIONS].known.count_states()
    for state in ("new", "streaming", "disconnected", "ending"):
        counted.sessions.labels(state).set(states[state])
    return web.Response(
        body=counted.text(), headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"}
    )
