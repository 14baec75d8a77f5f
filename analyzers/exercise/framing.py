"""Whether the camera sees what an exercise needs, and what to change if not."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analyzers.pose.landmarks import INDEX

TEXTS: Mapping[str, str] = {
    "framing_nobody": "Step into the picture",
    "framing_too_dark": "Turn on a light: the picture is too dark",
    "framing_too_close": "Step back: you are too close to the camera",
    "framing_head": "Your head is out of the picture",
    "framing_hands": "Your hands are out of the picture",
    "framing_feet": "Your feet are out of the picture",
    "framing_turn": "Turn sideways to the camera",
    "framing_more_people": "There is somebody else in the picture",
}
"""What is wrong with a picture, by code, the first thing to mend first."""

# Exercises that need neither feet nor legs, nor hands, and those that are seen from the side only:
# from in front BlazePose takes who lies towards the camera for who sits before it.
_WITHOUT_FEET = frozenset(("bicep_curl", "shoulder_press", "lateral_raise", "pull_up"))
_WITHOUT_HANDS = frozenset(("squat", "lunge", "sit_up", "deadlift"))
_FROM_THE_SIDE = frozenset(("push_up", "plank", "sit_up"))
_SIDE_ON = 0.45

# What is wrong has to last before it is told, and to be mended for as long before it is not.
_TOLD_AFTER_S, _MENDED_AFTER_S = 0.6, 0.3
_READY_AFTER_S = 1.0
# The light is looked at so often, on every so many pixels.
_LIGHT_EVERY_S, _LIGHT_STEP = 0.5, 16
# Mean of red, green and blue, 0 to 255: below, BlazePose loses people (a dim room has 40).
_DARK = 22.0
# Landmarks of less visibility are guesses; so far outside the frame is outside.
_SEEN = 0.4
_EDGE = 0.01
# A trunk of more than this part of the frame's height leaves no room for head and legs: a body is
# some three and a half trunks high. The second is for who needs no legs.
_CLOSE, _CLOSE_WITHOUT_FEET = 0.32, 0.5
_SHOULDERS, _HIPS = (11, 12), (23, 24)
_HANDS = tuple(INDEX[f"{side}_wrist"] for side in ("left", "right"))
_FEET = tuple(INDEX[f"{side}_ankle"] for side in ("left", "right"))
_NOSE = INDEX["nose"]

Landmarks = Sequence[Mapping[str, float]]


class Framing:
    """Watches one session's pictures."""

    def __init__(self) -> None:
        # Since when each code has been other than it is told.
        self._changed_s: dict[str, float] = {}
        self._told: set[str] = set()
        self._right_s: float | None = None
        self._light = 255.0
        self._lit_s = float("-inf")

    def look(
        self,
        frame: NDArray[np.uint8],
        person: Mapping[str, Any] | None,
        time_s: float,
        *,
        exercise: str,
        people: int,
    ) -> dict[str, Any]:
        """Look at a frame, and return what a result says of it: `framing` and `ready`.

        Parameters
        ----------
        frame : ndarray, shape (H, W, 3), uint8
            RGB.
        person : mapping or None
            The one who is scored, with both lists of landmarks; None while nobody is.
        time_s : float
            Seconds since the session's first frame.
        exercise : str
            What is done, or ``none``: to begin with, all of the body has to be seen.
        people : int
            How many are in the picture, as far as pose looks for them.
        """
        if time_s - self._lit_s >= _LIGHT_EVERY_S:
            self._lit_s = time_s
            self._light = float(frame[::_LIGHT_STEP, ::_LIGHT_STEP].mean())
        wrong = set() if person is None else _wrong_with(person, exercise)
        if person is None:
            wrong.add("framing_nobody")
        if self._light < _DARK:
            wrong.add("framing_too_dark")
        if people > 1:
            wrong.add("framing_more_people")
        self._settle(wrong, time_s)
        if wrong or self._told:
            self._right_s = None
        elif self._right_s is None:
            self._right_s = time_s
        told = [code for code in TEXTS if code in self._told]
        return {
            "framing": [{"code": code, "text": TEXTS[code]} for code in told],
            "ready": self._right_s is not None and time_s - self._right_s >= _READY_AFTER_S,
        }

    def _settle(self, wrong: set[str], time_s: float) -> None:
        for code in TEXTS:
            if (code in wrong) == (code in self._told):
                self._changed_s.pop(code, None)
                continue
            since_s = self._changed_s.setdefault(code, time_s)
            if code in wrong and time_s - since_s >= _TOLD_AFTER_S:
                self._told.add(code)
            elif code not in wrong and time_s - since_s >= _MENDED_AFTER_S:
                self._told.discard(code)


def _wrong_with(person: Mapping[str, Any], exercise: str) -> set[str]:
    landmarks: Landmarks = person["landmarks"]
    wrong = set()
    if _trunk(landmarks) > (_CLOSE_WITHOUT_FEET if exercise in _WITHOUT_FEET else _CLOSE):
        wrong.add("framing_too_close")
    if not _is_inside(landmarks[_NOSE]):
        wrong.add("framing_head")
    if exercise not in _WITHOUT_HANDS and not any(_is_inside(landmarks[at]) for at in _HANDS):
        wrong.add("framing_hands")
    if exercise not in _WITHOUT_FEET and not any(_is_inside(landmarks[at]) for at in _FEET):
        wrong.add("framing_feet")
    if exercise in _FROM_THE_SIDE and _side_on(person["world_landmarks"]) < _SIDE_ON:
        wrong.add("framing_turn")
    # Who is too close has to step back, whatever is cut off.
    return {"framing_too_close"} if "framing_too_close" in wrong else wrong


def _is_inside(point: Mapping[str, float]) -> bool:
    inside = all(-_EDGE <= point[axis] <= 1.0 + _EDGE for axis in "xy")
    return inside and point["visibility"] >= _SEEN


def _trunk(landmarks: Landmarks) -> float:
    """Return the trunk's length in the frame's heights, of who is upright."""
    top, bottom = (sum(landmarks[at]["y"] for at in pair) / 2.0 for pair in (_SHOULDERS, _HIPS))
    return bottom - top


def _side_on(world: Landmarks) -> float:
    """Return 0 for a body seen from in front, 1 for one from the side."""
    x, z = (
        world[_SHOULDERS[0]][axis]
        - world[_SHOULDERS[1]][axis]
        + world[_HIPS[0]][axis]
        - world[_HIPS[1]][axis]
        for axis in ("x", "z")
    )
    return abs(z) / max(math.hypot(x, z), 1e-6)
