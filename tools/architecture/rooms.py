"""The rooms of the server, floor by floor as import-linter's layers in pyproject.toml have them."""

from __future__ import annotations

import tomllib
from pathlib import Path

from tools.architecture import frame_way
from tools.architecture.drawing import Arrow, Box, Caption, Picture, height_of, lines

ROOT = Path(__file__).resolve().parents[2]
WIDTH = 1000
GAP = 10
FLOORS_LEFT, FLOORS_WIDTH = 54, 680
BESIDE_LEFT, BESIDE_WIDTH = 782, 202
# In a box as wide as this, the note stands beside the room's name.
NOTE_BESIDE_FROM = 300
NOTE_AT = 116

ROOMS = {
    "__main__": "the command line",
    "app": "puts everything together, runs it, ends it",
    "announce": "what the log says at the start",
    "cli": "kinecast find, models, token",
    "api": "every door: routes and handlers, WHIP and WHEP, older APIs, the page",
    "watching": "all that can be watched",
    "ingest": "sessions without a peer",
    "search": "finds people in video files",
    "sessions": "frames in, results out",
    "publisher": "this camera, to another server",
    "cluster": "several media processes, one server",
    "http": "guards: origin, token, limits",
    "recordings": "MP4 and WebM files",
    "broadcast": "one encoding for many viewers",
    "config": "flags, environment, .env",
    "camera": "this machine's camera",
    "sources": "files and URLs, read for clients",
    "workers": "processes that run analyzers",
    "rtc": "WebRTC; it alone knows aiortc",
    "media": "pictures, encoders, clocks",
    "security": "tokens, keys, certificates",
    "watchdog": "the supervisor process",
    "webhooks": "events told elsewhere",
    "history": "trainings that are kept",
    "tasks": "tasks, each with an owner",
    "event_loop": "the loop, and when it rests",
    "backoff": "pauses between tries",
}

ANALYZERS = (
    "Frames in, results out.",
    "Know no network and no server.",
    "pose, exercise, reid and your own",
)
SIGNALING = (
    "The negotiation as a state machine: messages in, effects out.",
    "Knows no socket and no media.",
)


def floors() -> list[list[str]]:
    """The rooms of each floor, the uppermost first."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        contracts = tomllib.load(file)["tool"]["importlinter"]["contracts"]
    (layers,) = (c["layers"] for c in contracts if c.get("containers") == ["server"])
    return [[room.strip() for room in floor.split("|")] for floor in layers]


def picture() -> Picture:
    """Draw it."""
    top = y = 56
    on_the_way = frame_way.rooms()
    shapes: list[Box | Arrow | Caption] = []
    for floor in floors():
        width = (FLOORS_WIDTH - GAP * (len(floor) - 1)) / len(floor)
        is_wide = width >= NOTE_BESIDE_FROM
        contents = [lines(width, title=room, note="" if is_wide else ROOMS[room]) for room in floor]
        height = max(map(height_of, contents))
        for i, (room, content) in enumerate(zip(floor, contents, strict=True)):
            x = FLOORS_LEFT + i * (width + GAP)
            kind = "way" if room in on_the_way else "room"
            shapes.append(Box(x, y, width, height, kind, content))
            if is_wide:
                shapes.append(Caption(x + NOTE_AT, y + height / 2 + 5, ROOMS[room]))
        y += height + GAP
    bottom = y - GAP
    panel = Box(
        16, 16, FLOORS_LEFT + FLOORS_WIDTH - 4, bottom - 4, "panel", lines(200, title="server/")
    )
    rule = Caption(
        FLOORS_LEFT + NOTE_AT, 40, "a room imports from the floors below, never from its own"
    )
    down = Arrow(((36, top), (36, bottom)))
    half = (bottom - 4 - GAP) / 2
    beside = (
        _beside(16, half, "worker", "analyzers/", ANALYZERS),
        _beside(16 + half + GAP, half, "room", "signaling/", SIGNALING),
    )
    imports = [
        Arrow(((FLOORS_LEFT + FLOORS_WIDTH + 12, middle), (BESIDE_LEFT, middle)))
        for middle in (box.y + box.height / 2 for box in beside)
    ]
    outside = Box(
        *(16, bottom + 28, WIDTH - 32, height_of(lines(WIDTH, title="client_test/"))),
        *("outside", lines(WIDTH, title="client_test/"), True),
    )
    wire = Caption(
        *(FLOORS_LEFT + NOTE_AT, outside.y + outside.height / 2 + 5),
        "stands outside: clients that know the wire only",
    )
    legend_y = outside.y + outside.height + 26
    legend = (
        Box(16, legend_y - 12, 18, 15, "way"),
        Caption(42, legend_y, "a peer's frame passes here on its way to its result and to viewers"),
    )
    title = "The rooms of Kinecast, floor by floor, and what stands beside them"
    shapes = [panel, rule, down, *shapes, *imports, *beside, outside, wire, *legend]
    return Picture("architecture", title, WIDTH, int(legend_y + 16), shapes)


def _beside(y: float, height: float, kind: str, title: str, notes: tuple[str, ...]) -> Box:
    content = lines(BESIDE_WIDTH, title=title)
    for note in notes:
        content += lines(BESIDE_WIDTH, note=note)
    return Box(BESIDE_LEFT, y, BESIDE_WIDTH, height, kind, content)
