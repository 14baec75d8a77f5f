"""The shoulder press, standing or sitting, Arnold press included.

Counted on the wrists' height over the shoulders, in arm lengths. Set on prime_shoulder,
gymapp_standing_arnold_press and the rendered athlete; lock-out and lean are where its true
landmarks show them and its good presses do not.
"""

from analyzers.exercise.definition import Condition, Definition, Fault
from analyzers.exercise.posture import UPRIGHT

EXERCISE = Definition(
    name="shoulder_press",
    title="shoulder press",
    posture=UPRIGHT,
    signal="wrist_up_max",
    direction=1,
    min_amplitude=0.3,
    min_s=0.6,
    max_s=10.0,
    conditions=(
        Condition("trunk", "mean", high=35.0, soft=15.0),
        Condition("wrist_up_max", "turn", low=0.5, soft=0.2),
        Condition("elbow_min", "min", high=118.0, soft=15.0),
        Condition("elbow", "turn", low=100.0, soft=25.0),
        Condition("arm_lift_max", "turn", low=100.0, soft=25.0),
        Condition("shoulder_y", "range", high=0.25, soft=0.15),
        Condition("arms_seen", "mean", low=0.3, soft=0.25),
    ),
    out="up",
    full=0.9,
    full_soft=0.12,
    difference="elbow_difference",
    out_s=0.4,
    back_s=0.4,
    faults=(
        Fault(
            "press_not_locked_out",
            "Press all the way up: straighten your arms overhead",
            "wrist_up_max",
            "turn",
            below=0.84,
            part="depth",
        ),
        Fault(
            "press_leaning_back",
            "Don't lean back: tighten your belly and press straight up",
            "lean_back",
            "live",
            above=20.0,
        ),
    ),
    good=(
        ("press_lockout_good", "Arms straight overhead"),
        ("press_form_good", "Your back stays upright"),
    ),
    advice="Keep this form, and add weight when it gets easy.",
)
