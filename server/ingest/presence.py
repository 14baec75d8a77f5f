"""Whether somebody is there: matches, which may be wrong, as times with beginning and end."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

# One match alone is a stranger more often than one that another follows.
SURE_AFTER = 2
# So far apart they do not follow each other.
WITHIN_S = 2.0
# Of the timeline; the oldest go.
MAX_SIGHTINGS = 500


@dataclass(slots=True)
class Sighting:
    """Somebody is there from one time to another.

    Attributes
    ----------
    from_ms, to_ms
        Of the first match and of the last, milliseconds since the epoch.
    distance
        Of the nearest match.
    recording
        The name of the recording that was made of it.
    over
        Whether they are gone.
    """

    from_ms: int
    to_ms: int
    distance: float
    recording: str | None = None
    over: bool = False


class Presence:
    """The timeline of one person. Does no I/O, and is told the time.

    Parameters
    ----------
    padding_s
        Whoever was out of sight for less was there all the time.

    Attributes
    ----------
    sightings
        The last ones, by time.
    """

    def __init__(self, padding_s: float) -> None:
        self._padding_ms = padding_s * 1000
        self._matches: deque[tuple[int, float]] = deque(maxlen=SURE_AFTER)
        self.sightings: deque[Sighting] = deque(maxlen=MAX_SIGHTINGS)

    @property
    def now(self) -> Sighting | None:
        """The sighting that goes on."""
        last = self.sightings[-1] if self.sightings else None
        return last if last is not None and not last.over else None

    def match(self, at_ms: int, distance: float) -> Sighting | None:
        """There is a match.

        Returns
        -------
        The sighting that begins with it, if one does.
        """
        going_on = self.now
        if going_on is not None:
            going_on.to_ms = at_ms
            going_on.distance = min(going_on.distance, distance)
            return None
        self._matches.append((at_ms, distance))
        if len(self._matches) < SURE_AFTER or at_ms - self._matches[0][0] > WITHIN_S * 1000:
            return None
        nearest = min(each for _, each in self._matches)
        begun = Sighting(self._matches[0][0], at_ms, nearest)
        self.sightings.append(begun)
        return begun

    def passed(self, now_ms: int) -> Sighting | None:
        """Time has passed.

        Returns
        -------
        The sighting that ends with it, if one does.
        """
        going_on = self.now
        if going_on is None or now_ms - going_on.to_ms < self._padding_ms:
            return None
        return self.end()

    def end(self) -> Sighting | None:
        """Nobody looks any more; returns what that ends."""
        going_on = self.now
        self._matches.clear()
        if going_on is not None:
            going_on.over = True
        return going_on
