"""Server-sent events (HTML standard, section 9.2)."""

from __future__ import annotations

from aiohttp import web

EVENT_STREAM = "text/event-stream"


def wanted(request: web.Request) -> bool:
    """Whether the client asks for events rather than for one answer."""
    return EVENT_STREAM in request.headers.get("Accept", "").lower()


def encode(event: str, data: str) -> bytes:
    """One event; the data is of one line."""
    return f"event: {event}\ndata: {data}\n\n".encode()


async def begin(request: web.Request) -> web.StreamResponse:
    """Answer with a stream of events."""
    response = web.StreamResponse(
        headers={"Content-Type": EVENT_STREAM, "Cache-Control": "no-cache"}
    )
    await response.prepare(request)
    return response
