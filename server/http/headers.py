"""Headers that tell a browser what a page of this server may do."""

from __future__ import annotations

from aiohttp import hdrs, web

from server.http.origins import ORIGINS

CONTENT_SECURITY_POLICY = "Content-Security-Policy"


# A page of ours runs its own scripts, shows what it made of the camera's pictures, and talks to its
# own server. Nothing inline: what is injected into a page does not run.
def content_security_policy(other: str = "") -> str:
    """What a page may load and talk to.

    Parameters
    ----------
    other
        The origin of a server whose camera the page shows beside its own server's.
    """
    also = f" {other}" if other else ""
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            f"img-src 'self' blob: data:{also}",
            f"media-src 'self' blob:{also}",
            f"connect-src 'self'{also}",
            "worker-src 'self'",
            "manifest-src 'self'",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        )
    )


_PERMISSIONS_POLICY = ", ".join(
    (
        "camera=(self)",
        "microphone=(self)",
        "display-capture=(self)",
        "fullscreen=(self)",
        "screen-wake-lock=(self)",
        "geolocation=()",
        "payment=()",
        "usb=()",
        "serial=()",
    )
)
_ALWAYS = {
    CONTENT_SECURITY_POLICY: content_security_policy(),
    "Permissions-Policy": _PERMISSIONS_POLICY,
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
}
# Half a year, for this name alone.
_STRICT_TRANSPORT_SECURITY = "max-age=15768000"

HAS_REAL_CERTIFICATE = web.AppKey("has_real_certificate", bool)
"""Whether browsers trust the server's certificate, so that it can ask them to insist on TLS."""


async def set_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Set the headers of any response that has not got its own."""
    for name, value in _ALWAYS.items():
        response.headers.setdefault(name, value)
    # aiohttp's own says which version it is, which helps whoever looks for holes.
    response.headers[hdrs.SERVER] = "kinecast"
    response.headers.setdefault(
        "Cross-Origin-Resource-Policy",
        "cross-origin" if request.app[ORIGINS].shares_with(request) else "same-origin",
    )
    if request.app[HAS_REAL_CERTIFICATE] and request.secure:
        response.headers.setdefault(hdrs.STRICT_TRANSPORT_SECURITY, _STRICT_TRANSPORT_SECURITY)
