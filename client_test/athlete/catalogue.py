"""The clips that can be made, by name."""

from . import floor, standing
from .clip import Clip, Shot, View
from .exercise import Exercise
from .people import (
    MAN_IN_BLUE,
    MAN_IN_GREEN,
    MAN_IN_STRIPES,
    WOMAN_IN_RED,
    WOMAN_IN_WHITE,
    Person,
    with_dumbbells,
)
from .performance import Performance, Set

STANDING = View((0.0, 1.15, 3.5), (0.0, 0.92, 0.0))
OVERHEAD = View((0.0, 1.25, 3.9), (0.0, 1.08, 0.0))
FLOOR = View((0.0, 0.85, 2.75), (0.0, 0.42, 0.0))


def _one(
    name: str, description: str, person: Person, exercise: Exercise, view: View, yaw_deg: float,
    repetitions: int = 3,
) -> Clip:  # fmt: skip
    performance = Performance(person, (Set(exercise, repetitions),), yaw_deg=yaw_deg)
    return Clip(name, description, (Shot((performance,), view),))


def _sample_video() -> Clip:
    moving = Performance(
        MAN_IN_BLUE,
        (Set(standing.SQUAT, 2, ready_s=0.3), Set(standing.JUMPING_JACK, 3, ready_s=0.4)),
    )
    lifting = Performance(
        with_dumbbells(MAN_IN_BLUE),
        (
            Set(standing.BICEP_CURL, 2, ready_s=0.3),
            Set(standing.OVERHEAD_PRESS, 1, ready_s=0.5),
            Set(standing.STAND, 0, ready_s=0.4),
        ),
        yaw_deg=-24.0,
    )
    aside = View((-2.05, 1.25, 3.05), (0.0, 0.98, 0.0), 40.0)
    ahead = View((0.25, 1.25, 3.75), (0.0, 1.05, 0.0), 40.0)
    return Clip(
        "sample-video",
        "squats and jumping jacks, then curls and an overhead press with dumbbells; one person, "
        "two shots, the camera going around in the first",
        (
            Shot((moving,), aside, ahead),
            Shot((lifting,), View((0.15, 1.25, 3.6), (0.0, 1.06, 0.0), 40.0)),
        ),
    )


def _lunge() -> Clip:
    # Back on the mat, so that the step stays on it.
    performance = Performance(MAN_IN_BLUE, (Set(standing.LUNGE, 2),), (-0.40, -0.20), yaw_deg=60.0)
    return Clip(
        "lunge", "lunges, left and right in turn, obliquely", (Shot((performance,), STANDING),)
    )


def _two_people() -> Clip:
    return Clip(
        "two-people",
        "two people side by side, one squatting, one doing jumping jacks",
        (
            Shot(
                (
                    Performance(MAN_IN_GREEN, (Set(standing.SQUAT, 3),), (-0.75, -0.1), 25.0),
                    Performance(
                        WOMAN_IN_WHITE, (Set(standing.JUMPING_JACK, 5),), (0.85, 0.0), -10.0
                    ),
                ),
                View((0.0, 1.25, 4.1), (0.0, 1.0, 0.0)),
            ),
        ),
    )


_CLIPS = (
    _sample_video(),
    _one("squat-front", "squats seen from in front", WOMAN_IN_RED, standing.SQUAT, STANDING, 0.0),
    _one("squat-oblique", "squats seen obliquely", MAN_IN_STRIPES, standing.SQUAT, STANDING, 45.0),
    _one("squat-side", "squats seen from the side", MAN_IN_BLUE, standing.SQUAT, STANDING, 85.0),
    _one("squat-shallow", "squats that stop half-way down: a fault", MAN_IN_GREEN,
         standing.SHALLOW_SQUAT, STANDING, 40.0),
    _one("squat-knees-in", "squats with the knees falling inwards: a fault", WOMAN_IN_WHITE,
         standing.KNEES_IN_SQUAT, STANDING, 0.0),
    _one("jumping-jack", "jumping jacks seen from in front", WOMAN_IN_RED, standing.JUMPING_JACK,
         OVERHEAD, 0.0, repetitions=5),
    _one("bicep-curl", "curls with dumbbells, obliquely", with_dumbbells(MAN_IN_STRIPES),
         standing.BICEP_CURL, STANDING, 30.0),
    _one("overhead-press", "presses of dumbbells overhead", with_dumbbells(WOMAN_IN_WHITE),
         standing.OVERHEAD_PRESS, OVERHEAD, 20.0),
    _lunge(),
    _one("push-up", "push-ups seen from the side", MAN_IN_STRIPES, floor.PUSH_UP, FLOOR, 75.0),
    _one("sit-up", "sit-ups seen from the side", WOMAN_IN_RED, floor.SIT_UP, FLOOR, 75.0),
    _two_people(),
)  # fmt: skip

CLIPS = {clip.name: clip for clip in _CLIPS}
