"""A copy of a video with boxes around whom a search has found."""

from __future__ import annotations

import contextlib
from bisect import bisect_right
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from server.search.search import Match
from server.search.video import IndexedVideo

# Between two looks the box stays; where looks are further apart, nobody knows.
HELD_S = 0.5
_COLOUR = (80, 220, 60)
_TEXT = (0, 0, 0)
_FONT = cv2.FONT_HERSHEY_SIMPLEX
# As good as the eye sees, at a size that is no larger than a camera's.
_OPTIONS = {"preset": "veryfast", "crf": "23"}


def annotate(
    video: IndexedVideo,
    matches: Sequence[Match],
    target: Path,
    on_frame: Callable[[int], None] | None = None,
) -> None:
    """Write the copy: MP4 with H264, frames at their own times, without sound.

    Takes as long as decoding and encoding do: never on the event loop.

    Parameters
    ----------
    video
        What was searched.
    matches
        What was found, by time.
    target
        The file to write; one that is there is replaced when the copy is complete.
    on_frame
        Told of each frame that is written, with its number from 1.

    Raises
    ------
    SourceError
        The video can no longer be read.
    OSError
        The copy can not be written.
    """
    unfinished = target.with_name(f".{target.name}.part")
    times_s = [match.time_s for match in matches]
    try:
        with av.open(unfinished, "w", format="mp4") as copy:
            stream = copy.add_stream("libx264", options=_OPTIONS)
            # H264 in 4:2:0 has even sides.
            stream.width, stream.height = video.width & ~1, video.height & ~1
            stream.pix_fmt = "yuv420p"
            stream.codec_context.time_base = Fraction(1, 90_000)
            last_pts = -1
            everything = video.split(1)[0]
            with contextlib.closing(video.decode(everything, video.sample(0))) as frames:
                for frame in frames:
                    rgb = cast(NDArray[np.uint8], frame.picture.to_ndarray(format="rgb24"))
                    for match in _around(matches, times_s, frame.time_s):
                        draw(rgb, match)
                    drawn = av.VideoFrame.from_ndarray(
                        np.ascontiguousarray(rgb[: stream.height, : stream.width]), format="rgb24"
                    )
                    last_pts = drawn.pts = max(round(frame.time_s * 90_000), last_pts + 1)
                    drawn.time_base = Fraction(1, 90_000)
                    copy.mux(stream.encode(drawn))
                    if on_frame is not None:
                        on_frame(frame.number)
            copy.mux(stream.encode(None))
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)


def draw(rgb: NDArray[np.uint8], match: Match) -> None:
    """Draw a box and the distance into a picture, shape (H, W, 3)."""
    x1, y1, x2, y2 = match.bbox
    thickness = max(round(rgb.shape[0] / 240), 1)
    cv2.rectangle(rgb, (x1, y1), (x2, y2), _COLOUR, thickness)
    text, scale = f"{match.distance:.2f}", rgb.shape[0] / 900
    (width, height), below = cv2.getTextSize(text, _FONT, scale, 1)
    top = max(y1 - height - below - thickness, 0)
    cv2.rectangle(rgb, (x1, top), (x1 + width, top + height + below), _COLOUR, -1)
    cv2.putText(rgb, text, (x1, top + height), _FONT, scale, _TEXT, 1, cv2.LINE_AA)


def _around(matches: Sequence[Match], times_s: list[float], time_s: float) -> list[Match]:
    """The matches of the last look before a time, if it is not too long ago."""
    end = bisect_right(times_s, time_s)
    if not end or time_s - times_s[end - 1] > HELD_S:
        return []
    number = matches[end - 1].frame_number
    start = end
    while start and matches[start - 1].frame_number == number:
        start -= 1
    return list(matches[start:end])
