"""The way of one frame: from a camera to its result, and to those who watch."""

from __future__ import annotations

from tools.architecture.drawing import Arrow, Box, Caption, Picture, lines

WIDTH, HEIGHT = 1000, 610

# Rows: upper edge and height.
AS_SENT = (78, 72)
FRAMES = (172, 94)
RESULTS = (292, 72)
RECORDS = (380, 72)
ANNOTATED = (484, 94)
LANES = (288, 72)
# Columns: left edge and width.
OUTSIDE = (16, 136)
BOTH = (188, 256)
SESSION = (456, 164)
DECODER = (650, 130)
WORKER = (790, 182)
LEFT_LANE = (790, 86)
RIGHT_LANE = (886, 86)

Column = tuple[int, int]
Row = tuple[int, int]

# id: column, row, kind, title, module (of the server, unless it says analyzers), note
BOXES: dict[str, tuple[Column, Row, str, str, str, str]] = {
    "viewers": (OUTSIDE, AS_SENT, "outside", "viewers", "", "WHEP, the page"),
    "relay": (
        *(BOTH, AS_SENT, "way", "feed", "watching/session_video"),
        "packets as they came, for all",
    ),
    "peer": (OUTSIDE, FRAMES, "outside", "peer", "", "a browser, a script or a camera"),
    "receiver": (
        *(BOTH, FRAMES, "way", "receiver", "rtc/receiving"),
        "whole frames, in order, as they were encoded",
    ),
    "session": (
        *(SESSION, (FRAMES[0], RECORDS[0] + RECORDS[1] - FRAMES[0])),
        *("way", "session", "sessions/session"),
        "gives each frame a number and a time, counts those that are skipped",
    ),
    "decoder": (DECODER, FRAMES, "worker", "decoder", "workers/decoding", "every frame"),
    "dispatcher": (
        *(WORKER, FRAMES, "worker", "dispatcher", "workers/dispatch"),
        "newest frame to each idle lane",
    ),
    "first lane": (LEFT_LANE, LANES, "worker", "lane", "", "pose, exercise"),
    "second lane": (RIGHT_LANE, LANES, "worker", "lane", "", "one of yours"),
    "merged": (
        *(WORKER, RECORDS, "worker", "one result", "analyzers/chain"),
        "joined key by key",
    ),
    "client": (OUTSIDE, RESULTS, "outside", "client", "", "a JSON object for each frame"),
    "sinks": (
        *(BOTH, RESULTS, "way", "sinks", "sessions/results"),
        "data channel, events, sockets",
    ),
    "disk": (OUTSIDE, RECORDS, "outside", "disk", "", "video, results"),
    "recorder": (
        *(BOTH, RECORDS, "way", "recorder", "recordings/session_recorder"),
        "packets as they came",
    ),
    "watchers": (OUTSIDE, ANNOTATED, "outside", "viewers", "", "of the annotated video"),
    "encoder": (
        *(BOTH, ANNOTATED, "way", "feed", "broadcast/encoding"),
        "one encoder for each codec, on a thread; the same packets for all",
    ),
    "annotated": (
        *(SESSION, ANNOTATED, "way", "annotated", "sessions/shown_frames"),
        "copies the newest",
    ),
    "drawn": (DECODER, ANNOTATED, "shared", "mailbox", "", "the newest frame"),
    "drawing": (
        *(WORKER, ANNOTATED, "worker", "drawing", "workers/drawing"),
        "on its own thread, while watched",
    ),
}

# From the first to the second: to the right, to the left, up or down.
ARROWS = (
    ("receiver", "relay"),
    ("relay", "viewers"),
    ("peer", "receiver"),
    ("receiver", "session"),
    ("session", "decoder"),
    ("decoder", "dispatcher"),
    ("dispatcher", "first lane"),
    ("dispatcher", "second lane"),
    ("first lane", "merged"),
    ("second lane", "merged"),
    ("merged", "session"),
    ("session", "sinks"),
    ("sinks", "client"),
    ("session", "recorder"),
    ("recorder", "disk"),
    ("merged", "drawing"),
    ("drawing", "drawn"),
    ("drawn", "annotated"),
    ("annotated", "encoder"),
    ("encoder", "watchers"),
)


def modules() -> list[str]:
    """The files that the picture names, from the repository's root."""
    named = [f"{module}.py" for *_, module, _ in BOXES.values() if module]
    return [name if name.startswith("analyzers/") else f"server/{name}" for name in named]


def rooms() -> set[str]:
    """The rooms of the server that a frame passes, workers among them."""
    return {path.split("/")[1] for path in modules() if path.startswith("server/")}


def picture() -> Picture:
    """Draw it."""
    boxes = {
        name: Box(*_placed(column, row), kind, lines(column[1], title=title, code=code, note=note))
        for name, (column, row, kind, title, code, note) in BOXES.items()
    }
    panels = (
        Box(172, 16, 458, HEIGHT - 32, "panel", lines(458, title="server process")),
        Box(644, 16, 340, HEIGHT - 32, "panel", lines(340, title="worker process")),
    )
    captions = (
        Caption(183, 62, "one event loop; no decoder, analyzer or encoder runs on it"),
        Caption(655, 62, "one for each core, low priority"),
    )
    arrows = [_arrow(boxes[start], boxes[end]) for start, end in ARROWS]
    title = "One frame's way: from the peer to its result, and to those who watch"
    shapes = (*panels, *captions, *arrows, *boxes.values())
    return Picture("frame-way", title, WIDTH, HEIGHT, shapes)


def _placed(column: Column, row: Row) -> tuple[int, int, int, int]:
    return column[0], row[0], column[1], row[1]


def _arrow(start: Box, end: Box) -> Arrow:
    """The straight line between two boxes that face each other."""
    low, high = max(start.y, end.y), min(start.y + start.height, end.y + end.height)
    if low < high:
        y = (low + high) / 2
        if start.x < end.x:
            return Arrow(((start.x + start.width, y), (end.x, y)))
        return Arrow(((start.x, y), (end.x + end.width, y)))
    left, right = max(start.x, end.x), min(start.x + start.width, end.x + end.width)
    assert left < right, "these boxes do not face each other"
    x = (left + right) / 2
    if start.y < end.y:
        return Arrow(((x, start.y + start.height), (x, end.y)))
    return Arrow(((x, start.y), (x, end.y + end.height)))
