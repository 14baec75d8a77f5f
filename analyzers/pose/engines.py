"""Chooses a pose engine."""

from __future__ import annotations

import importlib.util
import logging

from analyzers.base_model import AnalyzerUnavailable
from analyzers.networks.runtime import import_openvino
from analyzers.pose.engine import PoseEngine

logger = logging.getLogger(__name__)

CHOICES = ("auto", "openvino", "mediapipe")


def make_engine(
    choice: str = "auto",
    *,
    model: str | None = None,
    num_poses: int = 1,
    device: str = "CPU",
    precision: str = "auto",
    detector: str | None = None,
) -> PoseEngine:
    """Make the engine that was asked for.

    Parameters
    ----------
    choice : str
        ``openvino``, ``mediapipe``, or ``auto``: openvino where it imports.
    model : str, optional
        A pose landmarker bundle (.task: lite, full or heavy), or mediapipe's
        wheel; by default the networks in the user's cache, see `weights.load`.
    num_poses : int
        How many people most videos will be searched for.
    device, precision : str
        For openvino; see `Runtime`.
    detector : str, optional
        For openvino: a person detector, see `PersonDetector`.

    Raises
    ------
    AnalyzerUnavailable
        When something that the engine needs is missing.
    FileNotFoundError, ValueError
        When a setting is wrong.
    """
    if choice not in CHOICES:
        raise ValueError(f"the pose engine is {choice!r}, not one of {', '.join(CHOICES)}")
    if choice == "auto":
        choice = _best_there_is()
    # Only the one that is used is imported: MediaPipe alone takes a second and 150 MB.
    if choice == "mediapipe":
        from analyzers.pose.on_mediapipe.engine import MediapipeEngine

        if detector is not None or (device, precision) != ("CPU", "auto"):
            logger.warning("a detector, a device and a precision are for openvino, not mediapipe")
        return MediapipeEngine(model, num_poses)
    from analyzers.pose.on_openvino.engine import OpenvinoEngine

    return OpenvinoEngine(model, device=device, precision=precision, detector=detector)


def _best_there_is() -> str:
    try:
        import_openvino()
    except AnalyzerUnavailable as error:
        if importlib.util.find_spec("mediapipe") is None:
            raise
        logger.warning("pose runs on MediaPipe, at half the speed: %s", error)
        return "mediapipe"
    return "openvino"
