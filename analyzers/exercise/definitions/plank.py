"""The plank, on hands or elbows.

Seconds are counted while trunk and legs are level and still. The hips' line was set on
exercise_correction's plank CSVs (MIT); see bench/exercise.py.
"""

from analyzers.exercise.definition import Condition, Definition, Fault
from analyzers.exercise.posture import PRONE

EXERCISE = Definition(
    name="plank",
    title="plank",
    posture=PRONE,
    conditions=(
        Condition("trunk", "mean", low=50.0, high=130.0, soft=15.0),
        Condition("knee", "mean", low=135.0, soft=20.0),
        Condition("leg_incline", "mean", low=50.0, high=110.0, soft=15.0),
        Condition("support", "mean", low=0.5, soft=0.12),
        Condition("elbow", "range", high=18.0, soft=12.0),
        Condition("trunk", "range", high=8.0, soft=8.0),
        Condition("trunk_seen", "mean", low=0.4, soft=0.25),
    ),
    faults=(
        Fault(
            "plank_hips_low",
            "Hips are too low: lift them into line with shoulders and heels",
            "hip_line",
            "live",
            below=-0.025,
            min_side_on=0.5,
        ),
        Fault(
            "plank_hips_high",
            "Hips are too high: lower them into line with shoulders and heels",
            "hip_line",
            "live",
            above=0.12,
            min_side_on=0.5,
        ),
    ),
    good=(
        ("plank_hold_good", "Held still"),
        ("plank_line_good", "Your body is in a straight line"),
    ),
    advice="Keep this line, and hold it a little longer each time.",
)
