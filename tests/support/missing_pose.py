"""Pose on a machine that lacks something for it."""

from analyzers.base_model import AnalyzerUnavailable, BaseModel

REASON = "its network is missing: put it there"


class Pose(BaseModel):
    """Called as ours is, and can not run here."""

    def __init__(self) -> None:
        raise AnalyzerUnavailable(REASON)

    def frame(self, sid, frame, timestamp, *args, **kwargs) -> None:
        raise AssertionError("it can not run")
