"""The jumping jack.

Counted on the wrists' height over the shoulders, which shows from every side; the feet tell it from
raises and presses. Set on mrpose_jacks and the rendered athlete, which also says how low hands are
a fault.
"""

from analyzers.exercise.definition import Condition, Definition, Fault
from analyzers.exercise.posture import UPRIGHT

EXERCISE = Definition(
    name="jumping_jack",
    title="jumping jack",
    posture=UPRIGHT,
    signal="wrist_up",
    direction=1,
    min_amplitude=0.7,
    min_s=0.4,
    max_s=4.0,
    conditions=(
        Condition("trunk", "mean", high=32.0, soft=15.0),
        Condition("wrist_up", "start", high=-0.4, soft=0.3),
        Condition("wrist_up", "turn", low=0.0, soft=0.3),
        Condition("elbow", "mean", low=115.0, soft=25.0),
        Condition("feet_apart", "change", low=0.17, soft=0.12),
        Condition("legs_seen", "mean", low=0.4, soft=0.25),
    ),
    out="up",
    full=0.85,
    full_soft=0.3,
    difference="elbow_difference",
    faults=(
        Fault(
            "jack_arms_not_overhead",
            "Bring your arms all the way up over your head",
            "wrist_up",
            "turn",
            below=0.6,
            part="depth",
        ),
        Fault(
            "jack_feet_narrow",
            "Jump your feet wider apart",
            "feet_apart",
            "turn",
            below=0.45,
            max_side_on=0.6,
        ),
    ),
    good=(
        ("jack_reach_good", "Arms all the way up"),
        ("jack_form_good", "Arms and legs move together"),
    ),
    advice="Keep this rhythm, and land softly on the balls of your feet.",
)
