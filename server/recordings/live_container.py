"""A file of video, and sound if wanted, that plays wherever its writing ends.

It is written in pieces that play by themselves, each handed to the file after `PIECE_MS`, so a
process that is killed loses less than a second, and nothing has to be finished or repaired
afterwards.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from fractions import Fraction
from typing import TYPE_CHECKING

import av
from av.container import OutputContainer
from av.video.stream import VideoStream

from server.recordings.counted_file import CountedFile
from server.recordings.sound import AAC, AUDIO_LATENESS_MS, OPUS, SoundCodec, SoundTrack

if TYPE_CHECKING:
    VideoPacket = av.Packet[VideoStream]

# Times are kept in RTP's clock for video (RFC 6184, section 5.1), so nothing is rounded twice;
# Matroska's are in milliseconds.
VIDEO_TIME_BASE = Fraction(1, 90_000)
TICKS_PER_MS = 90
# A track's times must rise. A millisecond is what a repeated or earlier time is moved on by.
MIN_STEP_TICKS = 1 * TICKS_PER_MS
PIECE_MS = 400

_OPTIONS = {
    # Times stay as they are: a shift of a track would move it away from the other one.
    "avoid_negative_ts": "disabled",
    # In microseconds. A track with nothing to say must not hold back the other one, which FFmpeg
    # does for ten seconds by default.
    "max_interleave_delta": "1000",
}


class Kind(enum.Enum):
    """A container's format, the sound in it, and what FFmpeg is told of it."""

    MP4 = (
        "mp4",
        AAC,
        {
            # frag_discont keeps times absolute: without it, a track that does not begin at zero is
            # moved there. The head is written with the first fragment, when it is known what is in
            # it; an edit list would say again what the times say.
            "movflags": "frag_keyframe+empty_moov+delay_moov+default_base_moof+frag_discont",
            "use_editlist": "0",
            "frag_duration": str(PIECE_MS * 1000),
        },
    )
    WEBM = ("webm", OPUS, {"cluster_time_limit": str(PIECE_MS)})

    def __init__(self, suffix: str, sound: SoundCodec, options: dict[str, str]) -> None:
        self.suffix = suffix
        """Of the file's name; FFmpeg's name of the format, too."""
        self.sound = sound
        self.options = options


class LiveContainer:
    """One file.

    Everything is done in the calling thread. What `file` raises comes through.

    Parameters
    ----------
    file
        Where it goes; `close` closes it.
    kind
        Its format.
    add_video
        Adds the video track.
    sound
        The track of sound that goes on in it from now on; None for a file without one.
    time_ms
        When its video begins.
    """

    def __init__(
        self,
        file: CountedFile,
        kind: Kind,
        add_video: Callable[[OutputContainer], VideoStream],
        sound: SoundTrack | None,
        time_ms: float,
    ) -> None:
        self._file = file
        self._held: VideoPacket | None = None
        self._sound = sound
        self._container = av.open(
            file,
            mode="w",
            format=kind.suffix,
            # A piece that fits is handed over in one: 0.4 s up to 20 Mb/s.
            buffer_size=2**20,
            container_options={**_OPTIONS, **kind.options},
        )
        self.video = add_video(self._container)
        """The video track."""
        if sound is not None:
            sound.go_to(self._container, kind.sound, time_ms)

    @property
    def bytes_written(self) -> int:
        """Bytes handed to the operating system so far."""
        return self._file.bytes_written

    def write(self, packet: VideoPacket) -> None:
        """Write a packet of the video; in a file with sound, once its duration is known.

        The muxer dates a fragment by the durations before it. When sound ends a fragment, it does
        not know the last frame's yet, and takes the nominal one.
        """
        if self._sound is None:
            self._container.mux(packet)
            return
        if self._held is not None and packet.dts is not None and self._held.dts is not None:
            self._held.duration = packet.dts - self._held.dts
            self._container.mux(self._held)
        self._held = packet

    def keep_sound_up(self, ticks: int) -> None:
        """Have silence where sound trails what is shown at a time by too much."""
        if self._sound is not None and self._sound.is_in(self._container):
            self._sound.fill_until(ticks / TICKS_PER_MS - AUDIO_LATENESS_MS)

    def close(self, ticks: int | None) -> None:
        """Write the end of the file.

        Parameters
        ----------
        ticks
            When its last frame is shown; None where there is none.
        """
        try:
            if ticks is not None:
                self._write_rest(ticks)
            self._container.close()
        finally:
            self._file.close()

    def _write_rest(self, ticks: int) -> None:
        if self._held is not None:
            self._container.mux(self._held)
        # It may go on in another file.
        if self._sound is not None and self._sound.is_in(self._container):
            self._sound.fill_until(ticks / TICKS_PER_MS)
            self._sound.flush()
