"""What each client is tried with: the camera, what somebody publishes, and publishing."""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import aiohttp

from tests.interop.clients import bars
from tests.interop.clients.client import Client, Codec, Failed, Talk, Task, Unsupported
from tests.interop.clients.ours import publishing, watching

# Nothing more will come.
QUIET_S = 2.0
QUIET_TIMEOUT_S = 30.0
CAMERA_FLAGS = (
    *("--camera", "pattern", "--camera-size", f"{bars.WIDTH}x{bars.HEIGHT}"),
    *("--camera-fps", str(bars.FPS), "--connections-per-address", "100", "--allow-origin", "*"),
)
"""What a server needs for these trials."""

WATCHES_CAMERA = "watches the camera"
WATCHES_PUBLISHER = "watches a publisher"
PUBLISHES = "publishes"


@dataclass(frozen=True, slots=True)
class Outcome:
    """One trial of one client.

    Attributes
    ----------
    sent
        Frames: by the publisher's own count; None where nobody counts.
    received
        By the server.
    analyzed
        Results of those.
    arrived
        Decoded by who watches; where the client can not decode, received in full.
    picture
        "right" or "wrong" by the colours seen, "not looked at" by who does not decode.
    problem
        Why it could not be done.
    """

    client: str
    does: str
    codec: Codec
    version: str = ""
    sent: int | None = None
    received: int | None = None
    analyzed: int | None = None
    arrived: int | None = None
    picture: str = ""
    problem: str = ""
    is_unsupported: bool = False


