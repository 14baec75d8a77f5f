"""Which lane of which session is at fault when a worker has to be replaced.

A lane that hangs is known. Of a process that crashed only those lanes are, that were at something;
if they were several, the next worker of its kind runs them one at a time for a while, and so the
next crash has one suspect.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

# After so many faults in one session, a lane is left out of it.
FAULTS_TO_LEAVE_OUT = 2
# How long a worker runs lanes one at a time, after a crash that several may have caused.
ONE_AT_A_TIME_S = 30.0


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
    suspects: Sequence[tuple[str, str]] = ()

    @property
    def is_uncertain(self) -> bool:
        """Whether it may have been one of several."""
        return bool(self.phase) and len(self.suspects) > 1


class Blame:
    """Counts faults by session and lane."""

    def __init__(self) -> None:
        self._faults: Counter[tuple[str, str]] = Counter()

    def charge(self, fault: Fault) -> tuple[str, str] | None:
        """Count a fault.

        Returns
        -------
        Session and lane of what is to be left out for it, if anything is.
        """
        if not fault.phase or len(fault.suspects) != 1:
            return None
        (suspect,) = fault.suspects
        self._faults[suspect] += 1
        return suspect if self._faults[suspect] >= FAULTS_TO_LEAVE_OUT else None

    def forget(self, sid: str) -> None:
        """The session has ended."""
        for key in [key for key in self._faults if key[0] == sid]:
            del self._faults[key]
