"""Names and connections agree with MediaPipe's own."""

import pytest

from analyzers.pose.landmarks import CONNECTIONS, INDEX, NAMES
from tests.support.reference import MISSING

mediapipe = pytest.importorskip("mediapipe", reason=MISSING)


def test_names_are_mediapipes():
    theirs = [landmark.name.lower() for landmark in mediapipe.solutions.pose.PoseLandmark]
    assert list(NAMES) == theirs
    assert all(NAMES[index] == name for name, index in INDEX.items())


def test_connections_are_mediapipes():
    assert len(CONNECTIONS) == len(set(CONNECTIONS))
    assert set(CONNECTIONS) == set(mediapipe.solutions.pose.POSE_CONNECTIONS)
