"""Landmarks of the rendered athlete: exact, since nothing has to be rendered for them."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from analyzers.exercise.scorer import ExerciseScorer
from analyzers.pose.landmarks import NAMES
from client_test.athlete.catalogue import CLIPS, FLOOR, STANDING
from client_test.athlete.clip import Clip, Shot
from client_test.athlete.geometry import radians, rotation_y
from client_test.athlete.people import MAN_IN_BLUE
from client_test.athlete.performance import Performance, Set

ROOT = Path(__file__).resolve().parents[3]

_FPS = 30
_VISIBLE = np.full((33, 1), 0.95)

# BlazePose's numbers of the left side's points and of the right side's.
_LEFT = [1, 2, 3, 7, 9, *range(11, 33, 2)]
_RIGHT = [4, 5, 6, 8, 10, *range(12, 33, 2)]


@dataclass(frozen=True)
class Recording:
    """One person's landmarks over time: (frames,), (frames, 33, 4) twice."""

    times_s: np.ndarray
    landmarks: np.ndarray
    world: np.ndarray
    aspect: float

    def at(self, times_s):
        """Return the recording at other times, interpolated."""
        upper = np.clip(np.searchsorted(self.times_s, times_s), 1, len(self.times_s) - 1)
        before, after = self.times_s[upper - 1], self.times_s[upper]
        part = np.clip((times_s - before) / (after - before), 0, 1)[:, None, None]

        def between(points):
            return points[upper - 1] * (1 - part) + points[upper] * part

        return Recording(times_s, between(self.landmarks), between(self.world), self.aspect)

    def sampled(self, fps):
        return self.at(np.arange(0.0, self.times_s[-1], 1.0 / fps))

    def slower(self, factor):
        return Recording(self.times_s * factor, self.landmarks, self.world, self.aspect)

    def without(self, frames):
        keep = np.setdiff1d(np.arange(len(self.times_s)), frames)
        return Recording(self.times_s[keep], self.landmarks[keep], self.world[keep], self.aspect)

    def mirrored(self):
        swap = np.arange(33)
        swap[_LEFT], swap[_RIGHT] = _RIGHT, _LEFT
        landmarks, world = self.landmarks[:, swap].copy(), self.world[:, swap].copy()
        landmarks[..., 0] = 1.0 - landmarks[..., 0]
        world[..., 0] *= -1.0
        return Recording(self.times_s, landmarks, world, self.aspect)

    def scaled(self, scale, x, y):
        """Return the person smaller or larger in the frame, and elsewhere; another's height."""
        landmarks = self.landmarks.copy()
        landmarks[..., 0] = 0.5 + x + scale * (landmarks[..., 0] - 0.5)
        landmarks[..., 1] = 0.5 + y + scale * (landmarks[..., 1] - 0.5)
        landmarks[..., 2] *= scale
        world = self.world.copy()
        world[..., :3] *= 0.8 + 0.2 * scale
        return Recording(self.times_s, landmarks, world, self.aspect)

    def trembling(self, metres, seed):
        """Return it with noise, of as many metres in the world and as much in the picture."""
        noise = np.random.default_rng(seed).normal(0.0, metres, self.world.shape)
        noise[..., 3] = 0.0
        # In the catalogue's views a metre is a third of the frame's height.
        return Recording(
            self.times_s, self.landmarks + noise / 3.0, self.world + noise, self.aspect
        )


def both_lists(recording, number):
    """Return a frame's landmarks as pose has them in its result."""
    return {
        key: [
            {"index": i, "name": NAMES[i], "x": x, "y": y, "z": z, "visibility": v}
            for i, (x, y, z, v) in enumerate(points[number].tolist())
        ]
        for key, points in (
            ("landmarks", recording.landmarks),
            ("world_landmarks", recording.world),
        )
    }


@dataclass
class Played:
    """What the scorer said of a recording."""

    scorer: ExerciseScorer
    states: list

    @property
    def counted(self):
        return [each.exercise for each in self.scorer.repetitions]

    @property
    def told_late_s(self):
        """How long after its end each repetition was told."""
        return [time_s - each.end_s for time_s, state in self.states for each in state.new]

    @property
    def faults(self):
        """The codes of all faults that were shown."""
        return {fault.code for _, state in self.states for fault in state.faults}


def play(recording, exercise=None):
    scorer = ExerciseScorer(exercise)
    frames = zip(
        recording.times_s.tolist(),
        recording.landmarks.tolist(),
        recording.world.tolist(),
        strict=True,
    )
    states = [
        (time_s, scorer.feed(landmarks, world, time_s, recording.aspect))
        for time_s, landmarks, world in frames
    ]
    scorer.finish()
    return Played(scorer, states)


@cache
def of_catalogue(name, person=0):
    """Return the landmarks of one person of a clip in the athlete's catalogue."""
    clip = _sized(CLIPS[name])
    frames = [clip.frame(number) for number in range(clip.frame_count)]
    return _recorded(
        clip,
        [frame.camera for frame in frames],
        np.array([frame.moments[person].skeleton.landmarks() for frame in frames]),
    )


@cache
def of_exercise(exercise, yaw_deg=0.0, repetitions=3, on_floor=False):
    """Return the landmarks of repetitions seen from another side; 90 is from the side."""
    performance = _performance(exercise, repetitions)
    clip = _sized(Clip("", "", (Shot((performance,), FLOOR if on_floor else STANDING),)))
    camera = clip.shots[0].camera(0.0, clip.width, clip.height)
    joints = _joints(exercise, repetitions) @ rotation_y(radians(yaw_deg)).T
    return _recorded(clip, [camera] * clip.frame_count, joints)


@cache
def _joints(exercise, repetitions):
    """Return the joints of someone who faces the camera, (frames, 33, 3) in metres.

    They stand where x and z are 0, so turning them is turning the joints.
    """
    performance = _performance(exercise, repetitions)
    count = round(performance.duration_s * _FPS)
    return np.array([performance.at(n / _FPS).skeleton.landmarks() for n in range(count)])


def _performance(exercise, repetitions):
    return Performance(MAN_IN_BLUE, (Set(exercise, repetitions),))


def _sized(clip):
    return clip.resized(width=640, height=480, fps=_FPS)


def _recorded(clip, cameras, joints):
    seen = [_seen(camera, each) for camera, each in zip(cameras, joints, strict=True)]
    landmarks, world = (np.array(points) for points in zip(*seen, strict=True))
    times_s = np.arange(len(seen)) / _FPS
    return Recording(times_s, landmarks, world, clip.width / clip.height)


def _seen(camera, joints):
    """Return landmarks and world landmarks, (33, 4) each, as BlazePose has their axes."""
    right, up, forward = camera.axes
    hips = joints[[23, 24]].mean(axis=0)
    from_hips = joints - hips
    solid = np.stack([from_hips @ right, -(from_hips @ up), from_hips @ forward], axis=1)
    frame_per_metre = camera.focal_px / ((hips - camera.position) @ forward) / camera.width
    pixels = camera.project(joints)
    flat = np.column_stack(
        [
            pixels[:, 0] / camera.width,
            pixels[:, 1] / camera.height,
            solid[:, 2] * frame_per_metre,
        ]
    )
    return np.hstack([flat, _VISIBLE]), np.hstack([solid, _VISIBLE])
