"""ICE: which addresses and ports are offered, and how soon a peer is known to be gone."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import random
import time
from collections.abc import Callable, Sequence
from typing import Any

import aioice.ice
from aioice.ice import CandidatePair
from aioice.stun import TransactionError
from aiortc import RTCIceParameters, RTCIceTransport

from server.rtc.passed_over import pass_over
from server.rtc.shared_port import SharedPort
from server.tasks import Tasks

# aioice checks consent every 5 s and gives up after 6 misses: 30 s to notice that a peer is gone.
# Were it to check more often, it would close connections whose video flows: of peers that lose
# three checks, or whose answers take longer than the 0.5 s for which it waits for each. And the
# checks of many peers are a good part of all work.
# What a peer sends of its own accord (video, reports on ours at least every 1.5 s) says that it is
# there, too. So it is asked more often only when it falls silent, and is gone after seven half
# seconds in which nothing came, no answer either. Consent itself is as RFC 7675 has it.
# Drop when aioice judges a peer by all that comes from it.
CONSENT_INTERVAL_S = 4.0
CONSENT_EXPIRES_S = 30.0
LISTEN_S = 0.5
ASKED_AFTER_SILENT = 3
GONE_AFTER_SILENT = 7
# A check waits for its answer for 0.5 s, 1 s and 2 s, each time sent again.
CHECK_RETRANSMISSIONS = 2
# What SRTP has room for: pylibsrtp raises on more. The largest that goes over Ethernet is smaller.
MAX_SRTP_BYTES = 1500
# Candidates of a peer, those included that it never named and that its checks come from (RFC 8445,
# section 7.3.1.3). Each is searched for, sorted and checked itself, so that a peer who sends checks
# from all its ports costs a server its event loop. It may name 512.
MAX_REMOTE_CANDIDATES = 600

_original_datagram_received = aioice.ice.StunProtocol.datagram_received
_original_check_incoming = aioice.ice.Connection.check_incoming
_original_data_received = aioice.ice.Connection.data_received
_original_get_host_addresses = aioice.ice.get_host_addresses
_original_init = aioice.ice.Connection.__init__
_original_start = RTCIceTransport.start


def install() -> None:
    """Notice sooner that a peer is gone; keep datagrams of strangers from ending a connection."""
    aioice.ice.Connection.query_consent = _query_consent  # type: ignore[method-assign]
    aioice.ice.Connection.check_incoming = _check_incoming  # type: ignore
    aioice.ice.Connection.data_received = _data_received  # type: ignore[method-assign]
    aioice.ice.StunProtocol.datagram_received = _datagram_received  # type: ignore
    RTCIceTransport.start = _start  # type: ignore


async def _start(self: RTCIceTransport, remote: RTCIceParameters) -> None:
    """Start, unless it has been closed meanwhile: nobody waits for the task that starts it.

    That would end in a traceback in the log for each connection that is closed while it connects.
    Drop when aiortc's connect looks at each transport.
    """
    if self.state != "closed":
        await _original_start(self, remote)


async def _query_consent(self: Any) -> None:
    """Close when the peer is gone, or does not want any more what is sent to it."""
    self._kinecast_heard = True
    asked_s = consented_s = time.monotonic()

    async def check(pair: CandidatePair) -> None:
        nonlocal consented_s
        with contextlib.suppress(TransactionError):
            await pair.protocol.request(
                self.build_request(pair, nominate=False),
                pair.remote_addr,
                integrity_key=self.remote_password.encode(),
                retransmissions=CHECK_RETRANSMISSIONS,
            )
            consented_s, self._kinecast_heard = time.monotonic(), True

    silent, checks = 0, Tasks("consent")
    try:
        # Counted: when this process did not run for a while, nobody was silent.
        while silent < GONE_AFTER_SILENT and time.monotonic() - consented_s < CONSENT_EXPIRES_S:
            if silent >= ASKED_AFTER_SILENT or time.monotonic() - asked_s >= CONSENT_INTERVAL_S:
                asked_s = time.monotonic()
                for pair in self._nominated.values():
                    checks.spawn(check(pair), "check")
            await asyncio.sleep(_to_next_look_s())
            silent = 0 if self._kinecast_heard else silent + 1
            self._kinecast_heard = False
    finally:
        await checks.cancel()
    self._query_consent_task = None
    await self.close()


def _to_next_look_s() -> float:
    """Until the next full half second: all connections look at once, which is one wake-up."""
    since_s = time.monotonic() % LISTEN_S
    # A timer may come a little early.
    return (LISTEN_S if since_s < LISTEN_S / 2 else 2 * LISTEN_S) - since_s


def _datagram_received(self: Any, data: bytes, address: Any) -> None:
    """Pass over STUN that makes no sense: aioice raises on attributes of a wrong size.

    The event loop would write a traceback for each, and anybody can send them. Drop when aioice
    does not.
    """
    try:
        _original_datagram_received(self, data, address)
    except Exception as error:
        pass_over(self, "A datagram", repr(error))


def _check_incoming(self: Any, message: Any, address: Any, protocol: Any) -> None:
    """Learn so many addresses of a peer and no more. Drop when aioice has a bound."""
    if len(self._remote_candidates) >= MAX_REMOTE_CANDIDATES and not any(
        (candidate.host, candidate.port) == tuple(address[:2])
        for candidate in self._remote_candidates
    ):
        pass_over(self, "A check", "it comes from one address more than a peer has")
        return
    _original_check_incoming(self, message, address, protocol)


def _data_received(self: Any, data: bytes, component: int) -> None:
    """Leave out what aiortc's receiving task ends of: anybody can send a datagram to this port.

    It looks at a first byte that an empty one does not have. Drop when it does not.
    """
    if not data or (_is_srtp(data) and len(data) > MAX_SRTP_BYTES):
        return
    self._kinecast_heard = True
    _original_data_received(self, data, component)


def _is_srtp(data: bytes) -> bool:
    return 127 < data[0] < 192  # RFC 7983, section 7.


def set_ice_hosts(addresses: Sequence[str], ports: range | SharedPort | None = None) -> None:
    """Choose what ICE offers as host candidates.

    Parameters
    ----------
    addresses
        Local IP addresses to bind to. Empty: every interface's but loopback, as aioice does.
    ports
        UDP ports to bind to, or one for all connections, which is open; None leaves the choice to
        the system.

    Notes
    -----
    aioice has neither as a setting. Both are wanted behind NAT and in containers, to leave out
    bridges and to open a known range in a firewall. Drop when aioice.Connection takes them.
    """

    def hosts(use_ipv4: bool, use_ipv6: bool) -> list[str]:
        return [a for a in addresses if (use_ipv6 if ":" in a else use_ipv4)]

    aioice.ice.get_host_addresses = hosts if addresses else _original_get_host_addresses
    stands_in: Any = asyncio
    init: Any = _original_init
    if isinstance(ports, SharedPort):
        stands_in = _OtherAsyncio(lambda loop: _SharedPortLoop(loop, ports))
        init = _init_with_ufrag(ports)
    elif ports is not None:
        stands_in = _OtherAsyncio(lambda loop: _PortRangeLoop(loop, ports))
    aioice.ice.asyncio = stands_in  # type: ignore[attr-defined]
    aioice.ice.Connection.__init__ = init  # type: ignore[method-assign]


def _init_with_ufrag(port: SharedPort) -> Any:
    """Begin a connection by a username fragment that no other has."""

    def init(self: Any, *args: Any, **kwargs: Any) -> None:
        if kwargs.get("local_username") is None:
            kwargs["local_username"] = port.make_ufrag()
        _original_init(self, *args, **kwargs)

    return init


class _OtherAsyncio:
    """Stands in for the asyncio module inside aioice, so that its sockets are bound otherwise."""

    def __init__(self, wrap: Callable[[asyncio.AbstractEventLoop], Any]) -> None:
        self._wrap = wrap

    def __getattr__(self, name: str) -> Any:
        return getattr(asyncio, name)

    def get_running_loop(self) -> Any:
        return self._wrap(asyncio.get_running_loop())


class _OtherLoop:
    """The running loop, but a datagram endpoint on port 0 is what `_bind` makes."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loop, name)

    async def create_datagram_endpoint(
        self, protocol_factory: Any, local_addr: tuple[str, int] | None = None, **kwargs: Any
    ) -> Any:
        if local_addr is None or local_addr[1] != 0:
            return await self._loop.create_datagram_endpoint(
                protocol_factory, local_addr=local_addr, **kwargs
            )
        return await self._bind(protocol_factory, local_addr[0], **kwargs)

    async def _bind(self, protocol_factory: Any, address: str, **kwargs: Any) -> Any:
        raise NotImplementedError


class _SharedPortLoop(_OtherLoop):
    """A part of the shared port."""

    def __init__(self, loop: asyncio.AbstractEventLoop, port: SharedPort) -> None:
        super().__init__(loop)
        self._port = port

    async def _bind(self, protocol_factory: Any, address: str, **kwargs: Any) -> Any:
        transport = self._port.attach(protocol_factory, address)
        return transport, transport.protocol


class _PortRangeLoop(_OtherLoop):
    """A free port of the range."""

    def __init__(self, loop: asyncio.AbstractEventLoop, ports: range) -> None:
        super().__init__(loop)
        self._ports = ports

    async def _bind(self, protocol_factory: Any, address: str, **kwargs: Any) -> Any:
        # A random start, so that a port just given up is not at once taken again.
        start = random.randrange(len(self._ports))
        for port in (*self._ports[start:], *self._ports[:start]):
            try:
                return await self._loop.create_datagram_endpoint(
                    protocol_factory, local_addr=(address, port), **kwargs
                )
            except OSError as error:
                if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                    raise
        raise OSError(errno.EADDRINUSE, f"every UDP port of {self._ports} is in use")