class Trials:
    """Trials against one server.

    Parameters
    ----------
    url
        The server's; it was started with `CAMERA_FLAGS`.
    clip
        What `bars.write_clips` wrote.
    frames
        In each trial.
    """

    def __init__(self, url: str, clip: Path, frames: int = 100) -> None:
        self._url = url
        self._frames = frames
        self._clip = str(clip)
        self._names = 0

    async def run(self, client: Client, does: str, codec: Codec) -> Outcome:
        """Try one thing."""
        trial = {
            WATCHES_CAMERA: self.watch_camera,
            WATCHES_PUBLISHER: self.watch_publisher,
            PUBLISHES: self.publish,
        }[does]
        try:
            return await trial(client, codec)
        except Unsupported as error:
            return Outcome(client.name, does, codec, problem=str(error), is_unsupported=True)
        except (Failed, RuntimeError, TimeoutError, aiohttp.ClientError) as error:
            return Outcome(client.name, does, codec, problem=f"{type(error).__name__}: {error}")

    async def watch_camera(self, client: Client, codec: Codec) -> Outcome:
        """The camera's pattern: frames come, and look right."""
        async with client.at_work(self._task("watch", "camera", codec)) as talk:
            await talk.wait_for(lambda t: t["frames"] >= self._frames, f"{self._frames} frames")
            told = await _leave(talk)
        return _outcome(client, WATCHES_CAMERA, told)

    async def watch_publisher(self, client: Client, codec: Codec) -> Outcome:
        """What we publish, which begins when the client is connected: every frame counts."""
        name, track = self._new_name(), bars.BarsTrack(self._frames)
        async with publishing(f"{self._url}/whip/{name}", track, codec) as session:
            async with client.at_work(self._task("watch", name, codec)) as talk:
                await talk.wait_for(lambda t: t["state"] == "connected", "a connection")
                track.go.set()
                await talk.wait_for(lambda t: t["frames"] > 0, "a frame")
                await _until_quiet(lambda: talk.told["frames"], self._frames)
                told = await _leave(talk)
            counted = await self._counted(session, track.sent)
        return replace(_outcome(client, WATCHES_PUBLISHER, told), sent=track.sent, **counted)

    async def publish(self, client: Client, codec: Codec) -> Outcome:
        """It publishes until told to stop; the server counts, and we look at it."""
        name = self._new_name()
        async with client.at_work(self._task("publish", name, codec)) as talk:
            await talk.wait_for(lambda t: t["frames"] > 0, "a frame")
            async with watching(f"{self._url}/whep/{name}", codec) as seen:
                await talk.wait_for(lambda t: t["frames"] >= self._frames, f"{self._frames} frames")
                await seen.wait_for(self._frames // 4)
                talk.say("stop")
                told = await talk.wait_for(lambda t: t.get("stopped"), "its stop")
                counted = await self._counted(told["session"], told["frames"])
            talk.say("leave")
            told = await talk.wait_for(lambda t: t.get("done"), "its leave")
        ended = await self._get(told["session"])
        if ended["end_reason"] != "its WHIP resource was deleted":
            raise Failed(f"its session ended because: {ended['end_reason']}")
        told = {**told, "left": seen.left, "right": seen.right}
        outcome = _outcome(client, PUBLISHES, told, shows_bars=client.films_bars)
        return replace(outcome, sent=told["frames"], arrived=seen.frames, **counted)

    async def watch_each_other(
        self, client: Client, watchers: Sequence[Client], codec: Codec
    ) -> dict[str, Outcome]:
        """One publishes, the others watch it, one after the other."""
        name, found = self._new_name(), dict[str, Outcome]()
        async with client.at_work(self._task("publish", name, codec)) as talk:
            await talk.wait_for(lambda t: t["frames"] > 0, "a frame")
            for watcher in watchers:
                try:
                    async with watcher.at_work(self._task("watch", name, codec)) as seeing:
                        await seeing.wait_for(
                            lambda t: t["frames"] >= self._frames // 2, "half of them"
                        )
                        told = await _leave(seeing)
                    found[watcher.name] = _outcome(
                        watcher, client.name, told, shows_bars=client.films_bars
                    )
                except (Unsupported, Failed) as error:
                    found[watcher.name] = Outcome(
                        watcher.name, client.name, codec, problem=str(error)
                    )
            await _leave(talk)
        return found

    def _new_name(self) -> str:
        self._names += 1
        return f"trial-{self._names}"

    def _task(self, role: Any, name: str, codec: Codec) -> Task:
        protocol = {"watch": "whep", "publish": "whip"}[role]
        return Task(role, f"{self._url}/{protocol}/{name}", codec, clip=self._clip)

    async def _counted(self, session: str, sent: int) -> dict[str, int]:
        """What the server has counted, when all is there or nothing more comes."""
        status: dict[str, Any] = {}

        async def count() -> int:
            status.update(await self._get(session))
            done = status["analyzed"] + status["dropped"] >= status["frames"]
            return int(status["frames"]) if done else -1

        await _until_quiet(count, sent)
        return {"received": status["frames"], "analyzed": status["analyzed"]}

    async def _get(self, path: str) -> dict[str, Any]:
        async with aiohttp.ClientSession() as http, http.get(self._url + path) as response:
            found: dict[str, Any] = await response.json()
            return found


def _outcome(
    client: Client, does: str, told: dict[str, Any], *, shows_bars: bool = True
) -> Outcome:
    looked = told.get("left") is not None
    right = bars.is_right(told.get("left"), told.get("right"))
    picture = ("right" if right else "wrong") if looked else "not looked at"
    if looked and not shows_bars:
        picture = "its own" if max(*told["left"], *told["right"]) > 32 else "wrong"
    version = _version(told["version"])
    return Outcome(
        client.name, does, told["codec"], version, arrived=told["frames"], picture=picture
    )


def _version(text: str) -> str:
    """Name and version, also from what a browser calls itself."""
    found = re.search(r"(Firefox|Chrome)/([\d.]+)", text)
    return f"{found[1]} {found[2]}" if found else text


async def _leave(talk: Talk) -> dict[str, Any]:
    talk.say("leave")
    return await talk.wait_for(lambda told: told.get("done"), "its leave")


async def _until_quiet(count: Callable[[], Awaitable[int] | int], enough: int) -> None:
    """Wait until a count is high enough, or does not change any more."""
    last, since_s = -1, time.monotonic()
    async with asyncio.timeout(QUIET_TIMEOUT_S):
        while last < enough and time.monotonic() - since_s < QUIET_S:
            await asyncio.sleep(0.05)
            found = count()
            now = found if isinstance(found, int) else await found
            if now != last:
                last, since_s = now, time.monotonic()
