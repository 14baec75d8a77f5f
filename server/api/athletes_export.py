"""All trainings of one person in a file, page by page from the database."""

from __future__ import annotations

import csv
import io
import json
import logging
import re
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from aiohttp import hdrs, web

from server.api.athletes import busy, check_readable, history_of, whom
from server.history.errors import DatabaseAway
from server.history.history import Overloaded
from signaling.errors import BadMessage

if TYPE_CHECKING:
    from server.history.reading import Reader

logger = logging.getLogger(__name__)

# Of a hundred repetitions each they are half a megabyte.
_PAGE = 10
_PARTS = ("depth", "alignment", "symmetry", "tempo", "steadiness")
# The page's columns (docs/page.md) behind those of the training.
COLUMNS = (
    *("training", "began_at", "set", "number", "exercise"),
    *("start_s", "turn_s", "end_s", "range_of_motion", "range_deg", "held_s"),
    *("down_s", "hold_s", "up_s", "score_points"),
    *(f"{part}_points" for part in _PARTS),
    "fault_codes",
)
_TYPES = {"json": "application/json", "csv": "text/csv"}
# A table calculation takes what begins so for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


async def export(request: web.Request) -> web.StreamResponse:
    """All trainings with their repetitions, as JSON or CSV."""
    history, key = await history_of(request), whom(request)
    form = request.query.get("format", "json")
    if form not in _TYPES:
        raise BadMessage("format: give json or csv")
    write = _json_of if form == "json" else _csv_of
    try:
        await check_readable(request, history, key)
        text, following = await history.ask(_page, history.reader, key, None, write)
    except (DatabaseAway, Overloaded) as error:
        raise busy(error) from error
    whose = request.match_info["id"]
    name = re.sub(r"[^A-Za-z0-9._-]", "-", whose)
    headers = {
        hdrs.CONTENT_TYPE: f"{_TYPES[form]}; charset=utf-8",
        hdrs.CONTENT_DISPOSITION: f'attachment; filename="kinecast-{name}.{form}"',
        hdrs.CACHE_CONTROL: "no-store",
    }
    response = web.StreamResponse(headers=headers)
    await response.prepare(request)
    if request.method == hdrs.METH_HEAD:
        return response
    before, between, after = _around(whose) if form == "json" else (_lines([COLUMNS]), "", "")
    await response.write((before + text).encode())
    try:
        while following is not None:
            text, following = await history.ask(_page, history.reader, key, following, write)
            await response.write((between + text).encode())
    except (DatabaseAway, Overloaded) as error:
        logger.warning("An export breaks off: %s", error)
        # It must not look whole.
        if request.transport is not None:
            request.transport.abort()
    await response.write(after.encode())
    return response


def _page(
    reader: Reader, key: str, before: int | None, write: Callable[[list[dict[str, Any]]], str]
) -> tuple[str, int | None]:
    """A page as text, and where the next begins; on a thread, since it takes its time."""
    page, following = reader.trainings(key, before, _PAGE, full=True)
    return write(page), following


def _around(whose: str) -> tuple[str, str, str]:
    now_ms = time.time_ns() // 1_000_000
    begin = f'{{"athlete": {json.dumps(whose)}, "exported_at": {now_ms}, "trainings": [\n'
    return begin, ",\n", "\n]}\n"


def _json_of(page: list[dict[str, Any]]) -> str:
    return ",\n".join(json.dumps(training) for training in page)


def _csv_of(page: list[dict[str, Any]]) -> str:
    return _lines([row for training in page for row in _rows(training)])


def _rows(training: dict[str, Any]) -> list[list[Any]]:
    began = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(training["began_at"] / 1000))
    rows = []
    for number, done in enumerate(training["sets"], 1):
        first = [training["id"], began, number]
        if not done["repetitions"]:
            held = [done["start_ms"] / 1000, "", "", "", "", done["held_s"], "", "", ""]
            rows.append(
                [*first, done["reps"] or "", done["exercise"], *held, done["score"], *[""] * 6]
            )
        rows += [[*first, *_row(done["exercise"], each)] for each in done["repetitions"]]
    return rows


def _row(exercise: str, each: dict[str, Any]) -> list[Any]:
    ranges = [most - least for least, most in each["range_deg"].values()]
    return [
        *(each["number"], exercise),
        *(each[f"{moment}_ms"] / 1000 for moment in ("start", "turn", "end")),
        *(each["range_of_motion"], round(max(ranges), 1) if ranges else "", ""),
        *(each["down_s"], each["hold_s"], each["up_s"], each["score"]),
        *(each["parts"].get(part) for part in _PARTS),
        " ".join(each["faults"]),
    ]


def _lines(rows: list[Any]) -> str:
    text = io.StringIO()
    # As RFC 4180 has it.
    csv.writer(text).writerows([_harmless(value) for value in row] for row in rows)
    return text.getvalue()


def _harmless(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
