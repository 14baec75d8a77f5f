"""Stand-ins for pose and exercise, for tests of what is around them.

Pictures tell them what to do by their colour: on red ones pose fails, in blue ones there is
somebody, and of white ones there is more to say than a client reads at once.
"""

from typing import Any

from analyzers.base_model import BaseModel

GREEN, RED, BLUE, WHITE = (30, 200, 60), (200, 60, 30), (30, 60, 200), (255, 255, 255)

SEEN = {
    "exercise": "squat",
    "score": 84.6,
    "reps": 3,
    "phase": "down",
    "feedback": [
        {"code": "depth_good", "text": "Good squat depth!"},
        {"code": "knees_aligned", "text": "Keep knees aligned"},
    ],
    "warnings": [{"code": "knee_cave", "text": "Minor knee cave detected"}],
}


class Pose(BaseModel):
    """Called as ours is."""

    def frame(self, sid, frame, timestamp, *args, **kwargs) -> dict[str, Any]:
        red, green, blue = frame.mean(axis=(0, 1))
        if red > green + 50:
            raise RuntimeError("no red ones")
        much = [0.5] * 200_000 if min(red, green, blue) > 240 else []
        return {"has_pose": bool(blue > green + 50), "landmarks": much}


class Exercise(BaseModel):
    """Called as ours is. Always sees the same, as ours goes on with what it saw last."""

    requires = ("pose",)

    def frame(self, sid, frame, timestamp, *args, **kwargs) -> dict[str, Any]:
        return SEEN
