"""Takes the tremble out of landmarks without making them late.

The filters and their constants are those of MediaPipe's PoseLandmarker
(pose_landmarker_graph.cc): visibility through a low pass, positions through
one-euro filters (Casiez, Roussel and Vogel, "1 € Filter", CHI 2012).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

_SPEED_CUTOFF_HZ = 1.0
# The new value's share.
_VISIBILITY_SHARE = 0.1


class OneEuroFilter:
    """Smooths slow movements much and fast ones little.

    Parameters
    ----------
    min_cutoff_hz : float
        The cut-off frequency at rest.
    beta : float
        How much it rises with speed.
    """

    def __init__(self, min_cutoff_hz: float, beta: float) -> None:
        self._min_cutoff_hz = min_cutoff_hz
        self._beta = beta
        self._time_s = 0.0
        self._raw: NDArray[np.float64] | None = None
        self._smooth: NDArray[np.float64]
        self._speed: NDArray[np.float64]

    def __call__(
        self, values: NDArray[np.float64], time_s: float, scale: float = 1.0
    ) -> NDArray[np.float64]:
        """Smooth the next values.

        Parameters
        ----------
        values : ndarray
            Of any shape, always the same; is kept.
        time_s : float
            When; later than the last time.
        scale : float
            What speeds are multiplied by, so that the size of a person does
            not matter.
        """
        if self._raw is None:
            self._raw = self._smooth = values
            self._speed = np.zeros_like(values)
            self._time_s = time_s
            return values
        frequency_hz = 1.0 / (time_s - self._time_s)
        self._time_s = time_s
        self._speed = _mix(
            (values - self._raw) * (scale * frequency_hz),
            self._speed,
            _share(_SPEED_CUTOFF_HZ, frequency_hz),
        )
        cutoff_hz = self._min_cutoff_hz + self._beta * np.abs(self._speed)
        self._smooth = _mix(values, self._smooth, _share(cutoff_hz, frequency_hz))
        self._raw = values
        return self._smooth

    def rescale(self, factor: float) -> None:
        """Go on with values in another unit; speeds are without one."""
        if self._raw is not None:
            self._raw = self._raw * factor
            self._smooth = self._smooth * factor


class PersonSmoother:
    """Smooths one person's landmarks from frame to frame."""

    def __init__(self) -> None:
        self._positions = OneEuroFilter(min_cutoff_hz=0.05, beta=80.0)
        self._world = OneEuroFilter(min_cutoff_hz=0.1, beta=40.0)
        self._visibility: NDArray[np.float64] | None = None

    def __call__(
        self,
        landmarks: NDArray[np.float64],
        world_landmarks: NDArray[np.float64],
        time_s: float,
        size: float,
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Smooth the next frame's.

        Parameters
        ----------
        landmarks : ndarray, shape (33, 4)
            x, y and z in pixels, visibility.
        world_landmarks : ndarray, shape (33, 3)
            Metres.
        time_s : float
            When; later than the last time.
        size : float
            The person's size in pixels, which speeds are measured by.

        Returns
        -------
        tuple of ndarray, shapes (33, 4) and (33, 3)
        """
        visibility = landmarks[:, 3]
        if self._visibility is not None:
            visibility = _mix(visibility, self._visibility, _VISIBILITY_SHARE)
        self._visibility = visibility
        positions = self._positions(landmarks[:, :3], time_s, 1.0 / size)
        return np.column_stack([positions, visibility]), self._world(world_landmarks, time_s)

    def rescale(self, factor: float) -> None:
        """Go on in a frame of another size."""
        self._positions.rescale(factor)


def _share(cutoff_hz: Any, frequency_hz: float) -> Any:
    """Return the new value's share, 0..1, in a low pass of first order."""
    return 1.0 / (1.0 + frequency_hz / (2 * math.pi * cutoff_hz))


def _mix(new: NDArray[np.float64], old: NDArray[np.float64], share: Any) -> Any:
    return share * new + (1.0 - share) * old
