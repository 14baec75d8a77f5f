"""The sit-up, and the crunch that brings the trunk up at least half-way.

Counted on the trunk's incline, which falls from lying to sitting. Set on prime_situps and the
rendered athlete.
"""

from analyzers.exercise.definition import Condition, Definition, Fault
from analyzers.exercise.posture import LYING

EXERCISE = Definition(
    name="sit_up",
    title="sit-up",
    posture=LYING,
    signal="trunk",
    direction=-1,
    min_amplitude=25.0,
    min_s=0.8,
    max_s=10.0,
    conditions=(
        Condition("trunk", "start", low=60.0, soft=20.0),
        Condition("hip_height", "mean", high=0.55, soft=0.2),
        Condition("knee", "mean", high=140.0, soft=25.0),
        Condition("hip", "change", high=-15.0, soft=15.0),
        Condition("support", "mean", high=0.6, soft=0.3),
    ),
    out="up",
    full=40.0,
    full_soft=25.0,
    out_s=0.4,
    back_s=0.4,
    faults=(
        Fault(
            "sit_up_not_up",
            "Come all the way up: bring your chest to your knees",
            "trunk",
            "turn",
            above=55.0,
            part="depth",
        ),
    ),
    good=(
        ("sit_up_height_good", "All the way up"),
        ("sit_up_form_good", "Your feet stay down"),
    ),
    advice="Keep this form, and lower yourself more slowly.",
)
