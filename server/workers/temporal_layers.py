"""Which frames of a video can be decoded when some of its upper temporal layers are left out."""

from __future__ import annotations

from server.workers.messages import EncodedInput

# A payload descriptor has two bits for the layer (RFC 7741, section 4.2).
_HIGHEST = 3


class TemporalLayers:
    """Follows one video's frames, in the order of decoding.

    No frame builds on one of a higher layer, so those may be left out. What follows of the same
    layer or higher ones may build on what was left out, until a frame says that it does not.
    """

    def __init__(self) -> None:
        self._intact = _HIGHEST

    def take(self, frame: EncodedInput, *, is_behind: bool) -> bool:
        """Whether the next frame is to be decoded.

        Parameters
        ----------
        frame
            The next one.
        is_behind
            Whether there is no time for those of upper layers.
        """
        if frame.is_key_frame:
            self._intact = _HIGHEST
        if frame.layer == 0:
            return True
        may_begin = frame.is_layer_sync and frame.layer == self._intact + 1
        if is_behind or not (frame.layer <= self._intact or may_begin):
            self._intact = min(self._intact, frame.layer - 1)
            return False
        self._intact = max(self._intact, frame.layer)
        return True
