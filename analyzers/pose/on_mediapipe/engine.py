"""MediaPipe's PoseLandmarker, one for each session, and some to spare.

A landmarker in VIDEO mode follows people from frame to frame and smooths what
it sees, so each session has its own. It cannot be handed on to the next
session: losing the person from view does not reset the smoothing of visibility
(tried: up to 0.05 off, fading within 40 frames).

Making one takes 75 ms on a 2-core EPYC machine, sometimes 350, and holds the
global interpreter lock all that time, so every other session of the process
waits. Hence `MediapipeEngine` makes spare ones when there is no session to wait.
"""

from __future__ import annotations

import contextlib
import importlib
import logging
import os
import sys
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analyzers.base_model import AnalyzerUnavailable
from analyzers.pose import weights
from analyzers.pose.clock import RisingClock
from analyzers.pose.engine import Person
from analyzers.pose.on_mediapipe import bundle

logger = logging.getLogger(__name__)

# Enough that the second session in a process does not stall the first. Each takes 107 MB.
_SPARES = 2

# MediaPipe asks for the third, Kinecast for the second.
_OPENCVS = (
    "opencv-python",
    "opencv-python-headless",
    "opencv-contrib-python",
    "opencv-contrib-python-headless",
)

# What the first frame of a landmarker is like; the size of a common video.
_WARM_UP_SHAPE = (480, 640, 3)


class Landmarker:
    """Follows the people of one video.

    Parameters
    ----------
    mediapipe : module
        The package mediapipe.
    model : Path
        A pose landmarker bundle (.task).
    num_poses : int
        How many people at most.
    on_close : callable
        Called after `close`.

    Raises
    ------
    ValueError
        When `model` is no pose landmarker bundle.
    """

    def __init__(
        self, mediapipe: Any, model: Path, num_poses: int, on_close: Callable[[], None]
    ) -> None:
        self.num_poses = num_poses
        self._on_close = on_close
        self._mediapipe = mediapipe
        vision = mediapipe.tasks.vision
        options = vision.PoseLandmarkerOptions(
            base_options=mediapipe.tasks.BaseOptions(model_asset_path=str(model)),
            running_mode=vision.RunningMode.VIDEO,
            num_poses=num_poses,
        )
        try:
            with _native_log_hidden():
                self._landmarker = vision.PoseLandmarker.create_from_options(options)
        except (RuntimeError, ValueError) as error:
            reason = str(error).strip().partition("\n")[0]
            raise ValueError(f"{model} is no pose landmarker bundle: {reason}") from error
        self._clock = RisingClock()
        # The first inference is three times as slow as the others. A black frame leaves no trace:
        # nobody is in it to be followed or smoothed.
        self.detect(np.zeros(_WARM_UP_SHAPE, np.uint8), 0)

    def detect(self, rgb: NDArray[np.uint8], timestamp_ms: float) -> list[Person]:
        """Find the people of the next frame; see `PoseTracker`.

        Raises
        ------
        RuntimeError
            MediaPipe failed; it will for every later frame, too.
        """
        image = self._mediapipe.Image(
            image_format=self._mediapipe.ImageFormat.SRGB, data=np.ascontiguousarray(rgb)
        )
        result = self._landmarker.detect_for_video(image, self._clock.tick(timestamp_ms))
        return [
            Person(_as_array(landmarks), _as_array(world))
            for landmarks, world in zip(
                result.pose_landmarks, result.pose_world_landmarks, strict=True
            )
        ]

    def close(self) -> None:
        """Give back its memory and threads."""
        try:
            self._landmarker.close()
        except (RuntimeError, ValueError) as error:
            # Closing repeats the error of a graph that failed; detect() has raised it already.
            logger.debug("closing a landmarker: %s", error)
        self._on_close()


