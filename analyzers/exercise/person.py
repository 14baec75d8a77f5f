"""Chooses whom to score when there are several people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

# Someone who left may come back within so long, before another one is taken for the one to score.
_WAIT_S = 3.0


class ChosenPerson:
    """Follows one person: the one asked for, or the largest at first.

    Parameters
    ----------
    wanted : int, optional
        The id of the person to follow; without it, the largest.
    """

    def __init__(self, wanted: int | None = None) -> None:
        self._wanted = wanted
        self._followed: int | None = None
        self._seen_s = float("-inf")

    @property
    def followed(self) -> int | None:
        """The id of who is followed; None before there was anybody."""
        return self._followed

    def choose(
        self, people: Sequence[Mapping[str, Any]], time_s: float
    ) -> Mapping[str, Any] | None:
        """Return who of a frame's people to score, or None while they are away.

        Parameters
        ----------
        people : sequence of mapping
            As pose has them: `id`, `box` (x0, y0, x1, y1) and both lists of landmarks.
        time_s : float
            Seconds since the session's first frame.
        """
        by_id = {person["id"]: person for person in people}
        if self._wanted is not None:
            self._followed = self._wanted
            return by_id.get(self._wanted)
        if self._followed in by_id:
            self._seen_s = time_s
            return by_id[self._followed]
        if not people or time_s - self._seen_s <= _WAIT_S:
            return None
        largest = max(people, key=_area)
        self._followed, self._seen_s = largest["id"], time_s
        return largest


def _area(person: Mapping[str, Any]) -> float:
    x0, y0, x1, y1 = person["box"]
    return float((x1 - x0) * (y1 - y0))
