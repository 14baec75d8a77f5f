"""The page: ``/`` and the files below ``/web/``, read once when the server starts."""

from __future__ import annotations

import gzip
import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from sysconfig import get_path

from aiohttp import ETag, hdrs, web

from server.http.headers import CONTENT_SECURITY_POLICY, content_security_policy
from server.security.origin_names import parse_origins
from signaling.errors import BadMessage, NotFound, quote

_INDEX = "index.html"
_TYPES = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    # Types, for those who build on the client.
    ".ts": "text/plain",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
}
# Asked about each time, and mostly answered with 304: a new version is there with the next reload.
_CACHING = {hdrs.CACHE_CONTROL: "no-cache"}
# Scripts' comments, lines of them, blocks, and those behind code: a fifth of what would be sent.
# Their ends of lines stay, so that lines have the numbers that they have in the source. What
# lines are indented by goes too: no text of a script goes over an end of line. Styles alike.
_COMMENT = re.compile(
    rb"^[ \t]*(?://.*|/\*\*(?:[^*]|\*(?!/))*\*/[ \t]*)$"
    # Behind code: what has no quote after it is in no text.
    rb"|(?<=[;,{}()\[\]]) // [^\"'`\n]*$",
    re.MULTILINE,
)
_STYLE_COMMENT = re.compile(rb"/\*(?:[^*]|\*(?!/))*\*/")
_INDENT = re.compile(rb"^[ \t]+", re.MULTILINE)
# This one is for pages of others, and read by whoever writes them.
_WITH_COMMENTS = "kinecast.js"
# In a checkout it lies beside the packages; pip puts it where data goes.
_SAMPLE_FOLDERS = (Path(__file__).resolve().parents[2], Path(get_path("data")) / "share/kinecast")
SAMPLE = next((f for d in _SAMPLE_FOLDERS if (f := d / "sample-video.mp4").is_file()), None)


@dataclass(frozen=True, slots=True)
class _File:
    body: bytes
    zipped: bytes
    content_type: str
    etag: str


_PAGE = web.AppKey("page", Mapping[str, _File])


def set_up(app: web.Application) -> None:
    """Read the page's files, by their paths below ``server/web``."""
    app[_PAGE] = dict(_read(files("server").joinpath("web"), ""))


def _read(folder: Traversable, prefix: str) -> Iterator[tuple[str, _File]]:
    for entry in folder.iterdir():
        path = prefix + entry.name
        if entry.is_dir():
            yield from _read(entry, f"{path}/")
        elif content_type := _TYPES.get(Path(entry.name).suffix):
            body = entry.read_bytes()
            comments = {".js": _COMMENT, ".css": _STYLE_COMMENT}.get(Path(path).suffix)
            if comments and path != _WITH_COMMENTS:
                body = comments.sub(lambda found: b"\n" * found[0].count(b"\n"), body)
                body = _INDENT.sub(b"", body)
            etag = hashlib.sha256(body).hexdigest()[:16]
            yield path, _File(body, gzip.compress(body, mtime=0), content_type, etag)


async def index(request: web.Request) -> web.Response:
    """The page itself; with ``?server=ORIGIN`` it may show the camera of that server, too."""
    response = _answer(request, _INDEX)
    if (other := request.query.get("server")) is not None:
        try:
            origin = _other_server(other)
        except BadMessage:
            # A person gets the page, which says what is wrong, without that server.
            if "text/html" not in request.headers.get(hdrs.ACCEPT, ""):
                raise
            response.set_status(BadMessage.code)
        else:
            response.headers[CONTENT_SECURITY_POLICY] = content_security_policy(origin)
    return response


def _other_server(name: str) -> str:
    try:
        (origin,) = parse_origins([name])
    except ValueError as error:
        raise BadMessage(str(error)) from None
    if "://" not in origin:
        raise BadMessage(f"server={quote(name)}: name it as http://HOST:PORT")
    return origin


async def file(request: web.Request) -> web.Response:
    """A script, a style or a picture of the page's."""
    return _answer(request, request.match_info["path"])


async def sample(_request: web.Request) -> web.StreamResponse:
    """The sample video, whole or in ranges as browsers ask for it."""
    if SAMPLE is None:
        raise NotFound("this server has no sample video: take one of your own")
    return web.FileResponse(SAMPLE, headers=_CACHING)


def _answer(request: web.Request, path: str) -> web.Response:
    found = request.app[_PAGE].get(path)
    if found is None:
        raise NotFound(f"the page has no file {quote(path)}")
    zips = "gzip" in request.headers.get(hdrs.ACCEPT_ENCODING, "")
    asked = request.if_none_match or ()
    if any(tag.value in (found.etag, "*") for tag in asked):
        response = web.Response(status=304, headers=_CACHING)
    else:
        response = web.Response(
            body=found.zipped if zips else found.body,
            content_type=found.content_type,
            charset="utf-8",
            headers=_CACHING | ({hdrs.CONTENT_ENCODING: "gzip"} if zips else {}),
        )
    # The same, zipped or not, so it is a weak one (RFC 9110, section 8.8.1).
    response.etag = ETag(found.etag, is_weak=True)
    response.headers.add(hdrs.VARY, hdrs.ACCEPT_ENCODING)
    return response
