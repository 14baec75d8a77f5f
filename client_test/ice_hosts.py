"""Which host addresses a peer connection of ours offers as ICE candidates.

aioice offers every address of the machine except loopback, and has no setting for it; a client
that talks to a server on its own machine wants loopback and nothing else. The list is made by
``aioice.ice.get_host_addresses``, a function that ``aioice.ice.Connection`` looks up each time it
gathers. `offering` puts a function in its place that answers for the present task only, so that
peers with different addresses can gather at once, and everybody else gets what they got before.
This can go when aioice takes the addresses as a parameter; tests/client_test/test_peer.py
notices when the replaced function is no longer asked.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

import aioice.ice

_offered: ContextVar[tuple[str, ...] | None] = ContextVar("offered_host_addresses", default=None)


@contextmanager
def offering(addresses: Sequence[str] | None) -> Iterator[None]:
    """Offer these host addresses while the block gathers candidates.

    Parameters
    ----------
    addresses
        IP addresses of this machine, such as ``["127.0.0.1"]``; None leaves the choice to aioice.
    """
    _install()
    token = _offered.set(None if addresses is None else tuple(addresses))
    try:
        yield
    finally:
        _offered.reset(token)


def _install() -> None:
    current = aioice.ice.get_host_addresses
    if getattr(current, "asks_context", False):
        return

    def get_host_addresses(use_ipv4: bool, use_ipv6: bool) -> list[str]:
        offered = _offered.get()
        return current(use_ipv4, use_ipv6) if offered is None else list(offered)

    get_host_addresses.asks_context = True  # type: ignore[attr-defined]
    aioice.ice.get_host_addresses = get_host_addresses
