"""How far joints go, in degrees: the least and the largest angle of each, per side.

Told of the joints that an exercise moves, and only where their landmarks were seen: an angle that
was guessed is none.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from analyzers.exercise.demonstration import ShownExercise
from analyzers.exercise.demonstration.motion import JOINTS, TRUNK, angles_seen, best_angles_deg
from analyzers.pose.landmarks import INDEX

Floats = NDArray[np.float64]
Ranges = dict[str, list[int]]
"""By joint, as ``left_knee``: the least and the largest angle, degrees."""

# Of built-in exercises, the joints whose range a trainer asks for.
_MOVED: Mapping[str, tuple[str, ...]] = {
    "squat": ("hip", "knee"),
    "push_up": ("elbow", "shoulder"),
    "lunge": ("hip", "knee"),
    "bicep_curl": ("elbow",),
    "shoulder_press": ("elbow", "shoulder"),
    "jumping_jack": ("shoulder",),
    "sit_up": ("hip",),
    "pull_up": ("elbow", "shoulder"),
    "deadlift": ("hip", "knee"),
    "lateral_raise": ("shoulder",),
}
# Joints of an exercise that was shown are told of when they move by so much in it.
_MOVES_DEG = 15.0
# Landmarks of less visibility, on average over a repetition, are guesses.
_SEEN = 0.5
# A repetition takes no longer, and becomes certain a second after it at most.
_KEPT_S = 22.0
_SMOOTHING_S = 0.06
# Of what was before it, so much is looked at for smoothing, which forgets a tenth as much.
_LEADS_S = 0.6
# Shoulders, elbows and wrists; hips, knees and ankles.
_ARMS, _LEGS = slice(11, 17), slice(23, 29)
_PARTS = np.r_[_ARMS, _LEGS]
# Nobody goes on with a repetition after a longer gap.
_MAX_GAP_S = 1.0


def joints_of(exercise: str, shown: ShownExercise | None = None) -> tuple[str, ...]:
    """Return the joints that an exercise moves; none of one that nobody knows, or that is held."""
    if shown is None:
        parts = _MOVED.get(exercise, ())
        return tuple(joint for joint in JOINTS if joint.partition("_")[2] in parts)
    return tuple(
        joint.name
        for joint in shown.joints[:TRUNK]
        if max(joint.path_deg) - min(joint.path_deg) >= _MOVES_DEG
    )


class JointAngles:
    """Joints' angles over the last seconds.

    What they are measured on is kept, and they are measured when a repetition is over: all of its
    frames at once take as long as three did one by one.
    """

    def __init__(self) -> None:
        self._times_s: list[float] = []
        # Of picture and world, `_PARTS` with x, y, z and visibility; the picture's in its heights.
        self._bodies: list[NDArray[np.float32]] = []

    def add(
        self,
        landmarks: Sequence[Sequence[float]],
        world: Sequence[Sequence[float]],
        time_s: float,
        aspect: float,
    ) -> None:
        """Take a frame; see `ExerciseScorer.feed`."""
        body = np.array([(*rows[_ARMS], *rows[_LEGS]) for rows in (landmarks, world)], np.float32)
        body[0, :, 0] *= aspect
        self._times_s.append(time_s)
        self._bodies.append(body)
        if self._times_s[0] < time_s - 1.5 * _KEPT_S:
            gone = bisect_left(self._times_s, time_s - _KEPT_S)
            del self._times_s[:gone], self._bodies[:gone]

    def during(self, start_s: float, end_s: float, joints: Iterable[str]) -> Ranges:
        """Return the range of each joint in a span of time, of those that were seen."""
        first, last = bisect_left(self._times_s, start_s), bisect_right(self._times_s, end_s)
        if first >= last:
            return {}
        before = bisect_left(self._times_s, self._times_s[first] - _LEADS_S)
        bodies = np.zeros((last - before, 2, len(INDEX), 4))
        bodies[:, :, _PARTS] = self._bodies[before:last]
        angles = self._smoothed(best_angles_deg(bodies[:, 0], bodies[:, 1]), before)
        angles = angles[first - before :]
        seen = angles_seen(bodies[first - before :, 0, :, 3]).mean(axis=0)
        low, high = angles.min(axis=0), angles.max(axis=0)
        ranges: Ranges = {}
        for joint in joints:
            number = JOINTS.index(joint)
            if seen[number] >= _SEEN:
                ranges[joint] = [round(float(low[number])), round(float(high[number]))]
        return ranges

    def _smoothed(self, angles: Floats, first: int) -> Floats:
        """Smooth the angles of frames from `first` on, in place."""
        for number in range(1, len(angles)):
            gap_s = self._times_s[first + number] - self._times_s[first + number - 1]
            if gap_s <= _MAX_GAP_S:
                keeps = math.exp(-gap_s / _SMOOTHING_S)
                angles[number] += keeps * (angles[number - 1] - angles[number])
        return angles


def joined(ranges: Iterable[Ranges]) -> Ranges:
    """Return the range of several repetitions together."""
    whole: Ranges = {}
    for each in ranges:
        for joint, (low, high) in each.items():
            known = whole.get(joint, [low, high])
            whole[joint] = [min(low, known[0]), max(high, known[1])]
    return whole
