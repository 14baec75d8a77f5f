"""Where BlazePose's two networks come from."""

from __future__ import annotations

import importlib.util
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

from analyzers.base_model import AnalyzerUnavailable

# What MediaPipe's bundles (.task) call them, and its wheel.
DETECTOR_IN_BUNDLE = "pose_detector.tflite"
LANDMARKS_IN_BUNDLE = "pose_landmarks_detector.tflite"
_DETECTOR_IN_WHEEL = "modules/pose_detection/pose_detection.tflite"
_LANDMARKS_IN_WHEEL = "modules/pose_landmark/pose_landmark_full.tflite"


@dataclass(frozen=True, slots=True)
class Weights:
    """Both networks.

    Attributes
    ----------
    detector, landmarks : bytes
        TFLite files.
    """

    detector: bytes
    landmarks: bytes


def load(model: str | None) -> Weights:
    """Load the networks, without importing MediaPipe.

    Parameters
    ----------
    model : str or None
        A pose landmarker bundle (.task: lite, full or heavy); by default the
        networks in the package mediapipe are taken.

    Raises
    ------
    FileNotFoundError, ValueError
        When `model` is not there, or is no such bundle.
    AnalyzerUnavailable
        When there is no `model`, and no mediapipe that carries networks.
    """
    return from_package(_package()) if model is None else from_bundle(existing(model))


def from_bundle(path: Path) -> Weights:
    """Read the networks out of a bundle (.task)."""
    try:
        with zipfile.ZipFile(path) as bundle:
            return Weights(bundle.read(DETECTOR_IN_BUNDLE), bundle.read(LANDMARKS_IN_BUNDLE))
    except KeyError as error:
        raise ValueError(f"{path} is no pose landmarker bundle: {error.args[0]}") from error
    except (zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError) as error:
        raise ValueError(f"{path} is no pose landmarker bundle: {error}") from error


def from_package(package: Path) -> Weights:
    """Read the networks out of the package mediapipe."""
    try:
        return Weights(
            (package / _DETECTOR_IN_WHEEL).read_bytes(),
            (package / _LANDMARKS_IN_WHEEL).read_bytes(),
        )
    except FileNotFoundError:
        raise AnalyzerUnavailable(
            "this release of mediapipe carries no pose networks: install mediapipe==0.10.21, or"
            " pass --pose-model FILE.task with a pose landmarker bundle from MediaPipe"
        ) from None


def existing(model: str) -> Path:
    """Return the path of a bundle that is there.

    Raises
    ------
    FileNotFoundError
        When it is not.
    """
    path = Path(model)
    if not path.is_file():
        raise FileNotFoundError(f"there is no pose model {model}")
    return path


def _package() -> Path:
    spec = importlib.util.find_spec("mediapipe")
    if spec is None or not spec.submodule_search_locations:
        raise AnalyzerUnavailable(
            "pose has no networks: they come with mediapipe 0.10.21, which is not installed here."
            " Pass --pose-model FILE.task with a pose landmarker bundle from MediaPipe, or, on"
            " Python 3.11 and 3.12, pip install 'kinecast[pose]'"
        )
    return Path(spec.submodule_search_locations[0])
