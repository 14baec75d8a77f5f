"""Matches that follow each other, as times at which someone is there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from server.search.search import Match

# Someone who is out of sight for less, behind another say, was there all the time.
_GAP_S = 2.0


@dataclass(frozen=True, slots=True)
class Appearance:
    """Someone is there from one time to another.

    Attributes
    ----------
    start_s, end_s
        Of the first match and of the last, from the video's first frame.
    best
        The nearest match.
    count
        How many there are.
    """

    start_s: float
    end_s: float
    best: Match
    count: int


def appearances(matches: Iterable[Match], interval_s: float) -> list[Appearance]:
    """Put matches together.

    Parameters
    ----------
    matches
        By time.
    interval_s
        Between two looks.
    """
    found: list[Appearance] = []
    for match in matches:
        before = found[-1] if found else None
        if before is None or match.time_s - before.end_s > max(_GAP_S, 2 * interval_s):
            found.append(Appearance(match.time_s, match.time_s, match, 1))
            continue
        best = min(before.best, match, key=lambda m: m.distance)
        found[-1] = Appearance(before.start_s, match.time_s, best, before.count + 1)
    return found


def clock(time_s: float) -> str:
    """MM:SS; from an hour on, the minutes go on."""
    minutes, seconds = divmod(int(time_s), 60)
    return f"{minutes:02}:{seconds:02}"
