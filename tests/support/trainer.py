"""An analyzer whose frames are repetitions, and what it tells of them."""

import json
from typing import Any

from analyzers.base_model import BaseModel

EVERY_MS = 300.0


def told(number: int, exercise: str = "squat", began_ms: float = 0.0) -> dict[str, Any]:
    """A repetition as the exercise analyzer tells it."""
    start_ms = began_ms + number * 3000.0
    return {
        "exercise": exercise,
        "start_ms": start_ms,
        "turn_ms": start_ms + 1000,
        "end_ms": start_ms + 2000,
        "range_of_motion": 0.4,
        "range_deg": {"left_knee": [70.0, 170.0], "right_knee": [80.0, 172.0]},
        "tempo_s": {"down": 1.0, "hold": 0.1, "up": 0.9},
        "score": 80.0 + number,
        "score_parts": {"depth": 90.0, "tempo": 70.0},
        "faults": ["squat_shallow"] if number % 2 else [],
    }


class Trainer(BaseModel):
    """One repetition every 300 ms, three at most; at the end a plank of 12 s, too."""

    events = ("repetition",)

    def __init__(self) -> None:
        self._done: dict[str, list[dict[str, Any]]] = {}

    def start(self, sid, timestamp=None, *args, **kwargs):
        self._done[sid] = []

    def frame(self, sid, frame, timestamp, *args, **kwargs):
        done = self._done[sid]
        if len(done) < 3 and timestamp >= EVERY_MS * (len(done) + 1):
            done.append(told(len(done)))
        last = done[-1] if done else None
        return {"exercise": "squat", "reps": len(done), "repetition": last}

    def end(self, sid, timestamp=None, *args, **kwargs):
        done = self._done.pop(sid)
        held = {"reps": 0, "held_s": 12.0, "mean_score": 70.0}
        exercises = {"squat": {"reps": len(done)}, "plank": held}
        return {"exercise_summary": {"exercises": exercises, "repetitions": done}}

    def save(self, sid):
        return json.dumps(self._done[sid]).encode()

    def restore(self, sid, state):
        self._done[sid] = json.loads(state)
