"""Tells which frame was analyzed, by the bar code in its corner."""

from typing import Any, ClassVar

from analyzers.base_model import BaseModel
from bench import barcode


class BarcodeReader(BaseModel):
    """Answers ``{"barcode": number}``, the number None where none can be read."""

    # Not because it reads the pose: being in pose's lane, the number arrives when the landmarks
    # of that very frame do, and so measures their latency instead of its own.
    requires: ClassVar[tuple[str, ...]] = ("pose",)

    def frame(
        self, sid: str, frame: barcode.Image, timestamp: float, *args: Any, **kwargs: Any
    ) -> dict[str, Any]:
        """Read the number."""
        return {"barcode": barcode.read(frame)}
