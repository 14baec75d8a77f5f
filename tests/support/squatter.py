"""An analyzer that sees squats in any video: what pose and exercise say, without networks."""

from analyzers.base_model import BaseModel
from analyzers.landmark_names import LANDMARK_NAMES

SQUATTER = f"{__name__}:Squatter"
# A repetition in each so many frames.
FRAMES = 10


def landmarks(number, person=0):
    """Of a frame; with five decimals, of which the compact form keeps four."""
    return [
        {
            "index": index,
            "name": name,
            "x": round(0.01 * index + person / 10, 5),
            "y": round(number % 100 / 100 + 0.00001 * index, 5),
            "z": -0.12345,
            "visibility": 0.9999,
        }
        for index, name in enumerate(LANDMARK_NAMES)
    ]


class Squatter(BaseModel):
    """Counts frames; `people` is an option."""

    events = ("repetition",)

    def __init__(self):
        self._sessions = {}

    def start(self, sid, timestamp=None, *args, options=None, **kwargs):
        self._sessions[sid] = [0, (options or {}).get("people", 1)]

    def frame(self, sid, frame, timestamp):
        session = self._sessions[sid]
        session[0] += 1
        number, people = session
        reps = number // FRAMES
        seen = {
            "seen": number,
            "landmarks": landmarks(number),
            "reps": reps,
            "score": 90.0,
            "repetition": {"number": reps, "exercise": "squat"} if reps else None,
        }
        if people > 1:
            seen["people"] = [
                {"id": n, "landmarks": landmarks(number, n), "world_landmarks": landmarks(n)}
                for n in range(people)
            ]
        return seen

    def end(self, sid, timestamp=None):
        return {"total": self._sessions.pop(sid)[0]}
