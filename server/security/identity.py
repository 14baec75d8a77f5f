"""Who a request comes from, and what they may do."""

from __future__ import annotations

import enum
import ipaddress
from dataclasses import dataclass

from aiohttp import web

from signaling.errors import NotAllowed

# One customer of an internet provider has at least so many bits of IPv6 addresses (RFC 6177).
_IPV6_NETWORK_BITS = 64


class Scope(enum.StrEnum):
    """What a token allows."""

    PUBLISH = "publish"
    """To send video and get what is seen in it."""
    VIEW = "view"
    """To watch, and to read what the server tells of itself."""
    CONTROL = "control"
    """To read and end what others opened, and to switch cameras and recordings."""
    COACH = "coach"
    """To read the trainings of those who share them, and to look at their sessions."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who sends a request.

    Attributes
    ----------
    subject
        The token's subject; None where the server asks for no token.
    scopes
        What the token allows.
    client
        What it is counted by: the subject, or else the address it comes from.
    """

    subject: str | None
    scopes: frozenset[Scope]
    client: str = ""

    def may(self, scope: Scope) -> bool:
        """Whether what needs this scope is allowed. Control includes the others."""
        return scope in self.scopes or Scope.CONTROL in self.scopes

    def check(self, scope: Scope, what: str) -> None:
        """Refuse what is not allowed.

        Raises
        ------
        NotAllowed
            The scope is missing.
        """
        if not self.may(scope):
            raise NotAllowed(f"the token does not allow {what}: it needs the scope {scope}")

    def may_touch(self, owner: str | None) -> bool:
        """Whether what belongs to `owner` may be read, resumed or ended."""
        return self.subject == owner or Scope.CONTROL in self.scopes


ANONYMOUS = Identity(None, frozenset(Scope))
"""Everyone, where the server asks for no token."""
NOBODY = Identity("", frozenset())
"""Who has shown no token where one is asked for: on routes that are open to all."""


def client_address(remote: str | None) -> str:
    """Return what a client is counted by: its address, or the network that IPv6 gives each."""
    try:
        address = ipaddress.ip_address(remote or "")
    except ValueError:
        return remote or "unknown"
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((address, _IPV6_NETWORK_BITS), strict=False))
    return str(address)


IDENTITY = web.RequestKey("identity", Identity)
