"""What a refusal says beside ``message`` and ``code`` at an older server's address.

A request can be refused before its handler has seen it: without a token, by a limit. Older clients
read their own keys of that, too.
"""

from __future__ import annotations

import time
from typing import Any

from aiohttp import web

_BUSY = (429, 503)
_TRACKING = ("/upload-embedding", "/find")
_FITNESS = ("/api/ai", "/api/ml", "/api/health")
_CAMERA = ("/frame", "/stream.mjpg", "/camera", "/record")


def older_keys(request: web.Request, message: str, code: int) -> dict[str, Any]:
    """What clients of that address look for; nothing at our own ones.

    Parameters
    ----------
    request
        That was refused.
    message
        Why.
    code
        The status.
    """
    if _is_at(request.path, "/pose"):
        return {"error": "busy" if code in _BUSY else "failed", "detail": message}
    if _is_at(request.path, *_FITNESS):
        return {"success": False, "data": None}
    if _is_at(request.path, *_TRACKING):
        error_code = "SERVICE_UNAVAILABLE" if code in _BUSY else "INVALID_REQUEST"
        return {
            "detail": message,
            "error_code": error_code,
            "status": "error",
            "timestamp": time.time(),
        }
    if _is_at(request.path, *_CAMERA):
        return {"detail": message}
    return {}


def _is_at(path: str, *addresses: str) -> bool:
    return any(path == address or path.startswith(f"{address}/") for address in addresses)
