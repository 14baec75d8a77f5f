"""Keeps a camera published: connects, and connects again, for ever."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from dataclasses import dataclass
from pathlib import Path

from server.backoff import LONGEST_S, Backoff
from server.broadcast.broadcast import Broadcast
from server.camera.camera import Camera
from server.camera.source import CameraUnavailable
from server.publisher import health
from server.publisher.destination import Destination, Trust
from server.publisher.errors import NotConnected
from server.publisher.link import Link
from server.tasks import Tasks
from server.watchdog.systemd import notify
from signaling.messages import SessionInfo

logger = logging.getLogger(__name__)

HEALTH_EVERY_S = 10.0
FIRST_PAUSE_S = 0.5


@dataclass(frozen=True, slots=True)
class Publication:
    """What is published where.

    Attributes
    ----------
    destination, trust
        The server, and whom to take for it.
    name
        What others watch it by.
    token
        Bearer token; empty for none.
    token_file
        Holds it instead; read for each try, so that it can be renewed.
    """

    destination: Destination
    trust: Trust
    name: str
    token: str
    token_file: Path | None

    async def read_token(self) -> str:
        """The token.

        Raises
        ------
        NotConnected
            Its file can not be read.
        """
        if self.token_file is None:
            return self.token
        try:
            return (await asyncio.to_thread(self.token_file.read_text)).strip()
        except (OSError, UnicodeDecodeError) as error:
            raise NotConnected(f"the token can not be read: {error}") from error


class Publisher:
    """Publishes a camera until it is stopped.

    Parameters
    ----------
    publication
        What is published where.
    camera
        Runs only while the server takes its pictures.
    """

    def __init__(self, publication: Publication, camera: Camera) -> None:
        self._publication = publication
        self._camera = camera
        self._broadcast = Broadcast(camera, camera.packets)
        self._backoff = Backoff(FIRST_PAUSE_S, between=random.uniform)
        self._session: SessionInfo | None = None
        self._link: Link | None = None
        self._said = ""
        self._tasks = Tasks("the camera's publisher")

    async def run(self) -> None:
        """Connect, and connect again, until cancelled."""
        while True:
            self._link = link = Link(self._broadcast)
            began_s = time.monotonic()
            try:
                why, needs_a_person = await self._publish(link), False
            except NotConnected as error:
                why, needs_a_person = str(error), error.needs_a_person
            except CameraUnavailable as error:
                why, needs_a_person = f"there is no camera: {error}", True
            except Exception:
                # Whatever it is, a camera on a roof must come back by itself.
                logger.exception("The connection failed")
                why, needs_a_person = "a fault of ours", False
            await link.close()
            if time.monotonic() - began_s > LONGEST_S:
                self._backoff.reset()
            if needs_a_person:
                pause_s = random.uniform(LONGEST_S / 2, LONGEST_S)
            else:
                pause_s = self._backoff.pause_s()
            self._say(logging.WARNING, why, f": again in {pause_s:.1f} s")
            await asyncio.sleep(pause_s)

    async def _publish(self, link: Link) -> str:
        """Connect, and stay until the connection is over; returns why it is."""
        to = self._publication
        keys = {"publish": to.name}
        if self._session is not None:
            keys["resume"] = self._session.resume
        token = await to.read_token()
        session = await link.connect(to.destination, to.trust, token, keys)
        before, self._session = self._session, session
        how = "a new session"
        if before is not None:
            how = "continued" if before.id == session.id else "a new session, counts begin anew"
        self._say(
            logging.INFO, f"{to.name} is published to {to.destination}: session {session.id}, {how}"
        )
        self._tasks.spawn(self._tell_health(link), "health")
        try:
            return await link.until_over()
        finally:
            await self._tasks.cancel()

    async def _tell_health(self, link: Link) -> None:
        """Tell the server how camera and machine are, again and again."""
        frames, sent_bytes, since_s = 0, 0, time.monotonic()
        while True:
            said: dict[str, object] = {
                "type": "health",
                "temperature_c": await asyncio.to_thread(health.temperature_c),
                "throttled": await health.throttled(),
                "uptime_s": health.uptime_s(),
            }
            passed_s = time.monotonic() - since_s
            if passed_s >= HEALTH_EVERY_S / 2:
                said["fps"] = round((link.track.frames - frames) / passed_s, 1)
                said["bitrate"] = round((link.track.bytes - sent_bytes) * 8 / passed_s)
                frames, sent_bytes, since_s = link.track.frames, link.track.bytes, time.monotonic()
            link.tell({key: value for key, value in said.items() if value is not None})
            await asyncio.sleep(HEALTH_EVERY_S)

    async def stop(self) -> None:
        """End the session, hang up, stop the camera."""
        if self._link is not None:
            if await self._link.end():
                logger.info("The session got its final result")
            await self._link.close()
        self._broadcast.close()
        await self._camera.stop()

    def _say(self, level: int, what: str, more: str = "") -> None:
        """Log what changed; what was said already goes to the debug log."""
        same, self._said = what == self._said, what
        logger.log(logging.DEBUG if same else level, "%s%s", what, more)
        notify(f"STATUS={what}")
