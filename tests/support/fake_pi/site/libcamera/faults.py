"""What is wrong with the camera: files in the folder that the environment variable FAKE_PI names.

A folder, so that a test can break the camera of a server that runs in another process.
"""

import os
from pathlib import Path

FOLDER = "FAKE_PI"

UNPLUGGED = "unplugged"
"""The cable is out: no more pictures, and the camera can not be started."""
ABSENT = "absent"
"""The system knows of no camera at all."""
FIXED_FOCUS = "fixed_focus"
"""Its lens can not be moved."""
FORMAT = "format"
"""The main stream is given in this format, whatever was asked for."""


def get(fault: str) -> str | None:
    """What the fault says, None unless it is there."""
    folder = os.environ.get(FOLDER)
    if folder is None:
        return None
    try:
        return (Path(folder) / fault).read_text()
    except FileNotFoundError:
        return None
