"""An MP4 file of packets as they came from an encoder: nothing is decoded or encoded again.

While it is written it consists of fragments that play by themselves, so a process that is killed
loses less than a second. When it is finished it gets an index of all frames, with which any player
knows its length and can seek (FFmpeg's ``hybrid_fragmented``).
"""

from __future__ import annotations

import io
from fractions import Fraction
from typing import TYPE_CHECKING

import av

from server.recordings.live_container import MIN_STEP_TICKS, PIECE_MS, VIDEO_TIME_BASE
from server.recordings.movie_file import MovieFile

if TYPE_CHECKING:
    from server.media.encoder import Packet

_TICKS_PER_S = VIDEO_TIME_BASE.denominator
# What the index takes at the end: for each frame its size, duration, place and whether it is a key
# frame; and what there is besides.
INDEX_BYTES_PER_FRAME = 24
INDEX_BYTES = 1024
# Where the times of packets differ by more from those at which they come, that is no jitter: a
# publisher has begun to count anew.
MAX_DRIFT_S = 5.0
# NAL unit types (ITU-T H.264, table 7-1): slices of a picture, and the parameter sets before them.
_SLICES = range(1, 6)
_PARAMETER_SETS = (7, 8)


class PictureSizeChanged(Exception):
    """An MP4 track has one picture size, and players such as OpenCV rely on it."""

    def __init__(self, before: tuple[int, int], after: tuple[int, int]) -> None:
        super().__init__(
            f"the picture's size changed from {before[0]}x{before[1]} to {after[0]}x{after[1]}"
        )


class NoParameterSets(Exception):
    """A key frame does not say how it is to be decoded."""


class Movie:
    """An MP4 file of H264 packets.

    Everything is done in the calling thread. What `file` raises comes through.

    Parameters
    ----------
    file
        Where it goes; `close` closes it.
    first
        The first packet, a key frame with its parameter sets.
    at_s
        When it came, by ``time.monotonic()``.

    Raises
    ------
    NoParameterSets
        It has none. The file can be used again.
    """

    def __init__(self, file: MovieFile, first: Packet, at_s: float) -> None:
        self.frames = 0
        self._file = file
        self._began_s = at_s
        self._held_bytes = 0
        self._offset_ticks: int | None = None
        self._last_ticks = -MIN_STEP_TICKS
        data = bytes(first)
        self._parameter_sets = _parameter_sets(data)
        with _probe(data) as probed:
            described = probed.streams.video[0]
            self.size = (described.width, described.height)
            self._container = av.open(
                file,
                mode="w",
                format="mp4",
                # A fragment that fits is handed over in one piece: 0.4 s up to 20 Mb/s.
                buffer_size=2**20,
                container_options={
                    "movflags": "hybrid_fragmented+frag_keyframe+empty_moov+default_base_moof"
                    "+frag_discont",
                    "frag_duration": str(PIECE_MS * 1000),
                },
            )
            self._stream = self._container.add_stream_from_template(described)
        self._stream.time_base = VIDEO_TIME_BASE

    @property
    def seconds(self) -> float:
        """From the first frame to the last."""
        return max(self._last_ticks, 0) / _TICKS_PER_S

    @property
    def bytes_with_index(self) -> int:
        """How large the file would be if it were finished now."""
        index = INDEX_BYTES + self.frames * INDEX_BYTES_PER_FRAME
        return self._file.bytes_written + self._held_bytes + index

    def write(self, packet: Packet, at_s: float) -> None:
        """Write the next packet, which came at a time by ``time.monotonic()``.

        Raises
        ------
        PictureSizeChanged
            The packet does not belong into this file.
        """
        data = bytes(packet)
        if packet.is_keyframe:
            self._check_size(data)
        # The viewers share the packet.
        own = av.Packet(data)
        own.stream = self._stream
        own.time_base = VIDEO_TIME_BASE
        own.pts = own.dts = self._last_ticks = self._ticks(packet, at_s)
        own.is_keyframe = packet.is_keyframe
        written = self._file.bytes_written
        self._container.mux(own)
        self.frames += 1
        # It is the packet after a fragment that makes the muxer hand the fragment over.
        handed_over = self._file.bytes_written > written
        self._held_bytes = own.size + (0 if handed_over else self._held_bytes)

    def close(self) -> None:
        """Write the index."""
        try:
            self._container.close()
        finally:
            self._file.close()

    def _ticks(self, packet: Packet, at_s: float) -> int:
        """The packet's own time from the first one on, as long as that can be believed."""
        own = round((packet.pts or 0) * Fraction(packet.time_base or 0) * _TICKS_PER_S)
        came = round((at_s - self._began_s) * _TICKS_PER_S)
        if (
            self._offset_ticks is None
            or abs(own + self._offset_ticks - came) > MAX_DRIFT_S * _TICKS_PER_S
        ):
            self._offset_ticks = came - own
        return max(own + self._offset_ticks, self._last_ticks + MIN_STEP_TICKS)

    def _check_size(self, data: bytes) -> None:
        sets = _parameter_sets(data)
        if not sets or sets == self._parameter_sets:
            return
        with _probe(data) as probed:
            size = (probed.streams.video[0].width, probed.streams.video[0].height)
        if size != self.size:
            raise PictureSizeChanged(self.size, size)
        # Another bitrate, say. Each key frame carries them, so players follow.
        self._parameter_sets = sets


def _probe(data: bytes) -> av.container.InputContainer:
    """What FFmpeg makes of a key frame."""
    if not _parameter_sets(data):
        raise NoParameterSets
    try:
        container = av.open(io.BytesIO(data), "r", format="h264")
    except av.error.FFmpegError as error:
        raise NoParameterSets from error
    video = container.streams.video
    if not (video and video[0].width and video[0].height):
        container.close()
        raise NoParameterSets
    return container


def _parameter_sets(data: bytes) -> tuple[bytes, ...]:
    """The parameter sets before the first slice of a picture in Annex B's form."""
    found = []
    start = data.find(b"\0\0\1")
    while start >= 0:
        unit = start + 3
        kind = data[unit] & 31 if unit < len(data) else 0
        if kind in _SLICES:
            break
        start = data.find(b"\0\0\1", unit)
        if kind in _PARAMETER_SETS:
            found.append(data[unit : start if start >= 0 else None].rstrip(b"\0"))
    return tuple(found)
