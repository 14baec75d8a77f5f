"""What the log says when the server is up: where it is, and who gets in."""

from __future__ import annotations

import ipaddress
import logging
import os

from server.config import Settings
from server.config.variables import CERT, KEY
from server.security import development_certificate
from server.security.development_certificate import DevelopmentCertificate

logger = logging.getLogger(__name__)


def announce(settings: Settings, certificate: DevelopmentCertificate | None) -> None:
    """Log the addresses, what secures them, and what runs."""
    secure = settings.cert_file is not None or certificate is not None
    hosts = reachable_hosts(settings.host)
    if not settings.websocket_only:
        logger.info(
            "Kinecast serves %s (offers: /signaling, /offer; state: /health, /sessions)",
            _urls("https" if secure else "http", hosts, settings.port),
        )
    logger.info(
        "Signaling WebSocket on any path: %s",
        _urls("wss" if secure else "ws", hosts, settings.port + 1),
    )
    if settings.ice_port is not None:
        last = settings.ice_port + settings.nodes - 1
        logger.info(
            "Media of all sessions: UDP port %s",
            settings.ice_port if settings.nodes == 1 else f"{settings.ice_port} to {last}",
        )
    if certificate is not None:
        logger.info(
            "Browsers warn of the self-signed certificate once; go on if its SHA-256 fingerprint is"
            " %s",
            certificate.fingerprint,
        )
    if not secure and os.environ.get(CERT):
        logger.info(
            "This is plain HTTP: %s without %s is OpenSSL's, the authorities to trust", CERT, KEY
        )
    if settings.asks_for_tokens:
        logger.info("Clients need a token: kinecast token --scope publish,view --ttl 12h")
    elif settings.no_auth:
        logger.warning("Nobody is asked who they are: whoever reaches these addresses may use them")
    logger.info(
        "Analyzers: %s in %d workers%s, which load now",
        ", ".join(spec.name for spec in settings.analyzers),
        max(settings.workers, settings.nodes),
        f" of {settings.nodes} nodes" if settings.nodes > 1 else "",
    )


def reachable_hosts(host: str) -> list[str]:
    """Return what can be typed to get to a server that listens on `host`, as it is in a URL."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return [host]
    if not address.is_unspecified:
        return [_in_url(address)]
    # Listening on :: takes IPv4 too only where the system is set so; asyncio forbids it.
    own = [a for a in development_certificate.addresses() if a.version == address.version]
    return [_in_url(a) for a in sorted(own, key=lambda a: a.is_loopback)] or [host]


def _in_url(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> str:
    return f"[{address}]" if address.version == 6 else str(address)


def _urls(scheme: str, hosts: list[str], port: int) -> str:
    return ", ".join(f"{scheme}://{host}:{port}" for host in hosts)
