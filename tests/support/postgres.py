"""A PostgreSQL of the test's own, on a Unix socket: nothing of it is reached by a network."""

import contextlib
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

WITHIN_S = 60


def programs() -> Path | None:
    """Where initdb and pg_ctl are; None where PostgreSQL is not installed."""
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    found = str(versions[-1]) if versions else shutil.which("initdb")
    return Path(found).parent if found else None


def is_usable() -> bool:
    """Whether it can be run here: it refuses to run as root, and Debian makes it a user."""
    return programs() is not None and (os.getuid() != 0 or _user() is not None)


def _user() -> str | None:
    with contextlib.suppress(KeyError):
        return pwd.getpwnam("postgres").pw_name
    return None


class Postgres:
    """A cluster in a directory; `start` and `stop` it as often as need be."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._programs = programs()
        # As root, it is run by the user that came with the package.
        self._as = {"user": _user(), "extra_groups": []} if os.getuid() == 0 else {}
        if self._as:
            shutil.chown(folder, _user())
        self._run("initdb", "--auth=trust", "--username=kinecast", "--no-sync", "-D", self._data)

    @property
    def _data(self) -> str:
        return str(self._folder / "data")

    def url(self, database: str = "postgres") -> str:
        """The address of a database in it."""
        return f"postgresql://kinecast@/{database}?host={self._folder}"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        options = f"-c listen_addresses='' -k {self._folder} -c fsync=off"
        log = str(self._folder / "log")
        self._run("pg_ctl", "start", "--wait", "-D", self._data, "-l", log, "-o", options)

    def stop(self) -> None:
        """Stop it at once; whoever is connected loses their connection."""
        self._run("pg_ctl", "stop", "--wait", "-m", "fast", "-D", self._data)

    def make(self, database: str) -> str:
        """Make an empty database; returns its address."""
        where = ("-h", str(self._folder), "-U", "kinecast")
        self._run("psql", *where, "-c", f"CREATE DATABASE {database}", "postgres")
        return self.url(database)

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [str(self._programs / program), *arguments],
            cwd=self._folder,
            timeout=WITHIN_S,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            **self._as,
        )
        assert done.returncode == 0, f"{program}: {done.stderr.decode()}"


@contextlib.contextmanager
def running_postgres() -> Iterator[Postgres]:
    """Run one, and leave nothing of it."""
    # Short, for its socket; and not below a directory that only the test's user may enter.
    folder = Path(tempfile.mkdtemp(prefix="kinecast-pg-"))
    try:
        postgres = Postgres(folder)
        postgres.start()
        try:
            yield postgres
        finally:
            with contextlib.suppress(AssertionError):
                postgres.stop()
    finally:
        shutil.rmtree(folder)
