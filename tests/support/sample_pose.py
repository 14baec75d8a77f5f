"""What pose says of the sample video, without looking at it: by the time of the frame."""

import numpy as np

from analyzers.base_model import BaseModel
from tests.analyzers.exercise.recordings import both_lists, of_catalogue


class Pose(BaseModel):
    """Exact landmarks, at no cost; so what exercise counts does not depend on the machine."""

    def __init__(self) -> None:
        self._recording = of_catalogue("sample-video")

    def frame(self, sid, frame, timestamp, *args, **kwargs):
        at = self._recording.at(np.array([min(timestamp / 1000.0, self._recording.times_s[-1])]))
        return {"has_pose": True, **both_lists(at, 0)}
