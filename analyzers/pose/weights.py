"""Where BlazePose's two networks come from."""

from __future__ import annotations

import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

from analyzers.base_model import AnalyzerUnavailable
from analyzers.networks import catalogue, fetching, model_cache
from analyzers.networks.errors import FetchError

# The detector and the landmark network, as MediaPipe's bundles (.task) call them, and its wheel.
DETECTOR_IN_BUNDLE = "pose_detector.tflite"
LANDMARKS_IN_BUNDLE = "pose_landmarks_detector.tflite"
_IN_BUNDLE = (DETECTOR_IN_BUNDLE, LANDMARKS_IN_BUNDLE)
_IN_WHEEL = (
    "mediapipe/modules/pose_detection/pose_detection.tflite",
    "mediapipe/modules/pose_landmark/pose_landmark_full.tflite",
)


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
    """Load the networks; nothing of MediaPipe is imported.

    Parameters
    ----------
    model : str or None
        A pose landmarker bundle (.task: lite, full or heavy), or mediapipe's
        wheel; by default the networks in the user's cache are taken, where
        they are put if they are not there, which may take a minute.

    Raises
    ------
    FileNotFoundError, ValueError
        When `model` is not there, or has no networks.
    AnalyzerUnavailable
        When there is no `model`, and no networks can be had.
    """
    if model is not None:
        return from_file(existing(model))
    try:
        return from_file(fetching.fetch(catalogue.POSE, model_cache.directory()))
    except FetchError as error:
        raise AnalyzerUnavailable(
            f"pose has no networks: {error}, or pass --pose-model FILE.task with a pose landmarker"
            " bundle from MediaPipe"
        ) from error


def from_file(path: Path) -> Weights:
    """Read the networks out of a bundle (.task) or a wheel (.whl)."""
    is_wheel = path.suffix == ".whl"
    what = "no wheel with pose networks" if is_wheel else "no pose landmarker bundle"
    try:
        with zipfile.ZipFile(path) as file:
            return Weights(*(file.read(name) for name in (_IN_WHEEL if is_wheel else _IN_BUNDLE)))
    except KeyError as error:
        raise ValueError(f"{path} is {what}: {error.args[0]}") from error
    except (zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError) as error:
        raise ValueError(f"{path} is {what}: {error}") from error


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
