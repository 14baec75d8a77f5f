"""Where people's joints are: BlazePose's 33 landmarks, on MediaPipe."""

from analyzers.pose.analyzer import Pose

__all__ = ["Pose"]
