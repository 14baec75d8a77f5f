"""Has the machine's own installer fetch a wheel: it knows where from, and whom to trust."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

# For an answer, once more if there is none: who is offline is told so soon.
_PATIENCE = ("--retries", "1", "--timeout", "15")
# pip's words and uv's; both then go on to say that no release was found.
_UNREACHABLE = re.compile("connection broken|error sending request|timed out", re.IGNORECASE)


class InstallerError(RuntimeError):
    """There is no installer, or it did not get the wheel: one line that says why."""


@dataclass(frozen=True, slots=True)
class Release:
    """One build of a release. It is read, never run: this machine may be another.

    Attributes
    ----------
    project, version : str
        What is installed as ``project==version``.
    python : str
        Which Python the build is for: 3.11.
    glibc : str
        Which C library its build for Linux on x86_64 asks for: 2_28.
    """

    project: str
    version: str
    python: str
    glibc: str

    @property
    def requirement(self) -> str:
        """As installers take it."""
        return f"{self.project}=={self.version}"


def download(release: Release, into: Path, within_s: float) -> Path:
    """Fetch a release's wheel, by pip or, where there is none, by uv.

    Parameters
    ----------
    release
        Which.
    into
        An empty folder.
    within_s
        Seconds that it may take.

    Returns
    -------
    Path
        The wheel, or a folder with what is in it.

    Raises
    ------
    InstallerError
        When it could not be fetched.
    """
    if importlib.util.find_spec("pip") is not None:
        _run("pip", _by_pip(release, into), within_s)
        (wheel,) = into.glob("*.whl")
        return wheel
    if (uv := shutil.which("uv")) is not None:
        _run("uv", _by_uv(uv, release, into), within_s)
        return into
    raise InstallerError("there is neither pip nor uv here")


def _by_pip(release: Release, into: Path) -> list[str]:
    return [
        # Not a module pip of someone's in the working directory.
        *(sys.executable, "-P", "-m", "pip", "download"),
        *("--quiet", "--disable-pip-version-check", "--no-input", *_PATIENCE),
        *("--no-deps", "--only-binary", ":all:"),
        *("--python-version", release.python, "--platform", f"manylinux_{release.glibc}_x86_64"),
        *("--dest", str(into), release.requirement),
    ]


def _by_uv(uv: str, release: Release, into: Path) -> list[str]:
    """Return what unpacks the wheel into a folder: uv has no command that only fetches it."""
    return [
        *(uv, "pip", "install", "--quiet", "--no-progress"),
        *("--no-deps", "--only-binary", ":all:"),
        *("--python-version", release.python),
        *("--python-platform", f"x86_64-manylinux_{release.glibc}"),
        *("--target", str(into), release.requirement),
    ]


def _run(installer: str, command: list[str], within_s: float) -> None:
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            errors="replace",
            timeout=within_s,
        )
    except subprocess.TimeoutExpired:
        raise InstallerError(f"{installer} did not get it within {within_s:.0f} s") from None
    except OSError as error:
        raise InstallerError(f"{installer} does not start: {error.strerror}") from error
    if done.returncode != 0:
        raise InstallerError(f"{installer} says: {_reason(done.stderr)}")


def _reason(said: str) -> str:
    """Return one line: the last error, unless that is only what follows from another."""
    if _UNREACHABLE.search(said):
        return "it can not reach its index"
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    errors = [line for line in lines if "error" in line.lower()]
    return (errors or lines or ["nothing"])[-1].removeprefix("ERROR: ")
