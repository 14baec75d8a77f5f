"""What is fixed about a camera."""

import enum
from types import SimpleNamespace

draft = SimpleNamespace(
    ColorFilterArrangementEnum=enum.IntEnum(
        "ColorFilterArrangementEnum", "RGGB GRBG GBRG BGGR RGB MONO", start=0
    )
)
