"""The command line: ``python -m server.publisher``."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Sequence
from typing import NoReturn

from server.config.base import BadSettings
from server.config.camera import CameraSettings
from server.http.log import log_to_stderr
from server.publisher.settings import PeerSettings, parse_settings

logger = logging.getLogger(__name__)

# Whoever sends SIGTERM has the process gone in two seconds.
GOODBYE_WITHIN_S = 1.7
_BAD_USAGE = 2


def main(arguments: Sequence[str]) -> NoReturn:
    """Publish until SIGINT or SIGTERM; a bad setting is one line and exit status 2."""
    try:
        settings, camera, media = parse_settings(arguments)
        log_to_stderr(verbose=settings.verbose, quiet=("aioice", "aiortc"))

        from server import rtc

        rtc.install()
        rtc.set_ice_hosts(media.ice_address)
        asyncio.run(_publish(settings, camera))
    except BadSettings as error:
        print(f"kinecast camera: {error}", file=sys.stderr)
        raise SystemExit(_BAD_USAGE) from None
    raise SystemExit(0)


async def _publish(settings: PeerSettings, camera: CameraSettings) -> None:
    from server.camera.camera import Camera
    from server.camera.choose import choose
    from server.camera.hooks import Hook
    from server.camera.source import CameraUnavailable
    from server.publisher.publisher import Publication, Publisher
    from server.watchdog import systemd

    stop = _stop_on_signals()
    if not camera.camera_enabled:
        raise BadSettings("CAMERA_ENABLED is 0: there is nothing to publish")
    try:
        make_source = choose(camera.camera, camera.camera_mode())
    except CameraUnavailable as error:
        raise BadSettings(f"--camera: {error}") from error
    to = settings.to
    if not (to.is_secure or to.is_local):
        logger.warning("%s is not encrypted: whoever is on the way may publish in our place", to)
    hook = Hook(camera.camera_hook) if camera.camera_hook else None
    publication = Publication(
        to,
        settings.trust(),
        settings.name,
        settings.token.get_secret_value(),
        settings.token_file,
    )
    publisher = Publisher(publication, Camera(make_source, hook))
    logger.info("Publishing %s (%s) to %s", settings.name, camera.camera, to)
    running = asyncio.create_task(publisher.run(), name="publish")
    watchdog = asyncio.create_task(systemd.keep_alive(), name="watchdog")
    systemd.notify("READY=1")
    waits: list[asyncio.Future[None]] = [stop, running]
    await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    if running.done():
        # It never returns: this is a fault of ours, and a new process is better than none.
        running.result()
    logger.info("Stopping")
    systemd.notify("STOPPING=1")
    for task in (running, watchdog):
        task.cancel()
    try:
        await asyncio.wait_for(publisher.stop(), GOODBYE_WITHIN_S)
    except TimeoutError:
        logger.warning("Not all could be closed in time: going anyway")
    # A thread that resolves a name, or a driver that hangs, can not be interrupted, and Python
    # would wait for it.
    logging.shutdown()
    os._exit(0)


def _stop_on_signals() -> asyncio.Future[None]:
    loop = asyncio.get_running_loop()
    stop = loop.create_future()

    def request_stop() -> None:
        if stop.done():
            os._exit(1)
        stop.set_result(None)

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, request_stop)
    return stop


if __name__ == "__main__":
    main(sys.argv[1:])
