"""What clients of the person search API send and read."""

import base64
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import aiohttp
from pydantic import BaseModel, ConfigDict
from websockets.asyncio.client import ClientConnection

from server.api.models_tracking import (
    Found,
    FoundMatch,
    FrameFacts,
    Matches,
    TrackingMatch,
)
from tests.support import pictures
from tests.support.older_clients import receive
from tests.support.server import ROOT, Server

SAMPLE = ROOT / "sample-video.mp4"
# What needs no weights, so that these tests run everywhere.
FLAGS = ("--analyzers", "pose,reid", "--reid-model", "appearance-1", "--workers", "2")
# A file does not wait for the sessions that another has left.
FLAGS += ("--frames-per-second", "0", "--expensive-per-minute", "0", "--resume-window", "0")
EVENTS = {"Accept": "text/event-stream"}

Json = dict[str, Any]


def strict(model: type[BaseModel]) -> type[BaseModel]:
    """A model that takes nothing but what it says."""
    config = ConfigDict(extra="forbid", strict=True)
    return type(f"Exact{model.__name__}", (model,), {"model_config": config})


class ExactMatches(strict(Matches)):  # type: ignore[misc]
    matches: list[strict(TrackingMatch)]  # type: ignore[misc]
    frame_info: strict(FrameFacts)  # type: ignore[misc]


class ExactFound(strict(Found)):  # type: ignore[misc]
    matches: list[strict(FoundMatch)]  # type: ignore[misc]


def encoded(data: bytes | None = None) -> str:
    """A picture as base64; by default the sample's first."""
    return base64.b64encode(data or pictures.sample_jpegs(1)[0]).decode()


async def post(
    http: aiohttp.ClientSession, server: Server, path: str, body: Any
) -> tuple[int, Json]:
    """Post JSON; returns the status and the answer."""
    async with http.post(f"{server.url}{path}", json=body) as response:
        return response.status, await response.json()


def single_frame(embedding: str, data: bytes | None = None) -> str:
    """A frame of the client's."""
    message = {"type": "single_frame", "frame": encoded(data), "person_embed": embedding}
    return json.dumps(message)


def start_tracking(embedding: str, source: Any, **more: Any) -> str:
    """A video that the server is to read."""
    message = {"type": "start_tracking", "person_embed": embedding, "video_source": source}
    return json.dumps({**message, **more})


def find(embedding: str, path: str = "one/video.mp4", **more: Any) -> Json:
    """A search of a recording."""
    return {"person": {"embedding": embedding}, "video": {"path": path}, **more}


async def until(socket: ClientConnection, condition: Callable[[Json], bool]) -> list[Json]:
    """Messages up to the first that fulfils a condition."""
    got: list[Json] = []
    while not got or not condition(got[-1]):
        got.append(await receive(socket))
    return got


def is_status(status: str) -> Callable[[Json], bool]:
    """Whether a message says how it goes, and so."""
    return lambda message: message.get("status") == status


async def events_of(response: aiohttp.ClientResponse) -> AsyncIterator[tuple[str, Json]]:
    """Server-sent events, parsed."""
    event = ""
    async for line in response.content:
        text = line.decode().rstrip("\n")
        if text.startswith("event: "):
            event = text.removeprefix("event: ")
        elif text.startswith("data: "):
            yield event, json.loads(text.removeprefix("data: "))
