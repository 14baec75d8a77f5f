"""BlazePose on OpenVINO, with a pipeline of our own around its two networks."""

from __future__ import annotations

import logging
from pathlib import Path

from analyzers.base_model import AnalyzerUnavailable
from analyzers.networks import model_cache, person_detector
from analyzers.networks.person_detector import PersonDetector
from analyzers.networks.runtime import CPU, Runtime
from analyzers.pose import weights
from analyzers.pose.on_openvino.detector import PoseDetector
from analyzers.pose.on_openvino.landmark_network import LandmarkNetwork
from analyzers.pose.on_openvino.search import Search
from analyzers.pose.on_openvino.tracker import Tracker

logger = logging.getLogger(__name__)

# Many boxes with less are of no one, or of someone who has a better one (docs/pose-engine.md).
_MIN_BOX_SCORE = 0.8


class OpenvinoEngine:
    """Compiles the networks once, for all videos of a process.

    Parameters
    ----------
    model : str, optional
        A pose landmarker bundle (.task) or mediapipe's wheel; by default the
        networks in the user's cache, see `weights.load`.
    device, precision : str
        See `Runtime`.
    detector : str, optional
        A person detector's name or file, see `PersonDetector`; by default the one in
        the model cache, if it is there.

    Raises
    ------
    AnalyzerUnavailable
        When OpenVINO, the device or the networks are missing.
    FileNotFoundError, ValueError
        When `model` is not there, or is no pose landmarker bundle.
    """

    name = "openvino"

    def __init__(
        self,
        model: str | None = None,
        *,
        device: str = CPU,
        precision: str = "auto",
        detector: str | None = None,
    ) -> None:
        runtime = Runtime(device, precision)
        networks = weights.load(model)
        try:
            self._landmark_network = LandmarkNetwork(runtime, runtime.read(networks.landmarks))
            self.is_quick = self._landmark_network.is_quick
            self._pose_detector = PoseDetector(
                runtime, runtime.read(networks.detector), quick=self.is_quick
            )
        except ValueError as error:
            raise ValueError(f"{model or 'the cache'} has no pose networks: {error}") from error
        self._person_detector = self._load_person_detector(runtime, detector)
        logger.info(
            "Pose runs on OpenVINO, %s, in %s%s",
            device,
            "low precision where that is safe" if self.is_quick else "f32",
            ", with a person detector" if self._person_detector else "",
        )

    def open(self, num_poses: int) -> Tracker:
        """Return a tracker that has seen nobody yet."""
        search = Search(self._pose_detector, self._person_detector)
        return Tracker(search, self._landmark_network, num_poses)

    def _load_person_detector(self, runtime: Runtime, path: str | None) -> PersonDetector | None:
        if path is not None:
            located = model_cache.locate(path)
            if located is None:
                raise FileNotFoundError(f"there is no detector {path}")
            return self._make_person_detector(runtime, located)
        cached = model_cache.find(person_detector.DEFAULT_NAME)
        if cached is None:
            return None
        try:
            return self._make_person_detector(runtime, cached)
        except (OSError, ValueError, AnalyzerUnavailable) as error:
            # Nobody asked for it.
            logger.warning("Pose goes without the person detector in the model cache: %s", error)
            return None

    def _make_person_detector(self, runtime: Runtime, path: Path) -> PersonDetector:
        return PersonDetector(runtime, path, quick=self.is_quick, min_score=_MIN_BOX_SCORE)
