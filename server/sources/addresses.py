"""Which addresses a host has, and whether they are open to everyone on the internet."""

from __future__ import annotations

import ipaddress
import socket

from server.sources.errors import SourceError, SourceRefused

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# RFC 6052: an IPv4 address in the last four bytes.
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
# All that has been given out of IPv6 (RFC 4291, section 2.4). Beyond it are forms of IPv4 addresses
# (::a.b.c.d, ::ffff:0:a.b.c.d, 64:ff9b:1::/48) and old local ones (fec0::/10).
_IPV6_INTERNET = ipaddress.ip_network("2000::/3")
# RFC 6890, section 2.2.2: for protocols between a host and its provider.
_IPV4_PROTOCOLS = ipaddress.ip_network("192.0.0.0/24")


def resolve(host: str, port: int, *, private: bool) -> list[Address]:
    """Look up a host. Takes time: never on the event loop.

    Whoever connects uses one of the addresses returned, and does not look the host up again: by
    then it could have another.

    Parameters
    ----------
    private
        Whether addresses that are not public are meant too.

    Raises
    ------
    SourceError
        There is no such host.
    SourceRefused
        It has an address that is not public.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise SourceError(f"the host {host} is not found") from error
    addresses = list(dict.fromkeys(_parse(str(entry[4][0])) for entry in found))
    if not private and not all(map(is_public, addresses)):
        raise SourceRefused(
            f"{host} is on a private network: the server reads from there only if its"
            " --allow-source names the host itself"
        )
    return addresses


def connect(addresses: list[Address], port: int, timeout_s: float) -> socket.socket:
    """Connect to the first address that answers.

    Raises
    ------
    OSError
        None does.
    """
    for address in addresses[:-1]:
        try:
            return socket.create_connection((str(address), port), timeout_s)
        except OSError:
            continue
    return socket.create_connection((str(addresses[-1]), port), timeout_s)


def is_public(address: Address) -> bool:
    """Whether an address is one of the internet's, also where it is written in another's form."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if inner is None and address in _NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is None and address.teredo is not None:
            inner = address.teredo[1]
        if inner is not None:
            return is_public(inner)
        if address not in _IPV6_INTERNET:
            return False
    elif address in _IPV4_PROTOCOLS:
        return False
    return address.is_global and not address.is_multicast


def _parse(text: str) -> Address:
    # A zone, "fe80::1%eth0", is of this machine and says nothing of the address.
    return ipaddress.ip_address(text.partition("%")[0])
