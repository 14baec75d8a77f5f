"""What each of several people does, whoever of them is the chosen one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from analyzers.exercise.network.observer import Sight
from analyzers.exercise.one_person import OnePerson

# As many as pose follows.
MAX_PEOPLE = 8
# Whoever did something is in the summary, up to so many; of others nothing is kept.
_MAX_TOLD = 32
# Who has been away for so long has another number when they come back.
_FORGOTTEN_S = 10.0
_TOLD = ("reps", "phase", "warnings")


class Everyone:
    """Scores up to eight people of a session.

    Parameters
    ----------
    make : callable
        Makes what scores a newcomer, with the session's options.
    """

    def __init__(self, make: Callable[[], OnePerson]) -> None:
        self._make = make
        self._people: dict[int, OnePerson] = {}
        self._seen_s: dict[int, float] = {}
        self._gone: list[dict[str, Any]] = []

    def change(self, take: Callable[[OnePerson], None]) -> None:
        """Have everybody take options."""
        for person in self._people.values():
            take(person)

    def sights(
        self, people: Sequence[Mapping[str, Any]], time_s: float, aspect: float
    ) -> list[Sight]:
        """Return what the network may be asked of a frame's people before `look` takes them."""
        self._forget(time_s, len(people))
        known = ((self._people.get(person["id"]), person) for person in people[:MAX_PEOPLE])
        sights = (
            scored.sight(person["landmarks"], person["world_landmarks"], time_s, aspect)
            for scored, person in known
            if scored is not None
        )
        return [each for each in sights if each is not None]

    def look(
        self, people: Sequence[Mapping[str, Any]], time_s: float, aspect: float
    ) -> list[dict[str, Any]]:
        """Take a frame's people, and return them with what each does as `exercise`.

        Parameters
        ----------
        people
            As pose has them.
        time_s : float
            Seconds since the session's first frame.
        aspect : float
            Width of the frame over its height.
        """
        self._forget(time_s, len(people))
        told = []
        for person in people[:MAX_PEOPLE]:
            number = person["id"]
            if number not in self._people:
                self._people[number] = self._make()
            self._seen_s[number] = time_s
            said = self._people[number].seen(
                person["landmarks"], person["world_landmarks"], time_s, aspect
            )
            of_them = {"name": said["exercise"], **{key: said[key] for key in _TOLD}}
            # Whoever encodes results looks for NaN in each value that has a null in it, and among
            # the landmarks of eight people that takes four milliseconds.
            if said["score"] is not None:
                of_them["score"] = said["score"]
            told.append({**person, "exercise": of_them})
        here = {person["id"] for person in people}
        for number, away in self._people.items():
            if number not in here:
                away.absent(time_s)
        return told

    def end(self) -> list[dict[str, Any]]:
        """End the session; return each person's `id`, `exercises` and `main_exercise`."""
        for number in sorted(self._people):
            self._let_go(number)
        return self._gone

    def _forget(self, time_s: float, coming: int) -> None:
        """Forget who has been away, the longest first where there is no room."""
        by_absence = sorted(self._people, key=lambda number: self._seen_s[number])
        for number in by_absence:
            too_many = len(self._people) > 2 * MAX_PEOPLE - coming
            if time_s - self._seen_s[number] > _FORGOTTEN_S or too_many:
                self._let_go(number)

    def _let_go(self, number: int) -> None:
        summary = self._people.pop(number).end()["exercise_summary"]
        del self._seen_s[number]
        if summary["exercises"] and len(self._gone) < _MAX_TOLD:
            kept = {key: summary[key] for key in ("exercises", "main_exercise")}
            self._gone.append({"id": number, **kept})
