"""A camera that hangs on its side: its pictures are turned before anyone sees them."""

from __future__ import annotations

from fractions import Fraction

import av
import av.filter

from server.media.capture import Capture

# Nobody reads a time from what comes out; FFmpeg wants to know its unit.
_TIME_BASE = Fraction(1, 90_000)
# FFmpeg's filters. Degrees are counterclockwise.
_FILTERS = {
    90: (("transpose", "cclock"),),
    180: (("hflip", None), ("vflip", None)),
    270: (("transpose", "clock"),),
}


class Turning:
    """Turns pictures, on the camera's thread.

    Parameters
    ----------
    degrees
        90, 180 or 270, counterclockwise.
    """

    def __init__(self, degrees: int) -> None:
        self._filters = _FILTERS[degrees]
        self._graph: av.filter.Graph | None = None
        self._of: tuple[int, int, str] | None = None

    def apply(self, capture: Capture) -> Capture:
        """The picture, turned."""
        frame = capture.frame
        kind = (frame.width, frame.height, frame.format.name)
        if self._graph is None or kind != self._of:
            self._graph, self._of = self._make(frame), kind
        self._graph.push(frame)
        turned = self._graph.pull()
        assert isinstance(turned, av.VideoFrame)
        return Capture(turned, capture.captured_s)

    def _make(self, frame: av.VideoFrame) -> av.filter.Graph:
        graph = av.filter.Graph()
        last = graph.add_buffer(
            width=frame.width, height=frame.height, format=frame.format, time_base=_TIME_BASE
        )
        for name, arguments in self._filters:
            following = graph.add(name, arguments)
            last.link_to(following)
            last = following
        last.link_to(graph.add("buffersink"))
        graph.configure()
        return graph
