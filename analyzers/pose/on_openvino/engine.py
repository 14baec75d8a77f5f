"""BlazePose on OpenVINO, with a pipeline of our own around its two networks."""

from __future__ import annotations

from analyzers.networks.runtime import CPU, Runtime
from analyzers.pose import weights
from analyzers.pose.on_openvino.detector import PoseDetector
from analyzers.pose.on_openvino.landmark_network import LandmarkNetwork
from analyzers.pose.on_openvino.tracker import Tracker


class OpenvinoEngine:
    """Compiles the networks once, for all videos of a process.

    Parameters
    ----------
    model : str, optional
        A pose landmarker bundle (.task); by default the networks in the
        package mediapipe are taken.
    device, precision : str
        See `Runtime`.

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
            self._detector = PoseDetector(
                runtime, runtime.read(networks.detector), quick=self._landmark_network.is_quick
            )
        except ValueError as error:
            raise ValueError(f"{model or 'mediapipe'} has no pose networks: {error}") from error
        self.is_quick = self._landmark_network.is_quick

    def open(self, num_poses: int) -> Tracker:
        """Return a tracker that has seen nobody yet."""
        return Tracker(self._detector, self._landmark_network, num_poses)
