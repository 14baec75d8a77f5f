"""What is kept of one training, made of what a session tells while it goes on."""

from __future__ import annotations

import math
import secrets
from collections.abc import Mapping, Set
from dataclasses import asdict, dataclass, field
from typing import Any

from pydantic import TypeAdapter

# Without a repetition for so long a set is over; the page has the same.
REST_MS = 20_000
# More than an hour without a pause.
MOST_REPETITIONS = 1000
_MOST_LETTERS = 64
_MOST_FAULTS = 16
_MOST_JOINTS = 16
_LARGEST = 2**53


@dataclass(frozen=True, slots=True)
class Repetition:
    """One repetition; times in milliseconds since the training began.

    Attributes
    ----------
    range_of_motion
        How far the exercise's signal went, in its unit (docs/protocol.md).
    range_deg
        For each joint the least and the largest angle, degrees.
    parts
        Of the score, each 0 to 100.
    faults
        Codes.
    """

    exercise: str
    start_ms: float
    turn_ms: float
    end_ms: float
    range_of_motion: float | None
    range_deg: Mapping[str, tuple[float, float]]
    down_s: float | None
    hold_s: float | None
    up_s: float | None
    score: float | None
    parts: Mapping[str, float]
    faults: tuple[str, ...]

    @property
    def bytes(self) -> int:
        """About what it takes in memory: 2 kB, and 20 kB with names of a client's own."""
        names = (*self.range_deg, *self.parts, *self.faults)
        return 800 + sum(120 + 4 * len(name) for name in names)

    @property
    def widest_deg(self) -> float | None:
        """How far the joint went that went furthest, degrees."""
        return max((most - least for least, most in self.range_deg.values()), default=None)


@dataclass(frozen=True, slots=True)
class TrainedSet:
    """Repetitions of one exercise without a long pause, or an exercise that was held or counted."""

    exercise: str
    start_ms: float
    repetitions: tuple[Repetition, ...] = ()
    held_s: float | None = None
    score: float | None = None
    """The mean, 0 to 100."""
    counted: int = 0
    """How many there were that were never told one by one, as of what is unknown."""

    @property
    def reps(self) -> int:
        """How many repetitions there were."""
        return len(self.repetitions) or self.counted


@dataclass(frozen=True, slots=True)
class Training:
    """A training as it is stored.

    Attributes
    ----------
    uid
        Nobody else's.
    athlete
        Whose, as `History` calls them.
    name
        What they were published under.
    is_known
        Whether the database had it before: if it is not there any more, somebody has deleted it.
    """

    uid: str
    athlete: str
    name: str | None
    session: str
    began_at_ms: int
    ended_at_ms: int
    sets: tuple[TrainedSet, ...]
    is_known: bool


@dataclass(frozen=True, slots=True)
class Kept:
    """What another node needs to go on with a training.

    Attributes
    ----------
    uid, began_at_ms, is_known
        As `Training` has them.
    told_at_ms
        When something was told of it last.
    is_forgotten
        Whether it was deleted, and nothing more of the session is to be kept.
    """

    uid: str = ""
    began_at_ms: int = 0
    told_at_ms: int = 0
    is_known: bool = False
    repetitions: tuple[Repetition, ...] = ()
    is_forgotten: bool = False

    def write(self) -> dict[str, Any]:
        """As plain values."""
        return asdict(self)

    @classmethod
    def read(cls, written: dict[str, Any]) -> Kept:
        """What `write` wrote.

        Raises
        ------
        ValueError
            It is something else.
        """
        return _KEPT.validate_python(written)


_KEPT = TypeAdapter(Kept)


