"""What analyzers that are to see every frame have seen of a session, and what they missed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from server.workers.messages import LaneIsBehind, Seen

_MESSAGES = {
    "behind": (
        "is too slow to see every frame: whole runs of frames are left out;"
        " send fewer frames a second, or fewer streams"
    ),
    "blind": (
        "sees nothing: after frames that were left out it can go on from a key frame only, and none"
        " comes though the sender is asked; have it give one every few seconds"
    ),
    "in_time": "sees every frame again",
}
STATES = tuple(_MESSAGES)
"""What it is told to be, from when that changes."""


@dataclass(slots=True)
class _Analyzer:
    """One of them."""

    before: int = 0
    """Frames that it saw in workers that were replaced, or at another node."""
    seen: Seen = Seen(0, 0, 0.0)  # noqa: RUF009 - frozen.

    @property
    def count(self) -> int:
        return self.before + self.seen.count


class EveryFrame:
    """Follows them through a session, whatever becomes of its workers."""

    def __init__(self) -> None:
        self._analyzers: dict[str, _Analyzer] = {}

    def take(self, seen: Mapping[str, Seen]) -> None:
        """Take in how far they are."""
        for name, newest in seen.items():
            analyzer = self._analyzers.setdefault(name, _Analyzer())
            if newest.count:
                analyzer.seen = newest

    def begin_anew(self) -> None:
        """The worker was replaced: the next one counts from the start."""
        for analyzer in self._analyzers.values():
            analyzer.before = analyzer.count
            analyzer.seen = Seen(analyzer.seen.number, 0, analyzer.seen.lag_ms)

    @property
    def counts(self) -> dict[str, tuple[int, int]]:
        """Of each, for another node: the number of the last frame that it saw, and how many."""
        return {name: (each.seen.number, each.count) for name, each in self._analyzers.items()}

    def take_over(self, counts: Mapping[str, Sequence[int]]) -> None:
        """Go on from what they saw at another node."""
        self._analyzers = {
            name: _Analyzer(count, Seen(number, 0, 0.0)) for name, (number, count) in counts.items()
        }

    def told(self, frames: int | None = None) -> dict[str, dict[str, float]]:
        """What is told of each: how late its last frame was, and how many it did not see.

        Parameters
        ----------
        frames
            Frames that came so far; None counts up to the last that it saw.
        """
        return {
            name: {
                "lag_ms": round(analyzer.seen.lag_ms, 2),
                "dropped": max((frames or analyzer.seen.number) - analyzer.count, 0),
            }
            for name, analyzer in self._analyzers.items()
        }

    def notices(self, said: LaneIsBehind) -> list[dict[str, Any]]:
        """What clients are told of analyzers that fell behind, or keep up again."""
        self.take(dict.fromkeys(said.analyzers, said.seen))
        dropped = {name: int(told["dropped"]) for name, told in self.told().items()}
        state = "blind" if said.is_blind else "behind" if said.is_behind else "in_time"
        return [
            {
                "type": "analyzer_lag",
                "analyzer": name,
                "state": state,
                "dropped": dropped[name] + said.left_out,
                "message": f"{name} {_MESSAGES[state]}",
            }
            for name in said.analyzers
        ]
