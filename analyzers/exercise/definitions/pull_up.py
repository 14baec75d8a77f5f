"""The pull-up.

Counted on the wrists' height over the shoulders, with the hands overhead; that the body moves and
not the hands tells it from a press. Set on gymapp_pull_ups, workouttracker's pull-up_11 and the
rendered athlete's skeleton.
"""

from analyzers.exercise.definition import Condition, Definition, Fault
from analyzers.exercise.posture import UPRIGHT

EXERCISE = Definition(
    name="pull_up",
    title="pull-up",
    posture=UPRIGHT,
    signal="wrist_up",
    direction=-1,
    min_amplitude=0.28,
    min_s=0.6,
    max_s=10.0,
    conditions=(
        Condition("trunk", "mean", high=40.0, soft=15.0),
        Condition("wrist_up_max", "min", low=-0.25, soft=0.2),
        Condition("wrist_up", "start", low=0.45, soft=0.2),
        Condition("elbow", "change", high=-5.0, soft=25.0),
        Condition("shoulder_y", "change", high=-0.25, soft=0.15),
        Condition("wrist_y", "range", high=0.45, soft=0.25),
    ),
    out="up",
    full=0.25,
    full_soft=0.2,
    difference="elbow_difference",
    out_s=0.4,
    back_s=0.4,
    faults=(
        Fault(
            "pull_up_not_high_enough",
            "Pull higher: bring your chin over the bar",
            "wrist_up",
            "turn",
            above=0.45,
            part="depth",
        ),
        Fault(
            "pull_up_not_hanging",
            "Straighten your arms at the bottom of each repetition",
            "wrist_up",
            "start",
            below=0.58,
        ),
    ),
    good=(
        ("pull_up_height_good", "Chin over the bar"),
        ("pull_up_form_good", "Arms straight at the bottom"),
    ),
    advice="Keep this form, and lower yourself slowly.",
)
