"""The lunge, forwards, backwards or walking.

Counted on how far the shoulders come down, in statures, like the squat; the hips have to come down
in the picture too, which tells it from a walk. The shin's tilt from which the knee is past the
toe was set on exercise_correction's lunge_err_train2 (MIT); see bench/exercise.py.
"""

from analyzers.exercise.definition import Condition, Definition, Fault
from analyzers.exercise.posture import STANDING_UP

EXERCISE = Definition(
    name="lunge",
    title="lunge",
    posture=STANDING_UP,
    signal="stature",
    direction=-1,
    min_amplitude=0.07,
    alike=0.2,
    min_s=0.8,
    max_s=12.0,
    conditions=(
        Condition("hip_height", "start", low=0.73, soft=0.18),
        Condition("hip_y", "change", low=0.2, soft=0.1),
        Condition("knee_min", "turn", high=122.0, soft=20.0),
        Condition("feet_split", "turn", low=0.47, soft=0.2),
        Condition("trunk", "mean", high=40.0, soft=15.0),
        Condition("legs_seen", "mean", low=0.4, soft=0.25),
    ),
    full=0.76,
    full_soft=0.1,
    out_s=0.5,
    back_s=0.4,
    faults=(
        Fault(
            "lunge_shallow",
            "Go deeper: bring your back knee close to the floor",
            "hip_height",
            "turn",
            above=0.72,
            part="depth",
        ),
        Fault(
            "lunge_knee_past_toe",
            "Front knee is past your toes: take a longer step and sink straight down",
            "shin_tilt",
            "turn",
            above=20.0,
            min_side_on=0.5,
        ),
    ),
    good=(
        ("lunge_depth_good", "Good depth"),
        ("lunge_form_good", "Front knee stays over the foot"),
    ),
    advice="Keep this form, and add weight when it gets easy.",
)
