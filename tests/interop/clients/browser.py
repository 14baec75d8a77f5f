"""Browsers as clients: a headless one opens our page, which does the task and reports by HTTP."""

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import AsyncIterator, Sequence
from dataclasses import asdict
from pathlib import Path
from urllib.parse import urlencode

from aiohttp import web

from tests.interop.clients.client import Talk, Task

HERE = Path(__file__).resolve().parent
FILES = {
    "/page.html": "text/html",
    "/page.js": "text/javascript",
    "/exchange.js": "text/javascript",
}
STOP_TIMEOUT_S = 10.0


class _Browser:
    """A browser, each time with a profile of its own that is gone afterwards."""

    name: str
    program: str
    install: str
    films_bars: bool

    def missing(self) -> str | None:
        """Why it can not run here; None if it can."""
        return None if shutil.which(self.program) else f"there is no {self.program}"

    def flags(self, profile: Path, clip: str) -> Sequence[str]:
        raise NotImplementedError

    @contextlib.asynccontextmanager
    async def at_work(self, task: Task) -> AsyncIterator[Talk]:
        """Let it do something; leaving ends its processes."""
        talk = Talk()
        with tempfile.TemporaryDirectory(prefix="kinecast-browser-") as folder:
            async with _page(talk) as origin:
                page = f"{origin}/page.html?{urlencode(_parameters(task))}"
                flags = self.flags(Path(folder), task.clip)
                process = await asyncio.create_subprocess_exec(
                    self.program,
                    *flags,
                    page,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    # Its children end with it.
                    start_new_session=True,
                    env={**os.environ, "HOME": folder, "MOZ_CRASHREPORTER_DISABLE": "1"},
                )
                try:
                    yield talk
                finally:
                    await _end(process)


def _parameters(task: Task) -> dict[str, str]:
    return {key: str(value) for key, value in asdict(task).items() if value and key != "clip"}


@contextlib.asynccontextmanager
async def _page(talk: Talk) -> AsyncIterator[str]:
    """Serve the page, and take its reports; yields the origin."""

    async def take(request: web.Request) -> web.Response:
        word, talk.word = talk.word, ""
        await talk.hear(await request.json())
        return web.Response(text=word)

    async def give(request: web.Request) -> web.StreamResponse:
        kind = FILES[request.path]
        return web.FileResponse(HERE / request.path[1:], headers={"Content-Type": kind})

    app = web.Application()
    app.router.add_post("/report", take)
    for path in FILES:
        app.router.add_get(path, give)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def _end(process: asyncio.subprocess.Process) -> None:
    """End a browser and what it has started."""
    for how in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, how)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), STOP_TIMEOUT_S)
            break
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


class Chromium(_Browser):
    """Chromium; its camera plays a clip."""

    name = program = "chromium"
    install = "apt-get install chromium"
    films_bars = True

    def flags(self, profile: Path, clip: str) -> Sequence[str]:
        camera = Path(clip).with_suffix(".y4m") if clip else None
        return (
            *((f"--use-file-for-fake-video-capture={camera}",) if camera else ()),
            "--headless=new",
            "--no-sandbox",
            "--no-first-run",
            "--disable-gpu",
            f"--user-data-dir={profile}",
            "--use-fake-ui-for-media-stream",
            "--use-fake-device-for-media-stream",
            "--autoplay-policy=no-user-gesture-required",
            # Everything stays on this machine.
            "--allow-loopback-in-peer-connection",
            "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--disable-quic",
            # The first announces the names it makes for local addresses by multicast, the others
            # look for television sets.
            "--disable-features=WebRtcHideLocalIpsWithMdns,MediaRouter,DialMediaRouteProvider",
        )


# Everything stays on this machine: what is not on loopback goes to a proxy that is not there.
_FIREFOX_PREFERENCES = {
    "media.navigator.streams.fake": True,
    "media.navigator.permission.disabled": True,
    "media.peerconnection.ice.loopback": True,
    "media.peerconnection.ice.obfuscate_host_addresses": False,
    "media.autoplay.default": 0,
    "network.proxy.type": 1,
    "network.proxy.http": "127.0.0.1",
    "network.proxy.http_port": 9,
    "network.proxy.ssl": "127.0.0.1",
    "network.proxy.ssl_port": 9,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "network.dns.disablePrefetch": True,
    "app.update.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "browser.aboutwelcome.enabled": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "toolkit.telemetry.enabled": False,
    "services.settings.server": "",
    "extensions.update.enabled": False,
    "media.gmp-manager.url": "",
    "dom.push.connection.enabled": False,
}


class Firefox(_Browser):
    """Firefox ESR; its pretended camera gives a plane of changing colour."""

    name = "firefox"
    program = "firefox-esr"
    install = "apt-get install firefox-esr"
    films_bars = False

    def flags(self, profile: Path, clip: str) -> Sequence[str]:
        words = {True: "true", False: "false"}
        lines = [
            f'user_pref("{name}", {words[value] if isinstance(value, bool) else _quoted(value)});'
            for name, value in _FIREFOX_PREFERENCES.items()
        ]
        (profile / "user.js").write_text("\n".join(lines))
        return ("--headless", "--no-remote", "--profile", str(profile))


def _quoted(value: str | int) -> str:
    return str(value) if isinstance(value, int) else f'"{value}"'
