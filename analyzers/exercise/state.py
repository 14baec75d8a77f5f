"""What exercise remembers of a session, for another process to go on with."""

from __future__ import annotations

from analyzers.exercise.cycles import Cycle, CycleCounter
from analyzers.exercise.definition import Definition, Fault
from analyzers.exercise.definitions import definitions
from analyzers.exercise.demonstration import FreeCounter, Learner, ShownExercise, ShownExercises
from analyzers.exercise.demonstration import counting as shown_counting
from analyzers.exercise.demonstration.comparing import Difference
from analyzers.exercise.demonstration.counter import ShownCounter, ShownRepetition
from analyzers.exercise.demonstration.definition import JointPath, SignalRange
from analyzers.exercise.demonstration.learner import Candidate
from analyzers.exercise.demonstration.motion import Moment, Motion
from analyzers.exercise.demonstration.regularity import Repeated, Span
from analyzers.exercise.demonstration.turning_points import TurningPoints
from analyzers.exercise.everyone import Everyone
from analyzers.exercise.form import LiveFaults
from analyzers.exercise.found import Found
from analyzers.exercise.framing import Framing
from analyzers.exercise.history import History
from analyzers.exercise.hold import Hold, HoldCounter
from analyzers.exercise.network.features import FeatureMaker
from analyzers.exercise.network.network import Network, Stream
from analyzers.exercise.network.observer import Observer
from analyzers.exercise.not_shown import NotShown
from analyzers.exercise.one_person import OnePerson
from analyzers.exercise.options import Lesson
from analyzers.exercise.person import ChosenPerson
from analyzers.exercise.phase_cycles import PhaseCounter
from analyzers.exercise.range_of_motion import JointAngles
from analyzers.exercise.recognition import Recogniser
from analyzers.exercise.scorer import ExerciseScorer
from analyzers.exercise.scoring import Repetition
from analyzers.exercise.sets import ExerciseSet, Sets
from analyzers.exercise.shown import ShownSession
from analyzers.exercise.shown_results import ShownResults
from analyzers.exercise.something import ExerciseCounter, Something
from analyzers.exercise.stillness import Stillness
from analyzers.exercise.summary import FrameResults
from analyzers.exercise.sureness import Judgement
from analyzers.kept_state import Constant, StateFormat
from analyzers.pose.clock import RisingClock

# Another number wherever what these remember means something else.
_LABEL = "exercise 4"


def format_with(session: type) -> StateFormat:
    """Return how a session of this class is written."""
    told_whole = (
        *(Candidate, Cycle, CycleCounter, Difference, ExerciseSet, Fault, Found, Hold),
        *(HoldCounter, JointPath, Judgement, Learner, Lesson, LiveFaults, Moment, Repeated),
        *(Repetition, ShownCounter, ShownExercise, ShownRepetition, SignalRange, Span),
        *(TurningPoints, Everyone, NotShown, FrameResults, ShownResults, Stream, Recogniser),
        session,
    )
    made_empty = (
        *(ChosenPerson, ExerciseScorer, FeatureMaker, Framing, FreeCounter, History, JointAngles),
        *(Motion, Observer, OnePerson, PhaseCounter, RisingClock, Sets, ShownExercises),
        *(ShownSession, Stillness, shown_counting.PhaseCounter, Something, ExerciseCounter),
    )
    return StateFormat(
        _LABEL,
        dict.fromkeys(told_whole) | {each: each for each in made_empty},
        {Definition: Constant(lambda each: str(each.name), lambda name: definitions()[name])},
        left_out=(Network,),
        # A lesson's, of turning points that were compared before.
        caches=("_known",),
    )
