"""The squat.

Counted on the hips' height over the lower foot, in leg lengths: it shows from every side, while the
picture's knee angle shows nothing from in front. Standing it is 0.95 and more. Conditions and the
depth were set on the rendered athlete and on gymapp_squat, mrpose_squat2; see bench/exercise.py.
"""

from analyzers.exercise.definition import Condition, Definition, Fault

EXERCISE = Definition(
    name="squat",
    title="squat",
    signal="hip_height",
    direction=-1,
    min_amplitude=0.07,
    min_s=0.6,
    max_s=15.0,
    conditions=(
        Condition("hip_height", "start", low=0.8, soft=0.12),
        Condition("knee", "change", high=-24.0, soft=8.0),
        Condition("wrist_up", "range", high=1.05, soft=0.25),
        Condition("trunk", "turn", high=62.0, soft=15.0),
        Condition("trunk", "start", high=25.0, soft=15.0),
        Condition("wrist_low", "turn", high=0.25, soft=0.2),
        Condition("feet_split", "turn", high=0.28, soft=0.14),
        Condition("hip", "change", high=-18.0, soft=10.0),
        Condition("legs_seen", "mean", low=0.55, soft=0.2),
    ),
    full=0.62,
    full_soft=0.14,
    difference="knee_difference",
    out_s=0.5,
    back_s=0.4,
    faults=(
        Fault(
            "squat_shallow",
            "Go deeper: lower your hips until your thighs are level",
            "hip_height",
            "turn",
            above=0.74,
            part="depth",
        ),
        Fault(
            "squat_knees_in",
            "Knees are caving in: push them out over your toes",
            "knees_over_ankles",
            "turn",
            below=0.75,
            max_side_on=0.6,
        ),
        Fault(
            "squat_torso_forward",
            "Chest up: your back is leaning too far forward",
            "trunk",
            "turn",
            above=58.0,
            min_side_on=0.4,
        ),
        Fault(
            "squat_heels_up",
            "Keep your heels on the floor: push through the whole foot",
            "heel_lift",
            "change",
            above=0.3,
            min_side_on=0.4,
        ),
        Fault(
            "squat_feet_narrow",
            "Set your feet wider: about as far apart as your shoulders",
            "stance",
            "start",
            below=0.42,
            max_side_on=0.7,
        ),
        Fault(
            "squat_feet_wide",
            "Set your feet closer: about as far apart as your shoulders",
            "stance",
            "start",
            above=2.1,
            max_side_on=0.7,
        ),
    ),
    good=(
        ("squat_depth_good", "Good depth"),
        ("squat_form_good", "Knees and back are well in line"),
    ),
    advice="Keep this form, and slow the way down to make it harder.",
)
