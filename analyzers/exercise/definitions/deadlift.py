"""The deadlift.

Counted on the trunk's incline: from standing, down to the bar and up again. Hands that hang below
the knees and a trunk that goes level tell it from the squat. Set on gymapp_deadlift and the
rendered athlete's skeleton.
"""

from analyzers.exercise.definition import Condition, Definition, Fault
from analyzers.exercise.posture import STANDING_UP

EXERCISE = Definition(
    name="deadlift",
    title="deadlift",
    posture=STANDING_UP,
    signal="trunk",
    direction=1,
    from_turn=True,
    min_amplitude=25.0,
    min_s=0.7,
    max_s=12.0,
    conditions=(
        Condition("trunk", "turn", low=48.0, high=115.0, soft=12.0),
        Condition("hinge", "turn", low=25.0, soft=20.0),
        Condition("trunk", "min", high=35.0, soft=15.0),
        Condition("wrist_low", "turn", low=0.1, soft=0.15),
        Condition("elbow", "mean", low=130.0, soft=25.0),
        Condition("wrist_up", "max", high=-0.55, soft=0.25),
        Condition("hip_height", "min", low=0.5, soft=0.15),
        Condition("legs_seen", "mean", low=0.4, soft=0.25),
    ),
    full=60.0,
    full_soft=20.0,
    difference="knee_difference",
    out_s=0.5,
    back_s=0.4,
    faults=(
        Fault(
            "deadlift_not_locked_out",
            "Stand all the way up: push your hips forward at the top",
            "trunk",
            "min",
            above=22.0,
            part="depth",
        ),
        Fault(
            "deadlift_arms_bent",
            "Keep your arms straight: let them hang from the shoulders",
            "elbow",
            "min",
            below=120.0,
        ),
    ),
    good=(
        ("deadlift_range_good", "Full range from floor to hips"),
        ("deadlift_form_good", "Arms stay straight"),
    ),
    advice="Keep this form, and keep the bar close to your legs.",
)