@dataclass(slots=True)
class Draft:
    """A training that goes on, or waits to be written."""

    athlete: str
    name: str | None
    session: str
    began_at_ms: int
    uid: str = field(default_factory=lambda: secrets.token_hex(8))
    repetitions: dict[tuple[str, float], Repetition] = field(default_factory=dict)
    untold: tuple[TrainedSet, ...] = ()
    """What was held, and what was counted without a word of each."""
    told_at_ms: int = 0
    is_over: bool = False
    is_known: bool = False
    bytes: int = 0
    """About what it takes in memory."""
    version: int = 0
    """Counts what was added."""
    written: int = -1
    """The version that the database has."""

    @property
    def unwritten(self) -> bool:
        """Whether there is something that the database does not have."""
        return self.written != self.version

    def add(self, told: object) -> None:
        """Take a repetition as the exercise analyzer tells it; what is none is passed over."""
        found = read_repetition(told)
        if found is not None and len(self.repetitions) < MOST_REPETITIONS:
            self._put(found)

    def go_on(self, kept: Kept) -> None:
        """Be the training that another node has begun."""
        self.uid, self.is_known = kept.uid, kept.is_known
        self.told_at_ms = kept.told_at_ms
        for each in kept.repetitions[:MOST_REPETITIONS]:
            self._put(each)
        if self.is_empty:
            # What is written stays until there is something to put in its place.
            self.written = self.version

    def _put(self, found: Repetition) -> None:
        before = self.repetitions.get((found.exercise, found.end_ms))
        self.repetitions[found.exercise, found.end_ms] = found
        self.bytes += found.bytes - (before.bytes if before else 0)
        self.version += 1

    def sum_up(self, final: object) -> None:
        """Take what the final result says, which may know of some that were never told."""
        summary = _mapping(_mapping(final).get("exercise_summary"))
        for each in _sequence(summary.get("repetitions")):
            self.add(each)
        told = {each.exercise for each in self.repetitions.values()}
        self.untold = tuple(_untold(_mapping(summary.get("exercises")), told))
        self.is_over = True
        self.version += 1

    @property
    def is_empty(self) -> bool:
        """Whether nothing was done."""
        return not self.repetitions and not self.untold

    def training(self) -> Training:
        """As it is now."""
        return Training(
            self.uid,
            self.athlete,
            self.name,
            self.session,
            self.began_at_ms,
            max(self.told_at_ms, self.began_at_ms),
            (*sets_of(self.repetitions.values()), *self.untold),
            self.is_known,
        )


def read_repetition(told: object) -> Repetition | None:
    """A repetition of a result; None if it is none."""
    said = _mapping(told)
    exercise = _word(said.get("exercise"))
    start, turn, end = (_number(said.get(key)) for key in ("start_ms", "turn_ms", "end_ms"))
    if not exercise or start is None or end is None:
        return None
    tempo = _mapping(said.get("tempo_s"))
    return Repetition(
        exercise,
        start,
        start if turn is None else turn,
        end,
        _number(said.get("range_of_motion")),
        dict(_ranges(_mapping(said.get("range_deg")))),
        _number(tempo.get("down")),
        _number(tempo.get("hold")),
        _number(tempo.get("up")),
        _number(said.get("score")),
        {
            _word(name): number
            for name, value in list(_mapping(said.get("score_parts")).items())[:_MOST_FAULTS]
            if (number := _number(value)) is not None
        },
        tuple(_word(code) for code in _sequence(said.get("faults"))[:_MOST_FAULTS] if _word(code)),
    )


def sets_of(repetitions: Any) -> list[TrainedSet]:
    """Repetitions in their order, divided where another exercise or a long pause begins."""
    sets: list[list[Repetition]] = []
    for each in sorted(repetitions, key=lambda one: (one.end_ms, one.exercise)):
        last = sets[-1][-1] if sets else None
        if last and last.exercise == each.exercise and each.start_ms - last.end_ms <= REST_MS:
            sets[-1].append(each)
        else:
            sets.append([each])
    return [
        TrainedSet(done[0].exercise, done[0].start_ms, tuple(done), None, _mean_score(done))
        for done in sets
    ]


def mean(values: list[float]) -> float | None:
    """Their mean, rounded to a hundredth; None of none."""
    return round(sum(values) / len(values), 2) if values else None


def _mean_score(done: list[Repetition]) -> float | None:
    return mean([each.score for each in done if each.score is not None])


def _untold(exercises: Mapping[str, Any], told: Set[str]) -> list[TrainedSet]:
    """What was held, and what was counted of others than those that were told one by one."""
    found = []
    for key, said in list(exercises.items())[:_MOST_LETTERS]:
        name, held_s = _word(key), _number(_mapping(said).get("held_s"))
        counted = _number(_mapping(said).get("reps")) or 0.0
        if name and held_s:
            score = _number(_mapping(said).get("mean_score"))
            found.append(TrainedSet(name, 0.0, (), held_s, score))
        elif name and name not in told and counted >= 1.0:
            reps = min(int(counted), MOST_REPETITIONS)
            found.append(TrainedSet(name, 0.0, (), None, None, reps))
    return found


def _ranges(told: Mapping[str, Any]) -> list[tuple[str, tuple[float, float]]]:
    found = []
    for joint, ends in list(told.items())[:_MOST_JOINTS]:
        numbers = [_number(end) for end in _sequence(ends)]
        if len(numbers) == 2 and numbers[0] is not None and numbers[1] is not None:
            found.append((_word(joint), (numbers[0], numbers[1])))
    return found


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _sequence(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _number(value: object) -> float | None:
    """A number that every database takes."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) and abs(value) < _LARGEST else None


def _word(value: object) -> str:
    """A name or code, which may be a client's own (exercises by demonstration)."""
    return "".join(c for c in str(value or "") if c.isprintable())[:_MOST_LETTERS]
