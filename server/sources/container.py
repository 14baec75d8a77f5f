"""Video files and streams, opened with PyAV and nothing but what was meant."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, BinaryIO, Protocol

import av
from av.container import InputContainer
from av.error import FFmpegError
from av.video.stream import VideoStream

from server.sources.errors import SourceError

MAX_PIXELS = 1 << 26
"""Of a frame that is decoded at all; whoever opens a video may take less."""

MAX_STREAMS = 12
# Containers that hold media. Playlists (HLS, DASH, concat) are left out: they name further files
# and addresses, which FFmpeg would open without asking anyone.
_FORMATS = "mov,matroska,webm,mpegts,mpeg,avi,flv,ogg,mpjpeg,mjpeg,h264,hevc,ivf,asf"
_OPTIONS = {
    "format_whitelist": _FORMATS,
    # Whatever a container refers to is not opened either.
    "protocol_whitelist": "none",
    "max_pixels": str(MAX_PIXELS),
    # PyAV (18.1) has a byte for each stream that is there when reading begins, and reads it for
    # streams that come later, too: up to here that is within what malloc gives at least.
    "max_streams": str(MAX_STREAMS),
}
_CAMERA_FORMAT = "v4l2"


class Readable(Protocol):
    """What PyAV needs of a file object."""

    def read(self, size: int = -1, /) -> bytes: ...


@dataclass(frozen=True, slots=True)
class OpenVideo:
    """A source that delivers.

    Attributes
    ----------
    container, stream
        PyAV's, for one thread at a time.
    is_live
        Whether its frames come when they are made, and it has no end.
    abort
        Ends a read that waits, from another thread.
    is_device
        Whether it is a camera of this machine.
    """

    container: InputContainer
    stream: VideoStream
    is_live: bool
    abort: Callable[[], None]
    is_device: bool = False


def open_file(path: str | os.PathLike[str]) -> OpenVideo:
    """Open a video file.

    Raises
    ------
    SourceError
        It can not be read, or is no video.
    """
    try:
        # By ourselves: to FFmpeg, "concat:a|b" or "http://..." would be no file name.
        file = open(path, "rb")  # noqa: SIM115
    except OSError as error:
        raise SourceError(f"can not read the file: {error.strerror}") from error
    video = open_readable(file, file.close)
    # One that a recording was cut off in does not say how long it is, but it has an end.
    is_regular = stat.S_ISREG(os.fstat(file.fileno()).st_mode)
    return replace(video, is_live=False) if is_regular else video


def open_readable(
    file: BinaryIO | Readable, close: Callable[[], None], abort: Callable[[], None] | None = None
) -> OpenVideo:
    """Open a video that a file object reads.

    Parameters
    ----------
    file
        What reads; if it can seek, the video has an end.
    close
        Called if it is no video.
    abort
        Ends a read that waits.

    Raises
    ------
    SourceError
        It is no video.
    """
    try:
        return _opened(file, abort or _nothing, options=_OPTIONS)
    except (SourceError, FFmpegError, OSError) as error:
        close()
        raise _as_source_error(error) from error


def open_camera(index: int) -> OpenVideo:
    """Open a camera of this machine.

    Raises
    ------
    SourceError
        There is none of this number, or it is in use.
    """
    device = f"/dev/video{index}"
    if not os.path.exists(device):
        raise SourceError(f"there is no camera {index} ({device})")
    try:
        return replace(_opened(device, _nothing, format=_CAMERA_FORMAT), is_device=True)
    except (FFmpegError, OSError) as error:
        raise SourceError(f"camera {index} can not be used: {error.strerror}") from error


def open_rtsp(url: str, abort: Callable[[], None], timeout_s: float) -> OpenVideo:
    """Open an RTSP stream, which comes over the one connection to the URL's host and port.

    Raises
    ------
    SourceError
        There is none.
    """
    options = {
        "rtsp_transport": "tcp",
        "protocol_whitelist": "rtsp,tcp",
        "format_whitelist": "rtsp,sdp,mpegts",
        "allowed_media_types": "video",
        "max_pixels": str(MAX_PIXELS),
        "max_streams": str(MAX_STREAMS),
    }
    try:
        return _opened(url, abort, format="rtsp", options=options, timeout=timeout_s)
    except (FFmpegError, OSError) as error:
        raise _as_source_error(error) from error


def packets_of(video: OpenVideo, *others: Any) -> Iterator[Any]:
    """A video's packets, and those of other streams of its container, in the order of the file.

    Where a stream begins in the middle of a file, PyAV (18) looks it up among those that it knows
    from the beginning, when all has been read: that is the end, and nothing that is wrong.
    """
    with contextlib.suppress(IndexError):
        yield from video.container.demux([video.stream, *others])


def _opened(source: Any, abort: Callable[[], None], **arguments: Any) -> OpenVideo:
    # Whoever made it may have named it in anything.
    container = av.open(source, metadata_errors="replace", **arguments)
    try:
        if not container.streams.video:
            raise SourceError("there is no video in it")
        stream = container.streams.video[0]
        if stream.codec_context is None:
            raise SourceError("its video is of a codec that is not known here")
        # Frames are wanted as soon as they are there; threads would each hold one back.
        stream.codec_context.thread_count = 1
        stream.codec_context.options = {"max_pixels": str(MAX_PIXELS)}
        return OpenVideo(container, stream, container.duration is None, abort)
    except BaseException:
        container.close()
        raise


def _as_source_error(error: Exception) -> SourceError:
    if isinstance(error, SourceError):
        return error
    # FFmpeg calls what is not on the list of formats an invalid argument.
    if isinstance(error, av.error.InvalidDataError | av.error.EOFError | av.error.ArgumentError):
        return SourceError("it is no video of a kind that is read here")
    return SourceError(f"can not read it: {getattr(error, 'strerror', None) or error}")


def _nothing() -> None:
    """Reading ends by itself."""
