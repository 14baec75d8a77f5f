"""Chooses whom to score when there are several people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

# Someone who left may come back within so long, before another one is taken for the one to score.
_WAIT_S = 3.0
# People are not all found in the first frame: so long after the first, a much larger one is taken.
_FINDING_S = 0.5
_MUCH_LARGER = 1.5
# While somebody is in sight, re-identification has to name another for three of its looks (at its
# 5 a second) before that one is taken: where two people cross, one look may be wrong.
_SURE_S = 0.6


class ChosenPerson:
    """Follows one person: whom re-identification names, else who was asked for, else the largest.

    Once re-identification has a reference, nobody else is scored: not even before the reference
    was seen, since what a trainer shows first is not to be counted.

    Parameters
    ----------
    wanted : int, optional
        The id of the person to follow; without it, the largest.
    """

    def __init__(self, wanted: int | None = None) -> None:
        self._wanted = wanted
        self._followed: int | None = None
        self._since_s = self._seen_s = float("-inf")
        self._is_reference = False
        # Whom re-identification names instead, and since when.
        self._other: tuple[int | None, float] | None = None

    @property
    def followed(self) -> int | None:
        """The id of who is followed; None before there was anybody."""
        return self._followed

    def choose(
        self,
        people: Sequence[Mapping[str, Any]],
        time_s: float,
        named: Sequence[int | None] | None = None,
    ) -> Mapping[str, Any] | None:
        """Return who of a frame's people to score, or None while they are away.

        Parameters
        ----------
        people : sequence of mapping
            As pose has them: `id`, `box` (x0, y0, x1, y1) and both lists of landmarks.
        time_s : float
            Seconds since the session's first frame.
        named : sequence of int or None, optional
            The ids of those who match re-identification's reference, the nearest first, None for
            one whom pose does not see; None when there is no reference.
        """
        by_id = {person["id"]: person for person in people}
        if named is not None:
            self._follow_reference(by_id, named, time_s)
            return self._person_followed(by_id)
        self._is_reference = False
        if self._wanted is not None:
            self._followed = self._wanted
        else:
            self._follow_largest(by_id, time_s)
        return self._person_followed(by_id)

    def _person_followed(self, by_id: Mapping[int, Mapping[str, Any]]) -> Mapping[str, Any] | None:
        return None if self._followed is None else by_id.get(self._followed)

    def _follow_reference(
        self, by_id: Mapping[int, Any], named: Sequence[int | None], time_s: float
    ) -> None:
        if not self._is_reference:
            self._is_reference, self._followed, self._other = True, None, None
        if not named or named[0] == self._followed:
            self._other = None
            return
        nearest = named[0]
        if self._followed in by_id:
            if self._other is None or self._other[0] != nearest:
                self._other = nearest, time_s
            if time_s - self._other[1] < _SURE_S:
                return
        self._followed, self._other = nearest, None

    def _follow_largest(self, by_id: Mapping[int, Mapping[str, Any]], time_s: float) -> None:
        if not by_id:
            return
        largest = max(by_id.values(), key=_area)
        followed = None if self._followed is None else by_id.get(self._followed)
        if followed is None:
            if time_s - self._seen_s <= _WAIT_S:
                return
            self._since_s = time_s
        elif not (
            time_s - self._since_s <= _FINDING_S and _area(largest) > _MUCH_LARGER * _area(followed)
        ):
            self._seen_s = time_s
            return
        self._followed, self._seen_s = largest["id"], time_s


def _area(person: Mapping[str, Any]) -> float:
    x0, y0, x1, y1 = person["box"]
    return float((x1 - x0) * (y1 - y0))
