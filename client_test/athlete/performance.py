"""A performance: sets of exercises one after the other, as a pose for every moment."""

from dataclasses import dataclass

from .exercise import Exercise
from .geometry import radians, vector
from .motion import going, swaying
from .people import Person
from .skeleton import Place, Pose, Skeleton, solve

REST = "rest"
"""The label of the time between exercises."""


@dataclass(frozen=True, slots=True)
class Set:
    """Repetitions of one exercise, and how long it takes to get ready for them."""

    exercise: Exercise
    repetitions: int
    ready_s: float = 0.4

    @property
    def cycle_s(self) -> float:
        return self.exercise.tempo.repetition_s + self.exercise.tempo.rest_s

    @property
    def duration_s(self) -> float:
        return self.ready_s + self.repetitions * self.cycle_s


@dataclass(frozen=True, slots=True)
class Repetition:
    """One repetition, with times in seconds since the performance's start.

    `turn_s` is when the movement turns: a squat's lowest point, a curl's highest. Where the
    turning point is held, it is the middle of that.
    """

    exercise: str
    fault: str | None
    start_s: float
    turn_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class Moment:
    """What the person does at a time, and where every joint is."""

    exercise: str
    skeleton: Skeleton


@dataclass(frozen=True, slots=True)
class Performance:
    """One person, in one place, doing sets of exercises.

    Attributes
    ----------
    position, yaw_deg
        Where on the floor (metres), and how far turned to their left from facing the camera's
        side of the room.
    """

    person: Person
    sets: tuple[Set, ...]
    position: tuple[float, float] = (0.0, 0.0)
    yaw_deg: float = 0.0

    @property
    def duration_s(self) -> float:
        return sum(s.duration_s for s in self.sets)

    def repetitions(self) -> list[Repetition]:
        found = []
        start_s = 0.0
        for each in self.sets:
            tempo = each.exercise.tempo
            for n in range(each.repetitions):
                begin_s = start_s + each.ready_s + n * each.cycle_s
                found.append(
                    Repetition(
                        exercise=each.exercise.label,
                        fault=each.exercise.fault,
                        start_s=begin_s,
                        turn_s=begin_s + tempo.out_s + tempo.hold_s / 2.0,
                        end_s=begin_s + tempo.repetition_s,
                    )
                )
            start_s += each.duration_s
        return found

    def at(self, time_s: float) -> Moment:
        """The person at a time; before the first set and after the last they keep still."""
        label, pose, on_floor = self._pose_at(time_s)
        if not on_floor:
            pose = swaying(pose, time_s)
        return Moment(label, solve(self.person, pose, self._place()))

    def _pose_at(self, time_s: float) -> tuple[str, Pose, bool]:
        start_s = 0.0
        previous: Exercise | None = None
        for each in self.sets:
            exercise = each.exercise
            since_s = time_s - start_s
            if since_s < each.ready_s:
                pose = exercise.pose(self.person, 0.0, 0)
                if previous is not None:
                    before = previous.pose(self.person, 0.0, 0)
                    pose = going(before, pose, since_s / each.ready_s)
                return REST, pose, exercise.on_floor
            if since_s < each.duration_s:
                repetition, into_s = divmod(since_s - each.ready_s, each.cycle_s)
                phase = exercise.tempo.phase(into_s)
                pose = exercise.pose(self.person, phase, int(repetition))
                return exercise.label, pose, exercise.on_floor
            start_s += each.duration_s
            previous = exercise
        last = self.sets[-1].exercise
        return REST, last.pose(self.person, 0.0, 0), last.on_floor

    def _place(self) -> Place:
        x, z = self.position

        return Place(vector(x, 0.0, z), radians(self.yaw_deg))
