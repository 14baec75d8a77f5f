"""A project of the older WebRTC server's kind: its models' folder, and a main.py beside it."""

import textwrap
from pathlib import Path

# As theirs imports what models take by `import *`, and with something of its own.
_BASE = """
    from abc import ABC, abstractmethod
    from typing import Hashable, Optional

    import numpy as np

    SCALE = 2

    class BaseModel(ABC):
        name = "Unnamed model"
"""
_PULSE = """
    from models.base_model import *

    class Pulse(BaseModel):
        name = "Pulse model"

        def __init__(self):
            self.starts = {}
            self.last = None

        def start(self, sid: Hashable, timestamp: Optional[int], *args, **kwargs) -> None:
            self.starts[sid] = timestamp

        def frame(
            self, sid: Hashable, frame: np.ndarray, timestamp: int, *args, **kwargs
        ) -> Optional[dict]:
            assert self.starts[sid] is None
            return {"hr": timestamp * SCALE, "from": "pulse", "whole": type(timestamp) is int}

        def end(self, sid: Hashable, timestamp: Optional[int], *args, **kwargs) -> dict:
            return {"ended_at": timestamp, "hr": 61}
"""
_SKIN = """
    from typing import Hashable, Optional

    from models.base_model import *
    from models.common import shade

    from . import helper

    class Skin(BaseModel):
        def start(self, sid: Hashable, timestamp: int, *args, **kwargs) -> None:
            self.begun = timestamp

        def frame(self, sid, frame: np.ndarray, timestamp: int, *args, **kwargs):
            return {"shade": shade(frame), "from": helper.NAME, "begun": self.begun}

        def end(self, sid, timestamp: Optional[int], *args, **kwargs):
            return {"skin_end": timestamp}
"""
_MAIN = """
    import what_is_not_installed
    from models.pulse import Pulse
    from models.skin import Skin

    MODELS: list[type] = [Skin, Pulse]
"""


def write(root: Path, *, listed: bool = True, base: bool = True) -> Path:
    """Write it; returns the models' folder.

    Parameters
    ----------
    root
        Where.
    listed
        Whether its main.py lists the models, which else go by their names.
    base
        Whether there is a base_model.py.
    """
    folder = root / "models"
    files = {
        folder / "pulse.py": _PULSE if base else _PULSE.replace("SCALE", "2"),
        folder / "skin" / "__init__.py": _SKIN,
        folder / "skin" / "helper.py": "NAME = 'skin'",
        folder / "common.py": "def shade(frame): return float(frame.mean())",
        folder / "broken" / "__init__.py": "raise ImportError('only what is listed is imported')",
    }
    if base:
        files[folder / "base_model.py"] = _BASE
    if listed:
        files[root / "main.py"] = _MAIN
    for path, source in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(source))
    return folder
