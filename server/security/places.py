"""Who may have how many of the server's places, and who gives one up.

Places belong to clients: to a token's subject, or to an address where no tokens are asked for. When
all are taken, one's own that are not used go first; nobody takes another's that is used or waits
for its peer. What others have not connected to is theirs for a moment, and for half of all places.
"""

from __future__ import annotations

import enum
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from server.security.identity import Identity
from signaling.errors import Busy, TooMany

RETRY_AFTER_S = 5
# Another's peer that has not connected by then makes room where there is none.
_CONNECTS_SOON_S = 10.0

T = TypeVar("T")


class Standing(enum.Enum):
    """What a place is held for."""

    CONNECTING = enum.auto()
    """A peer that was answered and has not connected."""
    WAITING = enum.auto()
    """A peer that is gone and may come back."""
    USED = enum.auto()


@dataclass(frozen=True, slots=True)
class Place(Generic[T]):
    """A place that is taken.

    Attributes
    ----------
    holder
        Who or what is there.
    client
        Whose it is: `Identity.client`.
    since_s
        When the peer was answered, by the monotonic clock.
    """

    holder: T
    client: str
    standing: Standing
    since_s: float


@dataclass(frozen=True, slots=True)
class Places:
    """How many places there are.

    Attributes
    ----------
    what
        Who takes them, for messages: "sessions".
    total
        For all together.
    per_subject
        For each subject; 0 is half of all.
    """

    what: str
    total: int
    per_subject: int = 0

    def make_room(self, taken: Sequence[Place[T]], by: Identity, elsewhere: int = 0) -> T | None:
        """Find a place for one more.

        Parameters
        ----------
        taken
            Those that are taken, oldest first.
        by
            Who wants one.
        elsewhere
            How many they have at other nodes, which count for a subject's share.

        Returns
        -------
        Who has to go for it; None if there is room.

        Raises
        ------
        TooMany
            The subject has as many as one gets.
        Busy
            All are taken, by others who use them.
        """
        own = [place for place in taken if place.client == by.client]
        connecting = [place for place in own if place.standing is Standing.CONNECTING]
        spare = connecting + [place for place in own if place.standing is Standing.WAITING]
        share = self.per_subject or max(self.total // 2, 1)
        has_share = by.subject is not None and len(own) + elsewhere >= share
        if len(taken) < self.total:
            if not has_share:
                return None
            if not spare:
                raise TooMany(
                    f"one token's subject gets {share} {self.what}: end one first",
                    retry_after_s=RETRY_AFTER_S,
                )
        elif not has_share:
            spare = spare or self._overdue(taken)
        if spare:
            return spare[0].holder
        raise Busy(
            f"all {self.total} {self.what} of this server are taken: try again in a few seconds",
            retry_after_s=RETRY_AFTER_S,
        )

    def _overdue(self, taken: Sequence[Place[T]]) -> list[Place[T]]:
        """Those that nobody has connected to for long, or of a client that has too many such."""
        connecting = [place for place in taken if place.standing is Standing.CONNECTING]
        late_s = time.monotonic() - _CONNECTS_SOON_S
        of_each = Counter(place.client for place in connecting)
        return [p for p in connecting if p.since_s < late_s or of_each[p.client] > self.total // 2]
