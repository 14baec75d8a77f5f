"""The reference engine, MediaPipe, is tested in an environment of its own."""

import importlib.util

import pytest

MISSING = "MediaPipe is not installed here: make test-mediapipe runs this where it is"

needs_mediapipe = pytest.mark.skipif(importlib.util.find_spec("mediapipe") is None, reason=MISSING)

ENGINES = ["openvino", pytest.param("mediapipe", marks=needs_mediapipe)]
