"""The bicep curl, with one arm or both.

Counted on the height of the higher wrist over its shoulder, in arm lengths: from in front an
elbow's angle cannot be seen in the picture, and world landmarks read it 40 degrees too open. Set on
wissem_bicep_curls and gymapp_ez_bar_bicep_curl; how far leaning back is a fault on
exercise_correction's bicep_dataset (MIT), see bench/exercise.py; the weak peak and the swinging
upper arm on the rendered athlete.
"""

from analyzers.exercise.definition import Condition, Definition, Fault
from analyzers.exercise.posture import UPRIGHT

EXERCISE = Definition(
    name="bicep_curl",
    title="bicep curl",
    posture=UPRIGHT,
    signal="wrist_up_max",
    direction=1,
    min_amplitude=0.4,
    min_s=0.6,
    max_s=10.0,
    conditions=(
        Condition("trunk", "mean", high=30.0, soft=15.0),
        Condition("elbow_min", "turn", high=95.0, soft=20.0),
        Condition("elbow_min", "start", low=105.0, soft=20.0),
        Condition("wrist_up_max", "start", high=-0.55, soft=0.15),
        Condition("arm_lift", "max", high=55.0, soft=20.0),
        Condition("wrist_up_max", "max", high=0.35, soft=0.15),
        Condition("feet_split", "range", high=0.5, soft=0.3),
        Condition("arms_seen", "mean", low=0.7, soft=0.15),
    ),
    out="up",
    full=-0.15,
    full_soft=0.2,
    out_s=0.5,
    back_s=0.5,
    faults=(
        Fault(
            "curl_leaning_back",
            "Don't lean back: stand tall and let the arms do the work",
            "lean_back",
            "live",
            above=13.0,
        ),
        Fault(
            "curl_upper_arm_swinging",
            "Keep your elbows at your sides: the upper arm is swinging",
            "arm_lift",
            "range",
            above=32.0,
        ),
        Fault(
            "curl_weak_peak",
            "Curl all the way up: bring your hands to your shoulders",
            "wrist_up_max",
            "turn",
            below=-0.3,
            part="depth",
        ),
    ),
    good=(
        ("curl_peak_good", "Curled all the way up"),
        ("curl_form_good", "Upper arms and back stay still"),
    ),
    advice="Keep this form, and lower the weight more slowly.",
)
