"""Which lane of which session is at fault when a worker has to be replaced.

A lane that hangs is known. Of a process that crashed only those lanes are, that were at something;
if they were several, the next worker of its kind runs them one at a time for a while, and so the
next crash has one suspect.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

# After so many faults in one session, a lane is left out of it.
FAULTS_TO_LEAVE_OUT = 2
# After so many, in whatever sessions, it is left out of new ones of the client for a while: one
# session more costs it nothing, and every fault costs its neighbours a worker.
FAULTS_OF_A_CLIENT = 3
CLIENT_FORGIVEN_S = 300.0
# How long a worker runs lanes one at a time, after a crash that several may have caused.
ONE_AT_A_TIME_S = 30.0


Suspect = tuple[str, str]
"""A session's id and the name of a lane."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a worker is replaced.

    Attributes
    ----------
    phase
        What clients are told of it: "hang", "crash", "memory". Empty is nobody's fault.
    reason
        The same as a predicate, for sentences: "ended with status 3".
    suspects
        Session and lane of what it was at.
    """

    phase: str
    reason: str
    suspects: Sequence[Suspect] = ()

    @property
    def is_uncertain(self) -> bool:
        """Whether it may have been one of several."""
        return bool(self.phase) and len(self.suspects) > 1


class Blame:
    """Counts faults by session and lane, and by client and lane."""

    def __init__(self) -> None:
        self._faults: Counter[Suspect] = Counter()
        self._suspected: set[Suspect] = set()
        self._of_clients: dict[tuple[str, str], list[float]] = {}

    def charge(self, fault: Fault, clients: Mapping[str, str], now_s: float) -> Suspect | None:
        """Count a fault.

        Parameters
        ----------
        clients
            For each session, by its id, what its client is counted by.
        now_s
            By the monotonic clock.

        Returns
        -------
        Session and lane of what is to be left out for it, if anything is.
        """
        if not fault.phase:
            return None
        if len(fault.suspects) != 1:
            self._suspected.update(fault.suspects)
            return None
        ((sid, lane),) = fault.suspects
        # One that did it now is the one of those that may have done it before.
        self._faults[sid, lane] += 1 + ((sid, lane) in self._suspected)
        self._suspected.discard((sid, lane))
        if sid in clients:
            self._of_clients.setdefault((clients[sid], lane), []).append(now_s)
        return (sid, lane) if self._faults[sid, lane] >= FAULTS_TO_LEAVE_OUT else None

    def lanes_of(self, client: str, now_s: float) -> list[str]:
        """Lanes that are left out of a client's new sessions: they failed in several before."""
        since_s = now_s - CLIENT_FORGIVEN_S
        for key, times in list(self._of_clients.items()):
            if times[-1] < since_s:
                del self._of_clients[key]
        return [
            lane
            for (whose, lane), times in self._of_clients.items()
            if whose == client and sum(t >= since_s for t in times) >= FAULTS_OF_A_CLIENT
        ]

    def forget(self, sid: str) -> None:
        """The session has ended."""
        for key in [key for key in self._faults if key[0] == sid]:
            del self._faults[key]
        self._suspected = {suspect for suspect in self._suspected if suspect[0] != sid}
