"""One UDP port for all connections of this process, told apart by what their datagrams say.

aioice makes a socket for each connection and address. Here a connection gets a transport of its
own that sends and receives through a socket of all (RFC 8445 leaves it open; other servers do the
same). What arrives is

- a STUN request: its USERNAME begins with our fragment, which is the connection's. Only one that
  has the connection's password is passed on, and where it came from is learned;
- a STUN response: to a transaction that one of them has begun;
- anything else (DTLS, SRTP): from an address that was learned.

All else is a stranger's, and dropped without an answer or a trace. Drop when aioice can share a
port (aioice#47).
"""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import logging
import socket
import struct
from collections.abc import Callable, Iterator, MutableMapping, Sequence
from typing import Any

import aioice.ice
from aioice.ice import StunProtocol
from aioice.stun import parse_message
from aioice.utils import random_string

from server.rtc.passed_over import pass_over
from server.rtc.shared_socket import Address, SharedSocket, Unsent

logger = logging.getLogger(__name__)

# aioice's own has four, of which two connections may have the same.
UFRAG_CHARACTERS = 12
# A peer's that are remembered: those it is heard from, the one longest ago is forgotten first. It
# has one for each of its networks, and one for each NAT on the way.
MAX_LEARNED = 64
# With fewer bytes to receive in, a log line says so: 0.1 s of 32 Mb/s.
SMALL_BUFFER_BYTES = 400_000

_STUN_HEADER = struct.Struct("!HHI12s")
_STUN_COOKIE = 0x2112A442
_CLASS, _REQUEST, _RESPONSES = 0x0110, 0x0000, 0x0100
_USERNAME = 0x0006
# Behind so many others it is not looked for.
_MAX_ATTRIBUTES = 16


