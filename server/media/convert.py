"""Frames in another size or pixel format, of which several threads may have the same one."""

from __future__ import annotations

import threading

import av
from av.video.reformatter import ColorRange, VideoReformatter

PICTURE_FORMAT = "yuv420p"
"""What the mailbox holds, and what both of WebRTC's mandatory video codecs decode to."""

_own = threading.local()


def convert(
    frame: av.VideoFrame, pixel_format: str, width: int | None = None, height: int | None = None
) -> av.VideoFrame:
    """A frame in another pixel format or size; the frame itself if it is as wanted already.

    Unlike `av.VideoFrame.reformat` and `to_ndarray` with a format, which keep what they convert
    with in the frame, this may be done on several threads at once with the same frame. With theirs
    the process crashes then, or hangs.

    Parameters
    ----------
    frame
        In any pixel format.
    pixel_format
        As FFmpeg calls it.
    width, height
        In pixels; None keeps the frame's.
    """
    # A camera that gives JPEGs has black at 0 and white at 255, where video has 16 and 235: left as
    # they are, its pictures would be shown too dark and too bright.
    squeeze = pixel_format == PICTURE_FORMAT and frame.color_range == ColorRange.JPEG
    reformatter: VideoReformatter | None = getattr(_own, "reformatter", None)
    if reformatter is None:
        reformatter = _own.reformatter = VideoReformatter()
    return reformatter.reformat(
        frame, width, height, pixel_format, dst_color_range=ColorRange.MPEG if squeeze else None
    )


def as_i420(
    frame: av.VideoFrame, width: int | None = None, height: int | None = None
) -> av.VideoFrame:
    """A frame as everything in here takes it: I420, in the range of levels that video has."""
    return convert(frame, PICTURE_FORMAT, width, height)
