"""Attacks on recordings: by who may write beside them, and by a clock that is wrong."""

import asyncio
import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import aiohttp

from bench.parts.attack_lines import CAMERA, Attacker, line
from server.security.identity import Scope

RECORDINGS = (*CAMERA, "--recordings", "FOLDER/recordings")
YEAR_MS = 365 * 24 * 3600 * 1000


@line(
    "a recording's name is swapped for a link to another file while it is downloaded",
    flags=RECORDINGS,
)
async def swapped_recording(attacker: Attacker) -> None:
    secret, folder = b"SECRET" * 1000, attacker.folder / "recordings"
    (attacker.folder / "secret").write_bytes(secret)
    async with attacker.http("operator", Scope.CONTROL) as http:
        said = {"source": "camera", "name": "door", "seconds": 1}
        await attacker.ask(http, "POST", "/recordings", "recorded", json=said)
        await until_finished(http)
        swapping = asyncio.create_task(
            asyncio.to_thread(swap, folder / "door.mp4", attacker.folder / "secret", attacker)
        )

        async def download() -> None:
            async for _ in attacker.rounds(100.0):
                _, body = await attacker.ask(http, "GET", "/recordings/door.mp4", "download")
                attacker.seen["the other file served"] += b"SECRET" in body

        await asyncio.gather(*(download() for _ in range(4)))
        await swapping
    attacker.checks["no other file is served"] = not attacker.seen["the other file served"]


async def until_finished(http: aiohttp.ClientSession) -> None:
    """Wait until all that was recorded is complete."""
    async with asyncio.timeout(20.0):
        while True:
            await asyncio.sleep(0.1)
            async with http.get("/recordings") as answer:
                told = (await answer.json())["recordings"]
            if all(each["state"] == "finished" for each in told):
                return


def swap(path: Path, secret: Path, attacker: Attacker) -> None:
    """Have a symbolic link, a hard link and the recording itself take turns."""
    kept, other = path.with_name("kept"), path.with_name("next")
    makers: list[Callable[[Path, Path], None]] = [os.symlink, os.link]
    until_s, number = time.monotonic() + attacker.seconds, 0
    while time.monotonic() < until_s:
        path.rename(kept)
        makers[number % 2](secret, other)
        other.rename(path)
        kept.rename(path)
        time.sleep(0.001)
        number += 1
    attacker.seen["swaps"] = number


@line(
    "recordings dated by a clock that was wrong, 1970 or in 20 years; then others begin",
    flags=(*RECORDINGS, "--recordings-days", "1"),
)
async def wrong_clock(attacker: Attacker) -> None:
    folder, names = attacker.folder / "recordings", []
    async with attacker.http("operator", Scope.CONTROL) as http:
        async for number in attacker.rounds(0.5):
            said = {"source": "camera", "name": f"door{number}", "seconds": 1}
            await attacker.ask(http, "POST", "/recordings", "recorded", json=said)
            names.append(said["name"])
            await until_finished(http)
            date(folder / f".door{number}.json", number)
        async with http.get("/recordings") as answer:
            there = {each["name"] for each in (await answer.json())["recordings"]}
    attacker.seen["deleted"] = len(set(names) - there)
    attacker.checks["no recording is deleted"] = there >= set(names)


def date(note: Path, number: int) -> None:
    """Have a recording be of a wrong clock; every other one of an earlier start of the machine."""
    told = json.loads(note.read_text())
    told["started_at"] = 60_000 if number % 4 < 2 else told["started_at"] + 20 * YEAR_MS
    if number % 2:
        told["began"]["boot"] = "another"
    note.write_text(json.dumps(told))