class SharedPort:
    """The port, and whose are the datagrams that arrive at it.

    Parameters
    ----------
    number
        The UDP port.
    addresses
        Those to offer; empty: every interface's but loopback. One that this machine does not have
        is offered all the same: somebody in front (a container's host, a cloud's NAT) passes on
        what is sent there.
    node
        Begins each username fragment: letters and digits that tell this process from others.
    """

    def __init__(self, number: int, addresses: Sequence[str] = (), node: str = "") -> None:
        self.number = number
        self.node = node
        self._addresses = tuple(addresses)
        self._sockets: dict[str, SharedSocket] = {}
        self._by_ufrag: dict[tuple[SharedSocket, str], SharedTransport] = {}
        self._by_transaction: dict[bytes, SharedTransport] = {}
        self._by_address: dict[tuple[SharedSocket, Address], SharedTransport] = {}
        self._everywhere: set[bool] = set()

    def open(self) -> None:
        """Bind it at every address that is there; others follow when they are.

        Raises
        ------
        OSError
            One is taken, or may not be had.
        """
        found = self._addresses or aioice.ice.get_host_addresses(use_ipv4=True, use_ipv6=True)
        self._everywhere = {":" in each for each in self._addresses if not _is_local(each)}
        try:
            for address in found:
                self._socket_at(address)
        except OSError:
            self.close()
            raise
        smallest = min((each.receive_bytes for each in self._sockets.values()), default=0)
        if self._sockets and smallest < SMALL_BUFFER_BYTES:
            logger.warning(
                "UDP port %d has %d kB for what arrives while the server is busy, for all sessions"
                " together: raise it with sysctl -w net.core.rmem_max=4194304",
                *(self.number, smallest // 1000),
            )

    def close(self) -> None:
        """Close its sockets; whoever still shares them is not heard any more."""
        for each in self._sockets.values():
            each.close()
        self._sockets.clear()

    def attach(self, make_protocol: Callable[[], StunProtocol], address: str) -> SharedTransport:
        """Give a connection its way through the port.

        Parameters
        ----------
        make_protocol
            Makes the connection's end.
        address
            One that is offered.

        Raises
        ------
        OSError
            The port can not be had at this address.
        """
        shared = self._socket_at(address)
        protocol = make_protocol()
        transport = SharedTransport(self, shared, protocol, (address, self.number))
        protocol.transactions = _Transactions(self._by_transaction, transport)  # type: ignore[assignment]
        self._by_ufrag[(shared, transport.ufrag)] = transport
        protocol.connection_made(transport)
        return transport

    def learn(self, transport: SharedTransport, address: Address) -> bool:
        """Remember that a peer was heard from an address; False if it is another connection's."""
        owner = self._by_address.setdefault((transport.shared, address), transport)
        if owner.connection is not transport.connection:
            if not transport.is_refused:
                transport.is_refused = True
                logger.warning(
                    "A peer at %s, UDP port %d, is refused: another session has that address and"
                    " port already. A peer needs a port of its own for each session",
                    *address,
                )
            return False
        owner.learned.pop(address, None)
        owner.learned[address] = None
        if len(owner.learned) > MAX_LEARNED:
            oldest = next(iter(owner.learned))
            del owner.learned[oldest]
            del self._by_address[(owner.shared, oldest)]
        return True

    def detach(self, transport: SharedTransport) -> None:
        """Forget a connection."""
        key = (transport.shared, transport.ufrag)
        # Of two addresses that are offered for one socket, each has a transport.
        if self._by_ufrag.get(key) is transport:
            del self._by_ufrag[key]
        for address in transport.learned:
            del self._by_address[(transport.shared, address)]
        transport.learned.clear()

    @property
    def remembered(self) -> int:
        """How many fragments, transactions and addresses are held."""
        return len(self._by_ufrag) + len(self._by_transaction) + len(self._by_address)

    def make_ufrag(self) -> str:
        """A username fragment, for one connection."""
        return self.node + random_string(UFRAG_CHARACTERS)

    def _socket_at(self, address: str) -> SharedSocket:
        is_v6 = ":" in address
        if is_v6 in self._everywhere:
            address = "::" if is_v6 else "0.0.0.0"
        if address not in self._sockets:
            shared = SharedSocket(
                (address, self.number), lambda *what: self._receive(shared, *what)
            )
            self._sockets[address] = shared
        return self._sockets[address]

    def _receive(self, shared: SharedSocket, data: bytes, address: Address) -> None:
        if not _is_stun(data):
            transport = self._by_address.get((shared, address))
            if transport is not None:
                transport.receive(data)
            return
        kind, _, _, transaction = _STUN_HEADER.unpack_from(data)
        if kind & _CLASS == _REQUEST:
            self._receive_request(shared, data, address)
        elif kind & _RESPONSES and (transport := self._by_transaction.get(transaction)):
            # Such an identifier can not be guessed. What the peer says it has of addresses is in
            # its candidates; one of our own STUN server's is not.
            if transport.is_candidate(address) and not self.learn(transport, address):
                return
            transport.protocol.datagram_received(data, address)

    def _receive_request(self, shared: SharedSocket, data: bytes, address: Address) -> None:
        transport = self._by_ufrag.get((shared, _own_fragment(data)))
        if transport is None:
            return
        try:
            message = parse_message(data)
            if transport.knows(message) and self.learn(transport, address):
                transport.connection.request_received(message, address, transport.protocol)
        except Exception as error:
            # aioice raises anything on attributes that make no sense.
            pass_over(transport.protocol, "A datagram", repr(error))


class SharedTransport(asyncio.DatagramTransport):
    """One connection's way through a shared socket.

    Parameters
    ----------
    port, shared
        Whose it is, and where it goes out.
    protocol
        The connection's end of it.
    offered
        The address and the port that are offered.
    """

    def __init__(
        self, port: SharedPort, shared: SharedSocket, protocol: StunProtocol, offered: Address
    ) -> None:
        super().__init__({"sockname": offered})
        self.shared = shared
        self.protocol = protocol
        self.connection: Any = protocol.receiver
        self.ufrag: str = self.connection.local_username
        self.learned: dict[Address, None] = {}
        """Where its peer was heard from, the latest last."""
        self.is_refused = False
        self._port = port
        self._unsent = Unsent()
        self._is_closed = False

    @property
    def socket(self) -> socket.socket:
        """What it goes out of, for bursts."""
        return self.shared.socket

    def sendto(self, data: Any, addr: Any = None) -> None:
        """As `asyncio.DatagramTransport` has it."""
        if not self._is_closed:
            self.shared.send(data, addr, self._unsent)

    def get_write_buffer_size(self) -> int:
        """What waits of this connection's."""
        return self._unsent.size

    def is_closing(self) -> bool:
        """Whether it was closed."""
        return self._is_closed

    def close(self) -> None:
        """Leave the port; the socket stays."""
        if not self._is_closed:
            self._is_closed = True
            self._port.detach(self)
            asyncio.get_running_loop().call_soon(self.protocol.connection_lost, None)

    abort = close

    def receive(self, data: bytes) -> None:
        """Take what is not STUN."""
        self.connection.data_received(data, self.protocol.local_candidate.component)

    def knows(self, message: Any) -> bool:
        """Whether a request has our password."""
        return bool(
            self.connection._valid_username(message.attributes.get("USERNAME", ""))
            and message.check_message_integrity(self.connection.local_password.encode())
        )

    def is_candidate(self, address: Address) -> bool:
        """Whether it is one of the peer's."""
        return any(
            (each._network_host, each.port) == address
            for each in self.connection._remote_candidates
        )


class _Transactions(MutableMapping[bytes, Any]):
    """Those that one connection has begun, which its port knows as long as they last."""

    def __init__(
        self, by_transaction: dict[bytes, SharedTransport], transport: SharedTransport
    ) -> None:
        self._own: dict[bytes, Any] = {}
        self._by_transaction = by_transaction
        self._transport = transport

    def __getitem__(self, identifier: bytes) -> Any:
        return self._own[identifier]

    def __setitem__(self, identifier: bytes, transaction: Any) -> None:
        self._own[identifier] = transaction
        self._by_transaction[identifier] = self._transport

    def __delitem__(self, identifier: bytes) -> None:
        del self._own[identifier]
        del self._by_transaction[identifier]

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._own)

    def __len__(self) -> int:
        return len(self._own)


def _is_stun(data: bytes) -> bool:
    """By RFC 7983, section 7, and RFC 8489, section 5."""
    return (
        len(data) >= _STUN_HEADER.size and data[0] < 4 and int.from_bytes(data[4:8]) == _STUN_COOKIE
    )


def _own_fragment(data: bytes) -> str:
    """Ours of a request's USERNAME (RFC 8445, section 7.2.2); empty without one."""
    at = _STUN_HEADER.size
    for _ in range(_MAX_ATTRIBUTES):
        if at + 4 > len(data):
            break
        kind, size = struct.unpack_from("!HH", data, at)
        if kind == _USERNAME:
            return data[at + 4 : at + 4 + size].partition(b":")[0].decode("ascii", "replace")
        # Padded to a multiple of four.
        at += 4 + (size + 3) // 4 * 4
    return ""


def _is_local(address: str) -> bool:
    """Whether this machine has an address."""
    family = socket.AF_INET6 if ipaddress.ip_address(address).version == 6 else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((address, 0))
        except OSError as error:
            return error.errno != errno.EADDRNOTAVAIL
    return True
