"""MediaPipe's PoseLandmarker, one for each session, and some to spare.

A landmarker in VIDEO mode follows people from frame to frame and smooths what
it sees, so each session has its own. It cannot be handed on to the next
session: losing the person from view does not reset the smoothing of visibility
(tried: up to 0.05 off, fading within 40 frames).

Making one takes 75 ms on a 2-core EPYC machine, sometimes 350, and holds the
global interpreter lock all that time, so every other session of the process
waits. Hence `LandmarkerPool` makes spare ones when there is no session to wait.
"""

from __future__ import annotations

import contextlib
import importlib
import logging
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analyzers.base_model import AnalyzerUnavailable
from analyzers.pose import bundle

logger = logging.getLogger(__name__)

# Enough that the second session in a process does not stall the first. Each takes 107 MB.
_SPARES = 2

# What the first frame of a landmarker is like; the size of a common video.
_WARM_UP_SHAPE = (480, 640, 3)


@dataclass(frozen=True, slots=True)
class Person:
    """One person as MediaPipe sees them.

    Attributes
    ----------
    landmarks : list
        33 of MediaPipe's NormalizedLandmark: x and y in 0..1 of the frame,
        z in the scale of x with the hips at 0, visibility 0..1.
    world_landmarks : list
        33 of MediaPipe's Landmark: metres from the middle of the hips.
    """

    landmarks: list[Any]
    world_landmarks: list[Any]


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

    Raises
    ------
    ValueError
        When `model` is no pose landmarker bundle.
    """

    def __init__(self, mediapipe: Any, model: Path, num_poses: int) -> None:
        self.num_poses = num_poses
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
        self._clock = _RisingClock()
        # The first inference is three times as slow as the others. A black frame leaves no trace:
        # nobody is in it to be followed or smoothed.
        self.detect(np.zeros(_WARM_UP_SHAPE, np.uint8), 0)

    def detect(self, rgb: NDArray[np.uint8], timestamp_ms: float) -> list[Person]:
        """Find the people of the next frame.

        Parameters
        ----------
        rgb : ndarray, shape (H, W, 3), uint8
            The frame; its size may differ from the last one's.
        timestamp_ms : float
            Its time. One that is not later than the last one's is taken as
            a millisecond later.
        """
        image = self._mediapipe.Image(
            image_format=self._mediapipe.ImageFormat.SRGB, data=np.ascontiguousarray(rgb)
        )
        result = self._landmarker.detect_for_video(image, self._clock.tick(timestamp_ms))
        return [
            Person(landmarks, world)
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


class LandmarkerPool:
    """Hands out fresh landmarkers, keeping spare ones ready.

    Spare ones are made only while there is no session: on construction, and
    when the last session has gone. When they are used up, one more session
    stalls the others once, for the time of making its landmarker.

    Parameters
    ----------
    model : str or None
        A pose landmarker bundle (.task); by default the one built from the
        networks that come with MediaPipe.
    num_poses : int
        How many people the spare ones follow at most.

    Raises
    ------
    AnalyzerUnavailable
        When MediaPipe is not installed, or carries no networks.
    FileNotFoundError, ValueError
        When `model` is not there, or is no pose landmarker bundle.
    """

    def __init__(self, model: str | None, num_poses: int) -> None:
        self._mediapipe = import_mediapipe()
        self._model = bundle.cached_bundle() if model is None else _existing(model)
        self._num_poses = num_poses
        self._in_use = 0
        self._spares: list[Landmarker] = []
        self._refill()

    def take(self, num_poses: int) -> Landmarker:
        """Return a landmarker that has seen nobody yet."""
        if self._spares and num_poses == self._num_poses:
            landmarker = self._spares.pop()
        else:
            landmarker = self._make(num_poses)
        self._in_use += 1
        return landmarker

    def give_back(self, landmarker: Landmarker) -> None:
        """Close a landmarker that was taken."""
        self._in_use -= 1
        landmarker.close()
        if self._in_use == 0:
            self._refill()

    def _refill(self) -> None:
        while len(self._spares) < _SPARES:
            self._spares.append(self._make(self._num_poses))

    def _make(self, num_poses: int) -> Landmarker:
        return Landmarker(self._mediapipe, self._model, num_poses)


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
    if sys.version_info >= (3, 13):
        version = ".".join(map(str, sys.version_info[:2]))
        return (
            "pose needs mediapipe 0.10.21, which has no build for Python 3.13 and later, and this"
            f" is Python {version}: run Kinecast on Python 3.11 or 3.12, or leave pose out of"
            " --analyzers"
        )
    if isinstance(error, ModuleNotFoundError) and error.name == "mediapipe":
        return (
            "pose needs mediapipe 0.10.21, which is not installed: pip install 'kinecast[pose]',"
            " or leave pose out of --analyzers"
        )
    return (
        f"pose needs mediapipe 0.10.21, which is installed but does not load ({error}; numpy is"
        f" {np.__version__}, it wants one below 2): pip install --force-reinstall 'kinecast[pose]'"
    )


def _existing(model: str) -> Path:
    path = Path(model)
    if not path.is_file():
        raise FileNotFoundError(f"there is no pose model {model}")
    return path


class _RisingClock:
    """Makes times rise strictly, as MediaPipe demands, keeping the steps between frames.

    A source that starts over at 0 is shifted for good, not held at one
    millisecond a frame: the smoothing reads speeds from the steps.
    """

    __slots__ = ("_last_ms", "_shift_ms")

    def __init__(self) -> None:
        self._last_ms = -1
        self._shift_ms = 0

    def tick(self, timestamp_ms: float) -> int:
        now_ms = int(timestamp_ms) + self._shift_ms
        if now_ms <= self._last_ms:
            late_ms = self._last_ms + 1 - now_ms
            self._shift_ms += late_ms
            now_ms += late_ms
        self._last_ms = now_ms
        return now_ms


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
