"""How much work each client may cause in a time."""

from __future__ import annotations

import math
import time

from limits import parse_many
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter

from signaling.errors import TooMany

# An answer costs 15 ms. A page that reloads, or an app that tries again, sends a few.
OFFERS = "10/second; 120/minute"


def expensive(per_minute: int) -> Budget:
    """For what costs much; 0 is no limit."""
    return Budget("of these", f"{per_minute}/minute" if per_minute else "")


class Budget:
    """So many of something for each client.

    Parameters
    ----------
    what
        In the plural, for messages.
    rates
        As `limits` writes them, "10/second; 120/minute"; empty is no limit.
    """

    def __init__(self, what: str, rates: str) -> None:
        self._what = what
        self._rates = parse_many(rates) if rates else []
        self._used = SlidingWindowCounterRateLimiter(MemoryStorage())

    async def charge(self, client: str) -> None:
        """Count one.

        Parameters
        ----------
        client
            Who causes it: `Identity.client`.

        Raises
        ------
        TooMany
            The client has used up what it gets.
        """
        for rate in self._rates:
            if not await self._used.hit(rate, client):
                stats = await self._used.get_window_stats(rate, client)
                raise TooMany(
                    f"one client gets {rate.amount} {self._what} a {rate.GRANULARITY.name}",
                    retry_after_s=max(math.ceil(stats.reset_time - time.time()), 1),
                )
