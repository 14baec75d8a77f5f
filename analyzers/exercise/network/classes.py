"""What the network tells apart, in the order of its outputs."""

NONE = "none"
CLASSES = (
    NONE,
    "bicep_curl",
    "deadlift",
    "jumping_jack",
    "lateral_raise",
    "lunge",
    "plank",
    "pull_up",
    "push_up",
    "shoulder_press",
    "sit_up",
    "squat",
)
