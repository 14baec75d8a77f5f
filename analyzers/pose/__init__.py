"""Where people's joints are: BlazePose's 33 landmarks."""

from analyzers.pose.analyzer import Pose

__all__ = ["Pose"]
