"""How much one client gets at once, and a minute."""

from __future__ import annotations

import asyncio
import contextlib
import heapq
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator

from aiohttp import hdrs, web

from server.http.access import ROUTE_TABLE
from server.http.errors import PackedBody, TooSlow
from server.http.route import Handler
from server.security.budget import expensive
from server.security.identity import ANONYMOUS, IDENTITY, client_address
from signaling.errors import TooMany

# A socket that is closed makes room at once; nobody can say when one will be.
BUSY_RETRY_S = 5


class ClientLimits:
    """Counts what each client asks for.

    Parameters
    ----------
    connections_per_address
        Requests and sockets of one address that are served at once; 0 is no limit.
    expensive_per_minute
        Requests for something expensive that one client gets answered; 0 is no limit.
    request_time_s
        In which the body of a request must be here.

    Attributes
    ----------
    charge_expensive
        Counts one of a client's.
    elsewhere
        How many of an address others serve, where several processes are one server.
    """

    def __init__(
        self, *, connections_per_address: int, expensive_per_minute: int, request_time_s: float
    ) -> None:
        self.request_time_s = request_time_s
        self._per_address = connections_per_address
        self._busy: Counter[str] = Counter()
        self._looked: dict[str, int] = {}
        self.elsewhere: Callable[[str], int] = lambda _: 0
        self.charge_expensive: Callable[[str], Awaitable[None]] = expensive(
            expensive_per_minute
        ).charge

    @contextlib.contextmanager
    def serving(self, request: web.Request) -> Iterator[None]:
        """Count a request for as long as it is served.

        Raises
        ------
        TooMany
            The address has as many as it gets.
        """
        address = client_address(request.remote)
        served = self._busy[address] + self.elsewhere(address)
        if self._per_address and served >= self._per_address:
            raise TooMany(
                f"{self._per_address} requests and sockets of {address} are open already: close"
                " one first",
                retry_after_s=BUSY_RETRY_S,
            )
        self._busy[address] += 1
        try:
            yield
        finally:
            self._busy[address] -= 1
            if not self._busy[address]:
                del self._busy[address]

    def lasting(self, most: int) -> dict[str, int]:
        """How many each address has that were there when this was asked last; the busiest ones.

        Requests come and go within milliseconds: what lasts are sockets, streams, slow clients.
        """
        both = {
            address: min(busy, self._looked[address])
            for address, busy in self._busy.items()
            if address in self._looked
        }
        self._looked = dict(self._busy)
        return dict(heapq.nlargest(most, both.items(), key=lambda each: each[1]))

    async def check_expensive(self, request: web.Request) -> None:
        """Count a request for something expensive.

        The middleware does this for routes that are declared `expensive`; a handler does it for
        what else costs as much.

        Raises
        ------
        TooMany
            The client has used up its minute.
        """
        by = request.get(IDENTITY, ANONYMOUS)
        await self.charge_expensive(by.client or client_address(request.remote))


LIMITS = web.AppKey("limits", ClientLimits)


@web.middleware
async def count_served(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Serve so many requests of one address at once, and wait for each only so long."""
    limits = request.app[LIMITS]
    with limits.serving(request):
        if not request.body_exists:
            return await handler(request)
        if request.headers.get(hdrs.CONTENT_ENCODING, "identity").lower() != "identity":
            raise PackedBody("the body is compressed: send it as it is, without Content-Encoding")
        loop = asyncio.get_running_loop()
        timer = loop.call_later(limits.request_time_s, _give_up, request, limits.request_time_s)
        try:
            return await handler(request)
        finally:
            timer.cancel()
            if isinstance(request.content.exception(), TooSlow):
                # aiohttp tries to read the rest. This error it takes for the end of that; any other
                # it logs with a traceback, for every client that is slow.
                request.content.set_exception(TimeoutError())


def _give_up(request: web.Request, after_s: float) -> None:
    """Let whoever reads the body know that the rest is not waited for."""
    if not request.content.is_eof():
        request.content.set_exception(
            TooSlow(f"the request's body was not here within {after_s:g} s")
        )


@web.middleware
async def count_expensive(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer so many requests of one client a minute, where the table of routes says so."""
    route = request.app[ROUTE_TABLE].find(request)
    if route is not None and route.expensive:
        await request.app[LIMITS].check_expensive(request)
    return await handler(request)
