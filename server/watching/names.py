"""How what can be watched is called."""

from __future__ import annotations

CAMERA_NAME = "camera"
ANNOTATED = "/annotated"
# Of several nodes, the one that has the camera.
FIRST = 0
