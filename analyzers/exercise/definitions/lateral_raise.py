"""The lateral raise.

Counted on the upper arms' angle to the trunk. Set on prime_lateral and the rendered skeleton.
"""

from analyzers.exercise.definition import Condition, Definition, Fault
from analyzers.exercise.posture import UPRIGHT

EXERCISE = Definition(
    name="lateral_raise",
    title="lateral raise",
    posture=UPRIGHT,
    signal="arm_lift_max",
    direction=1,
    min_amplitude=35.0,
    min_s=0.6,
    max_s=8.0,
    conditions=(
        Condition("trunk", "mean", high=25.0, soft=15.0),
        Condition("arm_lift_max", "turn", low=58.0, high=120.0, soft=15.0),
        Condition("arm_lift_max", "start", high=40.0, soft=15.0),
        Condition("wrist_up", "turn", low=-0.35, high=0.45, soft=0.2),
        Condition("elbow", "turn", low=120.0, soft=20.0),
        Condition("elbow", "min", low=100.0, soft=20.0),
        Condition("feet_apart", "change", high=0.12, soft=0.1),
        Condition("stature", "range", high=0.12, soft=0.06),
        Condition("arms_seen", "mean", low=0.4, soft=0.25),
    ),
    out="up",
    full=80.0,
    full_soft=25.0,
    difference="elbow_difference",
    out_s=0.5,
    back_s=0.5,
    faults=(
        Fault(
            "raise_too_low",
            "Raise your arms to shoulder height",
            "arm_lift_max",
            "turn",
            below=68.0,
            part="depth",
        ),
        Fault(
            "raise_too_high",
            "Stop at shoulder height: higher takes the work off the shoulders",
            "wrist_up",
            "turn",
            above=0.35,
        ),
    ),
    good=(
        ("raise_height_good", "Arms up to shoulder height"),
        ("raise_form_good", "Your body stays still"),
    ),
    advice="Keep this form, and lower your arms slowly.",
)
