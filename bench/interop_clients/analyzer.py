"""The least that an analyzer can do, so that a busy machine analyzes every frame too."""

from typing import Any

from numpy.typing import NDArray

from analyzers.base_model import BaseModel


class Shape(BaseModel):
    """Says how large each frame is."""

    def frame(
        self, sid: str, frame: NDArray[Any], timestamp: float, *args: Any, **kwargs: Any
    ) -> dict[str, Any]:
        """One frame's height and width, px."""
        return {"shape": list(frame.shape[:2])}
