"""The allow-list: which sources clients may have the server read."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from server.sources.errors import SourceRefused
from server.sources.url import PORTS, SourceUrl

_URL_PATTERN = re.compile(r"([a-z]+)://(\[[0-9a-f:*]+\]|[a-z0-9._*?-]+)(?::(\d{1,5}|\*))?(/.*)?")
_WILD = re.compile(r"[*?\[]")


@dataclass(frozen=True, slots=True)
class _UrlPattern:
    """A pattern for URLs; each part is matched by itself, so that none can spill into another."""

    scheme: str
    host: str
    port: int | None
    path: str

    def matches(self, url: SourceUrl) -> bool:
        return (
            url.scheme == self.scheme
            and self.port in (None, url.port)
            and fnmatch.fnmatchcase(url.host, self.host)
            and fnmatch.fnmatchcase(url.target, self.path)
        )

    @property
    def names_host(self) -> bool:
        """Whether someone has written down this very host, wherever it is."""
        return not _WILD.search(self.host)


class AllowList:
    """What may be read.

    Parameters
    ----------
    patterns
        A camera's number; a URL, in which ``*`` stands for anything within the host, the port, or
        the path with its query; a file, or a published name, with ``*`` for anything. Files that
        do not begin with / are below one of `folders`.
    folders
        Where recordings are.
    all_recordings
        Whether a ``*`` stands for files in there, too. Otherwise only those may be read
        that a pattern writes out.

    Raises
    ------
    ValueError
        A pattern is none: one line that says why.
    """

    def __init__(
        self, patterns: Sequence[str], *folders: Path, all_recordings: bool = True
    ) -> None:
        self._cameras = {int(p) for p in patterns if p.isascii() and p.isdigit()}
        self._urls = [_url_pattern(p) for p in patterns if "://" in p]
        self._names = [p for p in patterns if "://" not in p and not p.isdigit()]
        self._folders = [folder.resolve() for folder in folders]
        self._all_recordings = all_recordings

    def check_camera(self, index: int) -> None:
        """Refuse a camera that is not listed."""
        if index not in self._cameras:
            raise _refused(f"camera {index}", str(index))

    def check_name(self, name: str) -> None:
        """Refuse a published stream that is not listed."""
        if not any(fnmatch.fnmatchcase(name, pattern) for pattern in self._names):
            raise _refused(f"the stream {name}", name)

    def check_url(self, url: SourceUrl) -> bool:
        """Refuse a URL that is not listed.

        Returns
        -------
        Whether its host may have a private address, since the list names the host itself.
        """
        matching = [pattern for pattern in self._urls if pattern.matches(url)]
        if not matching:
            raise _refused(str(url))
        return any(pattern.names_host for pattern in matching)

    def check_file(self, name: str) -> Path:
        """Refuse a file that is not listed. Asks the file system: never on the event loop.

        Returns
        -------
        Where the file really is: no link leads on from there.
        """
        shown = f"the file {name}"
        if "\0" in name or not (name.startswith("/") or self._folders):
            raise _refused(shown)
        try:
            path = self._locate(name)
        except (OSError, RuntimeError):
            raise _refused(shown) from None
        matching = [
            name
            for name in self._names
            if any(fnmatch.fnmatchcase(str(path), pattern) for pattern in self._of_files(name))
        ]
        if not matching:
            raise _refused(shown)
        if self._is_recording(path) and all(_WILD.search(name) for name in matching):
            raise SourceRefused(
                f"{shown} is among the recordings, which are everybody's: this takes a token with"
                " the scope control, or an --allow-source that names the file itself"
            )
        return path

    def _locate(self, name: str) -> Path:
        """Where a file is, or would be if there were one."""
        paths = [Path(folder, name).resolve() for folder in self._folders or [Path("/")]]
        return next((path for path in paths if path.exists()), paths[0])

    def _is_recording(self, path: Path) -> bool:
        """Whether a file is one of those that not everybody may read."""
        return not self._all_recordings and any(
            path.is_relative_to(folder) for folder in self._folders
        )

    def _of_files(self, name: str) -> list[str]:
        """Patterns for whole paths."""
        if name.startswith("/"):
            return [_without_links(name)]
        return [f"{_escaped(folder)}/{name}" for folder in self._folders]


def _refused(what: str, pattern: str = "PATTERN") -> SourceRefused:
    return SourceRefused(
        f"{what} is none of the sources that this server reads: it has to be started with"
        f" --allow-source {pattern}"
    )


def _url_pattern(text: str) -> _UrlPattern:
    host = text.partition("://")[2].partition("/")[0]
    match = _URL_PATTERN.fullmatch(text.replace(host, host.lower(), 1))
    if match is None or match[1] not in PORTS:
        raise ValueError(
            f"{text!r} is no pattern for URLs: write http, https or rtsp, a host, and a path, with"
            " * for anything, as in http://cameras.example/*"
        )
    port = None if match[3] == "*" else int(match[3] or PORTS[match[1]])
    # In a pattern, brackets would be a choice of characters.
    return _UrlPattern(match[1], match[2].strip("[]"), port, match[4] or "/*")


def _without_links(pattern: str) -> str:
    """Resolve links in the part of a pattern that is written out."""
    if not _WILD.search(pattern):
        return _escaped(Path(pattern).resolve())
    literal = re.split(_WILD, pattern, maxsplit=1)[0]
    folder = literal.rpartition("/")[0] or "/"
    real = _escaped(Path(folder).resolve()).rstrip("/")
    return real + pattern[len(folder.rstrip("/")) :]


def _escaped(folder: Path) -> str:
    return re.sub(r"([*?\[])", r"[\1]", str(folder))
