"""The squat.

Counted on how far the shoulders come down in the picture, in statures: of the rendered athlete's
squats it tells 0.66 at the lowest from every side, while from in front the network takes who squats
for an upright person further away, straight knees and all. Conditions and depth were set on the
rendered athlete and on gymapp_squat, mrpose_squat2, ikram_squat; see docs/accuracy.md.
"""

from analyzers.exercise.definition import Condition, Definition, Fault
from analyzers.exercise.posture import STANDING_UP

EXERCISE = Definition(
    name="squat",
    title="squat",
    posture=STANDING_UP,
    signal="stature",
    direction=-1,
    min_amplitude=0.055,
    alike=0.15,
    min_s=0.75,
    max_s=15.0,
    conditions=(
        Condition("stature", "turn", high=0.94, soft=0.05),
        Condition("hip_height", "start", low=0.8, soft=0.12),
        Condition("hip_y", "change", low=0.1, soft=0.06),
        Condition("knee", "change", high=-5.0, soft=10.0),
        Condition("wrist_up", "range", high=1.2, soft=0.35),
        Condition("wrist_up", "turn", high=0.55, soft=0.35),
        Condition("trunk", "turn", high=62.0, soft=25.0),
        Condition("hinge", "turn", high=38.0, soft=25.0),
        Condition("trunk", "start", high=35.0, soft=15.0),
        Condition("wrist_low", "turn", high=0.25, soft=0.2),
        Condition("feet_split", "turn", high=0.28, soft=0.18),
        Condition("legs_seen", "mean", low=0.5, soft=0.2),
    ),
    full=0.72,
    full_soft=0.1,
    difference="knee_difference",
    out_s=0.5,
    back_s=0.4,
    faults=(
        Fault(
            "squat_shallow",
            "Go deeper: lower your hips until your thighs are level",
            "stature",
            "turn",
            above=0.78,
            part="depth",
        ),
        Fault(
            "squat_knees_in",
            "Knees are caving in: push them out over your toes",
            "knees_out",
            "turn",
            below=0.92,
            max_side_on=0.75,
        ),
        Fault(
            "squat_torso_forward",
            "Chest up: your back is leaning too far forward",
            "trunk",
            "turn",
            above=54.0,
        ),
        Fault(
            "squat_heels_up",
            "Keep your heels on the floor: push through the whole foot",
            "heel_lift",
            "change",
            above=0.21,
            min_side_on=0.75,
        ),
        Fault(
            "squat_feet_narrow",
            "Set your feet wider: about as far apart as your shoulders",
            "stance",
            "start",
            below=0.42,
            max_side_on=0.75,
        ),
        Fault(
            "squat_feet_wide",
            "Set your feet closer: about as far apart as your shoulders",
            "stance",
            "start",
            above=1.95,
            max_side_on=0.75,
        ),
    ),
    good=(
        ("squat_depth_good", "Good depth"),
        ("squat_form_good", "Knees and back are well in line"),
    ),
    advice="Keep this form, and slow the way down to make it harder.",
)