class MediapipeEngine:
    """The reference: opens landmarkers, and keeps spare ones ready.

    Spare ones are made only while there is no session: on construction, and
    when the last session has gone. When they are used up, one more session
    stalls the others once, for the time of making its landmarker.

    Parameters
    ----------
    model : str or None
        A pose landmarker bundle (.task); by default one is built from the
        networks in the user's cache, see `weights.load`.
    num_poses : int
        How many people the spare ones follow at most.

    Raises
    ------
    AnalyzerUnavailable
        When MediaPipe is not installed, or there are no networks.
    FileNotFoundError, ValueError
        When `model` is not there, or is no pose landmarker bundle.
    """

    name = "mediapipe"

    def __init__(self, model: str | None = None, num_poses: int = 1) -> None:
        self._mediapipe = import_mediapipe()
        if len(several := _opencvs()) > 1:
            logger.warning(
                "%s are installed in one place, where each overwrites the others:"
                " docs/pose-engine.md says how to have one",
                " and ".join(several),
            )
        self._model = bundle.cached_bundle() if model is None else weights.existing(model)
        self._num_poses = num_poses
        self._in_use = 0
        self._spares: list[Landmarker] = []
        self._refill()

    def open(self, num_poses: int) -> Landmarker:
        """Return a landmarker that has seen nobody yet."""
        if self._spares and num_poses == self._num_poses:
            landmarker = self._spares.pop()
        else:
            landmarker = self._make(num_poses)
        self._in_use += 1
        return landmarker

    def _closed(self) -> None:
        self._in_use -= 1
        if self._in_use == 0:
            self._refill()

    def _refill(self) -> None:
        while len(self._spares) < _SPARES:
            self._spares.append(self._make(self._num_poses))

    def _make(self, num_poses: int) -> Landmarker:
        return Landmarker(self._mediapipe, self._model, num_poses, self._closed)


def import_mediapipe() -> Any:
    """Import MediaPipe.

    Raises
    ------
    AnalyzerUnavailable
        When it is not installed, or does not load.
    """
    try:
        return importlib.import_module("mediapipe")
    except ImportError as error:
        raise AnalyzerUnavailable(_why_unavailable(error)) from error


def _why_unavailable(error: ImportError) -> str:
    needed = "MediaPipe's engine needs mediapipe 0.10.21, which"
    if sys.version_info >= (3, 13):
        version = ".".join(map(str, sys.version_info[:2]))
        return (
            f"{needed} has no build for Python 3.13 and later, and this is Python {version}: choose"
            " --pose-engine openvino, or run Kinecast on Python 3.11 or 3.12"
        )
    if isinstance(error, ModuleNotFoundError) and error.name == "mediapipe":
        return (
            f"{needed} is not installed: pip install 'kinecast[mediapipe]', or choose --pose-engine"
            " openvino"
        )
    return (
        f"{needed} is installed but does not load ({error}; numpy is {np.__version__}, it wants one"
        " below 2): pip install --force-reinstall 'kinecast[mediapipe]'"
    )


def _opencvs() -> list[str]:
    """Return which of the packages that are cv2 are installed: pip lets one have several."""
    found = []
    for name in _OPENCVS:
        with contextlib.suppress(metadata.PackageNotFoundError):
            found.append(f"{name} {metadata.version(name)}")
    return found


def _as_array(landmarks: list[Any]) -> NDArray[np.float64]:
    return np.array([(each.x, each.y, each.z, each.visibility) for each in landmarks])


@contextlib.contextmanager
def _native_log_hidden() -> Iterator[None]:
    """Keep out of stderr what MediaPipe writes there for each landmarker made.

    Three lines about GPUs and feedback tensors each time, from C++; no environment
    variable turns them off in 0.10.21 (GLOG_minloglevel and
    TF_CPP_MIN_LOG_LEVEL are not read). Meanwhile the global interpreter
    lock is held, so nothing of ours is lost; errors come as exceptions.
    """
    if logger.isEnabledFor(logging.DEBUG):
        yield
        return
    sys.stderr.flush()
    kept = os.dup(2)
    null = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(null, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(null)
        os.close(kept)
