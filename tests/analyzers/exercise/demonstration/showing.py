"""The rendered athlete shows an exercise, and it is learned and counted as in a session."""

from __future__ import annotations

from dataclasses import dataclass

from analyzers.exercise.demonstration import Learner, ShownExercise, ShownExercises, distilled
from analyzers.exercise.demonstration.motion import Motion

# Frames that are nearer to the last one than this are left out in a session, too.
_MIN_STEP_S = 0.036


def moments(recording):
    """Return times and motion of a recording, as a session looks at it."""
    motion, looked = Motion(), []
    frames = zip(
        recording.times_s.tolist(),
        recording.landmarks.tolist(),
        recording.world.tolist(),
        strict=True,
    )
    for time_s, landmarks, world in frames:
        if not looked or time_s - looked[-1][0] >= _MIN_STEP_S:
            moment = motion.measure(landmarks, world, time_s, recording.aspect)
            looked.append((time_s, moment))
    return looked


def learned(recording, repetitions=3, name="shown") -> ShownExercise:
    """Return what is learned of a recording; fails if nothing is."""
    learner = Learner(repetitions)
    for time_s, moment in moments(recording):
        seen = learner.feed(time_s, moment)
        if seen is not None:
            return distilled(seen, name)
    seen = learner.finish()
    assert seen is not None, f"{learner.seen} of {repetitions} repetitions were seen"
    return distilled(seen, name)


@dataclass
class Counted:
    """What was counted, and when each was told."""

    repetitions: list
    told_late_s: list

    @property
    def names(self):
        return [each.exercise for each in self.repetitions]

    @property
    def differences(self):
        return {each.code for repetition in self.repetitions for each in repetition.differences}


def counted(recording, *exercises) -> Counted:
    """Return what is counted of exercises in a recording."""
    several, late_s = ShownExercises(exercises), []
    looked = moments(recording)
    for time_s, moment in looked:
        late_s += [time_s - each.span.end_s for each in several.feed(time_s, moment)]
    several.flush(looked[-1][0])
    return Counted(several.repetitions, late_s)
