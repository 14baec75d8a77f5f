"""Scores the exercises of one person, from landmarks and times alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from analyzers.exercise.definition import Definition, Fault
from analyzers.exercise.definitions import definitions
from analyzers.exercise.demonstration import UNKNOWN
from analyzers.exercise.form import LiveFaults
from analyzers.exercise.found import Found
from analyzers.exercise.history import History
from analyzers.exercise.hold import HoldCounter
from analyzers.exercise.network.observer import Observer, Sight
from analyzers.exercise.partial_repetition import partial_repetition
from analyzers.exercise.recognition import Recogniser
from analyzers.exercise.scoring import Repetition, score_repetition
from analyzers.exercise.signals import Row, measure
from analyzers.exercise.something import Something
from analyzers.exercise.sureness import CHOSEN, Judgement

# Nobody can do half a repetition unseen: after a longer gap, movements begin anew.
_MAX_GAP_S = 1.0
# Fifteen looks a second see every repetition that sixty see: frames nearer to the last one than
# this are left out, and cost nothing. On the clips of bench/exercise.py counts from one in two and
# from one in three frames differ from those of all frames by one repetition in one clip.
_MIN_STEP_S = 0.036
# An exercise is over when nothing of it was seen for so long. Movements that come to nothing, as of
# hands that talk, go on with it no longer than so many of the last repetition would have taken.
_OVER_AFTER_S = 6.0
_COME_TO_NOTHING = 3.0
# Somebody who is out of sight for so long has ended what they were about to end. Told this soon, a
# repetition is told within half a second, at five frames a second too.
_AWAY_S = 0.25
# A clip of so long, cut around one repetition, may miss a part of it. In a longer session somebody
# who only once bends down or lifts a hand does no exercise.
_SHORT_S = 10.0
# Someone who just did a repetition rests; they do not hold a plank.
_BUSY_S = 2.5

NONE = "none"


@dataclass(slots=True)
class State:
    """What there is to say after a frame.

    Attributes
    ----------
    exercise : str
        What is being done, ``none``, or ``unknown`` where it is something, and not sure what.
    phase : str
        ``rest``, ``down``, ``up`` or ``hold``.
    new : list of Repetition
        Those that became certain with this frame.
    faults : tuple of Fault
        What to change, of the last repetition and of this moment.
    held_s : float
        How long the hold that goes on has lasted.
    """

    exercise: str = NONE
    phase: str = "rest"
    new: list[Repetition] = field(default_factory=list)
    faults: tuple[Fault, ...] = ()
    held_s: float = 0.0


class ExerciseScorer:
    """Scores one person's session; fed frame by frame, at any rate.

    Parameters
    ----------
    exercise : str, optional
        The only exercise to look for; otherwise it is told from all there are.
    judgement : Judgement
        How sure a repetition has to be.

    Attributes
    ----------
    counts_unknown : bool
        Whether what is none of the exercises, and surely one, is counted as ``unknown``.

    Raises
    ------
    ValueError
        When there is no such exercise.
    """

    def __init__(self, exercise: str | None = None, judgement: Judgement = CHOSEN) -> None:
        self._judgement = judgement
        self.counts_unknown = True
        self.something = Something()
        self.repetitions: list[Repetition] = []
        # Of which exercise half a repetition was seen, in a short session without a whole one.
        self.partial_repetition: Definition | None = None
        self.holds = [HoldCounter(each) for each in definitions().values() if each.held]
        self._history = History()
        self._observer = Observer()
        self._current: Definition | None = None
        self._live: LiveFaults | None = None
        self._active_s = float("-inf")
        self._first_s = float("inf")
        self._last_s = float("-inf")
        self._is_away = True
        self._new: list[Repetition] = []
        self._wanted = _wanted(exercise)
        self._recogniser = Recogniser(self._wanted, self._judgement)

    def look_for(self, exercise: str | None) -> None:
        """Look for another exercise only, or for all; what was counted so far stays.

        Raises
        ------
        ValueError
            When there is no such exercise.
        """
        wanted = _wanted(exercise)
        if wanted == self._wanted:
            return
        self.begin_anew()
        self._wanted = wanted
        self._recogniser = Recogniser(wanted, self._judgement)
        self._current = self._live = None

    def feed(
        self, landmarks: Sequence[Row], world: Sequence[Row], time_s: float, aspect: float
    ) -> State:
        """Take a frame with the person in it.

        Parameters
        ----------
        landmarks, world : 33 rows of x, y, z, visibility
            In 0..1 of the frame, and in metres from the middle of the hips.
        time_s : float
            Seconds since the session's first frame; a frame that is not `due` is left out.
        aspect : float
            Width of the frame over its height.
        """
        if not self.due(time_s):
            return self.idle(time_s)
        if time_s - self._last_s > _MAX_GAP_S:
            self.begin_anew()
        self._first_s = min(self._first_s, time_s)
        self._last_s = time_s
        self._is_away = False
        row = self._history.add(time_s, measure(landmarks, world, aspect))
        told = self._observer.feed(landmarks, world, time_s, aspect)
        found = self._recogniser.feed(time_s, row, self._history, self._observer, told)
        self._count(found)
        if self.counts_unknown and len(self._wanted) > 1:
            moves = self._recogniser.moves(time_s)
            self.something.feed(landmarks, world, time_s, aspect, moves=moves)
        busy = time_s - self._busy_until_s() < _BUSY_S
        for hold in self.holds:
            # Compared by name: definitions are long.
            if any(hold.exercise.name == each.name for each in self._wanted):
                hold.feed(time_s, row, self._history, busy)
        if self._live is not None:
            moving = self._phase() != "rest"
            self._live.feed(time_s, row if moving else None)
            if moving and time_s <= self._believed_until_s():
                self._active_s = time_s
        return self._state(time_s)

    def sight(
        self, landmarks: Sequence[Row], world: Sequence[Row], time_s: float, aspect: float
    ) -> Sight | None:
        """Return what the network may be asked before a frame is fed, together with others'.

        None where the frame is not `due`, or movements begin anew with it. Parameters are as for
        `feed`.
        """
        if not self.due(time_s) or time_s - self._last_s > _MAX_GAP_S:
            return None
        return Sight(self._observer, landmarks, world, time_s, aspect)

    def due(self, time_s: float) -> bool:
        """Tell whether a frame is late enough after the last one to be looked at."""
        return time_s - self._last_s >= _MIN_STEP_S

    def idle(self, time_s: float) -> State:
        """Take a frame without the person, or one that is not `due`."""
        if time_s - self._last_s >= _AWAY_S:
            self._end_movement()
        return self._state(time_s)

    def finish(self) -> None:
        """End the session, and count the repetitions that are certain with its end."""
        self._end_movement()
        is_short = self._last_s - self._first_s <= _SHORT_S
        if is_short:
            # One that was cut out to show a repetition shows no set.
            self._count(self._recogniser.not_believed())
        if not self.repetitions and is_short:
            self._history.know_stature()
            self.partial_repetition = partial_repetition(
                self._wanted, self._history, self._observer
            )
        self.begin_anew()

    def begin_anew(self) -> None:
        """End movements that are going on: what comes next is another body, or later."""
        self._end_movement()
        self._history.clear()
        self._observer.forget()
        self._recogniser.reset()
        for hold in self.holds:
            hold.finish()

    def _end_movement(self) -> None:
        if self._is_away or not self._history.times_s:
            return
        self._is_away = True
        self._count(self._recogniser.flush(self._last_s, self._history, self._observer))
        self.something.finish()

    def _count(self, found: list[Found]) -> None:
        for each in found:
            # What showed while they rested before it is not this repetition's.
            live = LiveFaults(each.exercise)
            for time_s, row in self._history.rows_between(each.cycle.start_s, each.cycle.end_s):
                live.feed(time_s, row)
            self._active_s = each.found_s
            if self._current is not each.exercise:
                self._current, self._live = each.exercise, live
            repetition = score_repetition(
                each.exercise, each.cycle, each.statistics, self._history, live.seen
            )
            self.repetitions.append(repetition)
            self.something.give_way(repetition.start_s, repetition.end_s)
            self._new.append(repetition)
            for hold in self.holds:
                hold.came_of_it(repetition.start_s, repetition.end_s)

    def _believed_until_s(self) -> float:
        last = self.repetitions[-1]
        return last.end_s + _OVER_AFTER_S + _COME_TO_NOTHING * (last.end_s - last.start_s)

    def _busy_until_s(self) -> float:
        return self.repetitions[-1].end_s if self.repetitions else float("-inf")

    def _phase(self) -> str:
        if self._current is None:
            return "rest"
        phase = self._recogniser.phase(self._current.name)
        if phase == "rest":
            return phase
        other = {"down": "up", "up": "down"}
        return self._current.out if phase == "out" else other[self._current.out]

    def _state(self, time_s: float) -> State:
        new, self._new = self._new, []
        for hold in self.holds:
            if hold.now is not None:
                return State(hold.exercise.name, "hold", new, hold.faults.shown, hold.now.seconds)
        if self._current is not None and time_s - self._active_s > _OVER_AFTER_S:
            self._current = self._live = None
        if self._current is None:
            if self.something.is_done(time_s):
                return State(UNKNOWN, self.something.phase, new)
            unknown = self._recogniser.is_unknown(time_s)
            return State(UNKNOWN if unknown else NONE, new=new)
        return State(self._current.name, self._phase(), new, self._faults())

    def _faults(self) -> tuple[Fault, ...]:
        """Return the last repetition's faults, and those that show now.

        What shows in one half of each repetition stays until a repetition is without it.
        """
        shown = self._live.shown if self._live is not None else ()
        return tuple(dict.fromkeys((*self.repetitions[-1].faults, *shown)))


def _wanted(exercise: str | None) -> list[Definition]:
    known = definitions()
    if exercise is None:
        return list(known.values())
    if exercise not in known:
        raise ValueError(f"there is no exercise {exercise!r}; there are {', '.join(sorted(known))}")
    return [known[exercise]]
