"""Sends what happens to one URL, one event after the other."""

from __future__ import annotations

import asyncio
import json
import logging
import random
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import aiohttp

from server.backoff import Backoff
from server.tasks import Tasks
from server.webhooks.outbox import Outbox, Waiting
from server.webhooks.signing import event_body, new_id, sign

logger = logging.getLogger(__name__)

ANSWERS_WITHIN_S = 10.0
LONGEST_PAUSE_S = 60.0
# What is on its way to the file; a disk that no longer answers must not take all memory.
MAX_UNWRITTEN = 256
_ENDS_WITHIN_S = 2.0

_T = TypeVar("_T")


class NotTaken(Exception):
    """The other server did not take an event: one line that says why."""


async def post(
    http: aiohttp.ClientSession, url: str, secret: str, event_id: str, body: bytes
) -> None:
    """Send one event.

    Raises
    ------
    NotTaken
        It was not answered with 2xx.
    """
    signed = sign(secret, event_id, body)
    try:
        async with http.post(
            url, data=signed.body, headers=signed.headers, allow_redirects=False
        ) as response:
            if not 200 <= response.status < 300:
                raise NotTaken(f"it answers {response.status}")
    except TimeoutError:
        raise NotTaken(f"no answer within {ANSWERS_WITHIN_S:g} s") from None
    except (aiohttp.ClientError, OSError) as error:
        raise NotTaken(str(error) or type(error).__name__) from error


def client() -> aiohttp.ClientSession:
    """What events are sent with."""
    return aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=ANSWERS_WITHIN_S))


class Webhooks:
    """The events of one server on their way to another.

    Parameters
    ----------
    url
        Where they go.
    secret
        What they are signed with.
    path
        Where they wait.
    first_pause_s
        After an event that was not taken.
    """

    def __init__(self, url: str, secret: str, path: Path, first_pause_s: float = 1.0) -> None:
        self._url = url
        # Where it is told of: in paths and queries there may be secrets.
        self._host = urlsplit(url).hostname
        self._secret = secret
        self._outbox = Outbox(path)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="webhooks")
        self._backoff = Backoff(first_pause_s, LONGEST_PAUSE_S, random.uniform)
        self._tasks = Tasks("webhooks")
        self._unwritten = 0
        self._more = asyncio.Event()
        self._sender: asyncio.Task[None] | None = None

    def open(self) -> None:
        """Begin to send; what has waited since the last time goes first."""
        self._more.set()
        self._sender = self._tasks.spawn(self._send_all(), "send")

    def tell(self, kind: str, data: dict[str, Any]) -> None:
        """Have something told; returns at once."""
        if self._unwritten >= MAX_UNWRITTEN:
            logger.error("An event %s is not told: the disk is too slow for it", kind)
            return
        self._unwritten += 1
        self._tasks.spawn(self._put(kind, data), kind)

    async def close(self) -> None:
        """Write what is not written yet; what is not sent waits for the next start."""
        if self._sender is not None:
            self._sender.cancel()
        try:
            await asyncio.wait_for(self._tasks.join(), _ENDS_WITHIN_S)
        except TimeoutError:
            logger.error("Events could not be written within %g s", _ENDS_WITHIN_S)
        await self._in_thread(self._outbox.close)
        self._thread.shutdown(wait=False)

    async def _put(self, kind: str, data: dict[str, Any]) -> None:
        try:
            lost = await self._in_thread(_write, self._outbox, kind, data)
        except (sqlite3.Error, OSError) as error:
            logger.error("An event %s is not told: %s", kind, error)
            return
        finally:
            self._unwritten -= 1
        if lost:
            logger.error("%d events that %s never took are given up", lost, self._host)
        self._more.set()

    async def _send_all(self) -> None:
        async with client() as http:
            while True:
                await self._more.wait()
                self._more.clear()
                try:
                    while (event := await self._in_thread(self._outbox.first)) is not None:
                        await self._send(http, event)
                except sqlite3.Error as error:
                    pause_s = self._backoff.pause_s()
                    logger.error("Waiting events: %s; again in %.1f s", error, pause_s)
                    await asyncio.sleep(pause_s)
                    self._more.set()

    async def _send(self, http: aiohttp.ClientSession, event: Waiting) -> None:
        try:
            await post(http, self._url, self._secret, event.event_id, event.body)
        except NotTaken as why:
            pause_s = self._backoff.pause_s()
            logger.warning(
                "%s did not take an event (%s): again in %.1f s", self._host, why, pause_s
            )
            await asyncio.sleep(pause_s)
            return
        self._backoff.reset()
        await self._in_thread(self._outbox.remove, event.place)

    async def _in_thread(self, call: Callable[..., _T], *arguments: object) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, call, *arguments)


def _write(outbox: Outbox, kind: str, data: dict[str, Any]) -> int:
    return outbox.put(new_id(), event_body(kind, json.loads(json.dumps(data, default=str))))
