"""Clients that are programs: they print what they tell, a line each, and read words from stdin."""

import asyncio
import contextlib
import json
import os
import shutil
import subprocess
from collections.abc import AsyncIterator, Sequence
from dataclasses import asdict
from pathlib import Path

import platformdirs

from tests.interop.clients.client import Talk, Task

HERE = Path(__file__).resolve().parent
INSTALL_TIMEOUT_S = 60.0
LEAVE_TIMEOUT_S = 10.0
# Debian's bindings of GStreamer belong to the system's Python.
SYSTEM_PYTHON = "/usr/bin/python3"
_SHOWN_CHARS = 2000


class _Program:
    """A client that is one program."""

    name: str
    install: str
    films_bars = True

    def command(self) -> Sequence[str]:
        raise NotImplementedError

    def environment(self) -> dict[str, str]:
        return {}

    @contextlib.asynccontextmanager
    async def at_work(self, task: Task) -> AsyncIterator[Talk]:
        """Let it do something; leaving ends its process."""
        process = await asyncio.create_subprocess_exec(
            *self.command(),
            json.dumps(asdict(task)),
            env={**os.environ, **self.environment()},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        talk = _SpokenTalk(process)
        reading = asyncio.create_task(_listen(process, talk))
        try:
            yield talk
        finally:
            await _end(process)
            await asyncio.gather(reading, return_exceptions=True)


class _SpokenTalk(Talk):
    def __init__(self, process: asyncio.subprocess.Process) -> None:
        super().__init__()
        self._process = process

    def say(self, word: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{word}\n".encode())


async def _listen(process: asyncio.subprocess.Process, talk: Talk) -> None:
    assert process.stdout is not None
    assert process.stderr is not None
    complaints = asyncio.create_task(process.stderr.read())
    async for line in process.stdout:
        with contextlib.suppress(ValueError):
            await talk.hear(json.loads(line))
    said = (await complaints).decode(errors="replace")[-_SHOWN_CHARS:]
    if not talk.told.get("done"):
        await talk.hear({"error": talk.told.get("error") or f"it ended: {said}"})


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        assert process.stdin is not None
        process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), LEAVE_TIMEOUT_S)
        except TimeoutError:
            process.kill()
            await process.wait()


class GStreamer(_Program):
    """GStreamer's webrtcbin."""

    name = "gstreamer"
    install = (
        "apt-get install python3-gst-1.0 gir1.2-gst-plugins-bad-1.0 gstreamer1.0-nice"
        " gstreamer1.0-plugins-good gstreamer1.0-plugins-bad gstreamer1.0-plugins-ugly"
        " gstreamer1.0-libav"
    )

    def missing(self) -> str | None:
        """Why it can not run here; None if it can."""
        if shutil.which(SYSTEM_PYTHON) is None:
            return f"there is no {SYSTEM_PYTHON}"
        checked = subprocess.run(
            [*self.command(), "--check"], capture_output=True, text=True, timeout=60
        )
        return None if checked.returncode == 0 else checked.stderr.strip().splitlines()[-1]

    def command(self) -> Sequence[str]:
        return (SYSTEM_PYTHON, "-I", str(HERE / "gstreamer.py"))


class NodePackage(_Program):
    """A package of npm's, installed once for this machine into the user's cache.

    Parameters
    ----------
    name
        Of the client and of its script.
    package
        npm's name.
    """

    def __init__(self, name: str, package: str) -> None:
        self.name = name
        self.install = f"apt-get install nodejs npm; npm then fetches {package} by itself"
        self._package = package
        self._folder = Path(platformdirs.user_cache_dir("kinecast")) / "interop"

    def missing(self) -> str | None:
        """Why it can not run here; None if it can. Installs it where it is not."""
        for tool in ("node", "npm"):
            if shutil.which(tool) is None:
                return f"there is no {tool}"
        wanted = json.loads((HERE / "package.json").read_text())["dependencies"][self._package]
        manifest = self._folder / "node_modules" / self._package / "package.json"
        if manifest.exists() and json.loads(manifest.read_text())["version"] == wanted:
            return None
        return self._fetch()

    def _fetch(self) -> str | None:
        self._folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(HERE / "package.json", self._folder)
        # The packages bring what they need compiled: nothing of theirs runs to install them.
        flags = ("--no-audit", "--no-fund", "--ignore-scripts", "--fetch-retries=0")
        try:
            done = subprocess.run(
                ["npm", "install", *flags],
                cwd=self._folder,
                capture_output=True,
                text=True,
                timeout=INSTALL_TIMEOUT_S,
            )
        except subprocess.TimeoutExpired:
            return f"npm install took more than {INSTALL_TIMEOUT_S:.0f} s"
        return None if done.returncode == 0 else f"npm install failed: {done.stderr.strip()[-300:]}"

    def command(self) -> Sequence[str]:
        return ("node", str(HERE / f"{self.name}.js"))

    def environment(self) -> dict[str, str]:
        return {"NODE_PATH": str(self._folder / "node_modules")}
