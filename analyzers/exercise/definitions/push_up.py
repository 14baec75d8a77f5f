"""The push-up.

Counted on the elbows' angle. Conditions were set on mrpose_pushup_a, test1 and the workouttracker
push-ups, depth and the hips' line on the rendered athlete too, whose good push-ups had to stay free
of faults. The hips' line is allowed more than in a plank: of people whose form is good it is -0.03
to 0.1 while they move.
"""

from analyzers.exercise.definition import Condition, Definition, Fault
from analyzers.exercise.posture import PRONE

EXERCISE = Definition(
    name="push_up",
    title="push-up",
    posture=PRONE,
    signal="elbow",
    direction=-1,
    min_amplitude=20.0,
    min_s=0.4,
    max_s=10.0,
    conditions=(
        Condition("trunk", "mean", low=55.0, high=132.0, soft=20.0),
        Condition("support", "start", low=0.35, soft=0.3),
        Condition("support", "change", high=-0.1, soft=0.15),
        Condition("leg_incline", "mean", low=55.0, soft=20.0),
        Condition("arms_seen", "mean", low=0.45, soft=0.15),
    ),
    full=95.0,
    full_soft=30.0,
    difference="",
    out_s=0.4,
    back_s=0.3,
    faults=(
        Fault(
            "push_up_shallow",
            "Go lower: bend your elbows to a right angle",
            "support",
            "turn",
            above=0.75,
            part="depth",
        ),
        Fault(
            "push_up_hips_sagging",
            "Hips are sagging: tighten your belly and keep a straight line",
            "hip_line",
            "live",
            below=-0.06,
            min_side_on=0.8,
        ),
        Fault(
            "push_up_hips_piked",
            "Hips are too high: lower them into line with shoulders and heels",
            "hip_line",
            "live",
            above=0.15,
            min_side_on=0.8,
        ),
    ),
    good=(
        ("push_up_depth_good", "Good depth"),
        ("push_up_line_good", "Your body is in a straight line"),
    ),
    advice="Keep this form, and pause at the bottom to make it harder.",
)
