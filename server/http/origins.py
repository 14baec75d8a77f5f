"""Which web pages may use the server: the allow-list, same origin, and CORS."""

from __future__ import annotations

import ipaddress
import logging
from collections.abc import Iterable
from urllib.parse import urlsplit

from aiohttp import hdrs, web

from server.http.access import ROUTE_TABLE
from server.http.route import Handler
from server.security.origin_names import ANY
from signaling.errors import NotAllowed, quote

logger = logging.getLogger(__name__)

# A browser asks again after this, or after less: Chromium's bound is two hours.
PREFLIGHT_S = 3600
# What our answers carry that a page of another origin may want to read.
_EXPOSED = "Location, ETag, Link, Retry-After"
# Origins that are refused are logged once each, and not without end.
_MAX_LOGGED = 100
# Names that only a local network or the machine itself resolves: nobody can register them.
_LOCAL_DOMAINS = (".localhost", ".local", ".internal", ".lan", ".home.arpa")


class Origins:
    """Decides whether a page may use the server.

    Parameters
    ----------
    allowed
        Origins beside the server's own, as `parse_origins` returns them.
    check_host
        Refuse requests for host names that anybody might have pointed here. Needed where no token
        is asked for: to a page whose name is made to resolve to 127.0.0.1 (DNS rebinding) the
        server is same-origin.
    """

    def __init__(self, allowed: Iterable[str], *, check_host: bool) -> None:
        self._allowed = frozenset(allowed)
        self._check_host = check_host
        self._allowed_hosts = {urlsplit(o).hostname for o in self._allowed if "://" in o}
        self._logged: set[str] = set()

    def allows(self, request: web.Request) -> bool:
        """Whether the request's origin may use the server. What is no browser has none."""
        origin = request.headers.get(hdrs.ORIGIN)
        return origin is None or self._lists(origin) or is_same(origin, request)

    def shares_with(self, request: web.Request) -> bool:
        """Whether a page of another origin may show the answer, a picture say."""
        origin = _origin_of(request)
        return ANY in self._allowed or (origin is not None and self._lists(origin))

    def _lists(self, origin: str) -> bool:
        return ANY in self._allowed or origin.lower() in self._allowed

    def _is_foreign(self, request: web.Request) -> bool:
        """Whether a page that may not use the server has a browser ask, without an Origin.

        So ``<img src="http://pi/stream.mjpg">`` does, and a link. A browser says where it comes
        from (Fetch Metadata) to servers whose connection is secure, as it is to this machine; to
        others it may still name the page.
        """
        if hdrs.ORIGIN in request.headers or ANY in self._allowed:
            return False
        origin = _origin_of(request)
        if origin is not None:
            return not (self._lists(origin) or is_same(origin, request))
        return request.headers.get("Sec-Fetch-Site") in ("cross-site", "same-site")

    def check(self, request: web.Request) -> None:
        """Refuse a page that may not use the server.

        Raises
        ------
        NotAllowed
            Which origin it was and how it is let in.
        """
        if not self.allows(request):
            origin = request.headers[hdrs.ORIGIN]
            self._log(origin)
            raise NotAllowed(
                f"pages of {quote(origin)} may not use this server: start it with --allow-origin"
            )
        route = request.app[ROUTE_TABLE].find(request)
        if route is not None and route.scope is not None and self._is_foreign(request):
            raise NotAllowed(
                "another site's page asks for this: start the server with --allow-origin and its"
                " origin, or open the address itself"
            )
        if self._check_host and not self._is_ours(request.host):
            self._log(request.host)
            raise NotAllowed(
                f"this server is not known as {quote(request.host)}: use its address, or start it"
                " with --allow-origin and the origin that it has under this name"
            )

    def _is_ours(self, netloc: str) -> bool:
        host = _hostname(netloc)
        if host is None or ANY in self._allowed or host in self._allowed_hosts:
            return host is not None
        if "." not in host or host.endswith(_LOCAL_DOMAINS):
            return True
        return _is_address(host)

    def _log(self, refused: str) -> None:
        if refused in self._logged or len(self._logged) >= _MAX_LOGGED:
            return
        self._logged.add(refused)
        logger.warning("Refused %s; --allow-origin lets pages in", quote(refused))


def is_same(origin: str, request: web.Request) -> bool:
    """Whether an origin is the one that the request was sent to."""
    scheme, separator, netloc = origin.lower().partition("://")
    if not separator or netloc != request.host.lower():
        return False
    # Behind a proxy that ends TLS the page has https and we have not; the other way round the page
    # came over a connection that anybody could have changed.
    return scheme == "https" or (scheme == "http" and not request.secure)


def _origin_of(request: web.Request) -> str | None:
    """The origin of the page that a browser asks for, if it says."""
    if (origin := request.headers.get(hdrs.ORIGIN)) is not None:
        return origin
    scheme, separator, rest = request.headers.get(hdrs.REFERER, "").partition("://")
    return f"{scheme}://{rest.partition('/')[0]}" if separator else None


def _hostname(netloc: str) -> str | None:
    try:
        return urlsplit(f"//{netloc}").hostname
    except ValueError:
        return None


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


ORIGINS = web.AppKey("origins", Origins)


@web.middleware
async def check_origin(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse pages that may not use the server; answer browsers that ask beforehand."""
    request.app[ORIGINS].check(request)
    if is_preflight(request):
        return web.Response(status=204, headers=_preflight_headers(request))
    return await handler(request)


def is_preflight(request: web.Request) -> bool:
    """Whether a browser asks if it may send a request."""
    return (
        request.method == hdrs.METH_OPTIONS
        and hdrs.ORIGIN in request.headers
        and hdrs.ACCESS_CONTROL_REQUEST_METHOD in request.headers
    )


def _preflight_headers(request: web.Request) -> dict[str, str]:
    headers: dict[str, str] = {
        hdrs.ACCESS_CONTROL_ALLOW_METHODS: "GET, POST, PATCH, DELETE, OPTIONS",
        hdrs.ACCESS_CONTROL_MAX_AGE: str(PREFLIGHT_S),
    }
    if asked := request.headers.get(hdrs.ACCESS_CONTROL_REQUEST_HEADERS):
        headers[hdrs.ACCESS_CONTROL_ALLOW_HEADERS] = asked
    return headers


async def share_response(request: web.Request, response: web.StreamResponse) -> None:
    """Let the page of an allowed origin read the response, an error too."""
    origin = request.headers.get(hdrs.ORIGIN)
    response.headers.add(hdrs.VARY, hdrs.ORIGIN)
    if origin is None or is_same(origin, request) or not request.app[ORIGINS].allows(request):
        return
    response.headers[hdrs.ACCESS_CONTROL_ALLOW_ORIGIN] = origin
    response.headers[hdrs.ACCESS_CONTROL_EXPOSE_HEADERS] = _EXPOSED
