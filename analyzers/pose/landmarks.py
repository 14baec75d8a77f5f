"""The 33 landmarks of BlazePose, and which of them a skeleton connects.

Names, order and connections are those of MediaPipe's documentation of the Pose
Landmarker ("Pose landmarker model").
"""

from __future__ import annotations

from analyzers.landmark_names import LANDMARK_NAMES

NAMES = LANDMARK_NAMES

INDEX: dict[str, int] = {name: index for index, name in enumerate(NAMES)}

# Pairs of landmark indices, from the face down to the feet.
_FACE = ((0, 1), (1, 2), (2, 3), (3, 7), (0, 4), (4, 5), (5, 6), (6, 8), (9, 10))
_ARMS = (
    *((11, 13), (13, 15), (15, 17), (15, 19), (15, 21), (17, 19)),
    *((12, 14), (14, 16), (16, 18), (16, 20), (16, 22), (18, 20)),
)
_TRUNK = ((11, 12), (11, 23), (12, 24), (23, 24))
_LEGS = (
    *((23, 25), (25, 27), (27, 29), (27, 31), (29, 31)),
    *((24, 26), (26, 28), (28, 30), (28, 32), (30, 32)),
)
CONNECTIONS: tuple[tuple[int, int], ...] = (*_FACE, *_ARMS, *_TRUNK, *_LEGS)
