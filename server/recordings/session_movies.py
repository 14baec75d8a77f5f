"""The video of one session's recording: one file after the other, the sound going on."""

from __future__ import annotations

from collections import deque
from pathlib import Path

import av

from server.media.decoding import NotDecodable, decode
from server.media.encoded_frame import EncodedFrame
from server.media.picture import EncodedPicture
from server.recordings.counted_file import CountedFile, SeekableFile
from server.recordings.encoded_movie import EncodedMovie
from server.recordings.live_container import Kind
from server.recordings.packet_movie import NotWritable, PacketMovie, kind_of
from server.recordings.session_backlog import MAX_AUDIO_FRAMES, Video
from server.recordings.session_files import RecordingError, create_file
from server.recordings.sound import SoundTrack

# A sender that changes its codec or its picture's size more often is not worth a disk.
MAX_FILES = 100


class SessionMovies:
    """Files in a session's directory: ``video.mp4`` or ``video.webm``, then ``video-2.mp4`` and on.

    What was encoded already is written as it came, into another file where the one before can not
    hold it. Other frames are encoded. Everything is done in the calling thread.

    Parameters
    ----------
    directory
        Where they go.
    with_audio
        Whether they get a track of sound. Where none arrives it holds silence.

    Attributes
    ----------
    names
        Of the files that hold a frame, in order.
    """

    def __init__(self, directory: Path, *, with_audio: bool) -> None:
        self.names: list[str] = []
        self._directory = directory
        self._with_audio = with_audio
        self._sound: SoundTrack | None = None
        self._movie: EncodedMovie | PacketMovie | None = None
        self._path: Path | None = None
        self._needs_key_frame = True
        self._frames = self._bytes = 0
        # Audio that comes before the first video frame, at whose time the sound begins.
        self._early_audio: deque[tuple[av.AudioFrame, float]] = deque(maxlen=MAX_AUDIO_FRAMES)

    @property
    def frames_written(self) -> int:
        """Frames in all files."""
        return self._frames + (self._movie.frames_written if self._movie else 0)

    @property
    def bytes_written(self) -> int:
        """Bytes of all files that were handed to the operating system."""
        return self._bytes + (self._movie.bytes_written if self._movie else 0)

    def video(self, frame: Video, time_ms: float) -> bool:
        """Write a frame.

        Returns
        -------
        False when it is left out, since it can not be decoded.
        """
        try:
            if isinstance(frame, EncodedFrame):
                self._write(frame, time_ms)
            else:
                self._encode(frame, time_ms)
        except (NotDecodable, NotWritable):
            return False
        # After the frame: the first thing that is written fixes the encoders' settings.
        while self._early_audio:
            self.audio(*self._early_audio.popleft())
        return True

    def audio(self, frame: av.AudioFrame, time_ms: float) -> None:
        """Encode the samples of `frame`, the first of which was taken at `time_ms`."""
        if self._sound is not None:
            self._sound.put(frame, time_ms)
        elif self._with_audio and self._movie is None:
            self._early_audio.append((frame, time_ms))

    def close(self) -> None:
        """Write the end of the last file."""
        self._close(self._movie, self._path)

    # ---- frames

    def _write(self, frame: EncodedFrame, time_ms: float) -> None:
        movie = self._movie if isinstance(self._movie, PacketMovie) else None
        if frame.is_key_frame:
            # Until it is known to be good.
            self._needs_key_frame = True
            kind = kind_of(frame)
            if movie is None or not movie.takes(frame):
                file_type = SeekableFile if kind is Kind.WEBM else CountedFile
                path, file, sound = self._next(kind, file_type, time_ms)
                movie = PacketMovie(file, frame, sound, time_ms)
                self._go_on(movie, path)
            self._needs_key_frame = False
        elif self._needs_key_frame or movie is None or not movie.takes(frame):
            self._needs_key_frame = True
            raise NotWritable("what it builds on was not written")
        movie.video(frame, time_ms)

    def _encode(self, frame: av.VideoFrame | EncodedPicture, time_ms: float) -> None:
        if isinstance(frame, EncodedPicture):
            frame = av.VideoFrame.from_ndarray(decode(frame.data), format="rgb24")
        movie = self._movie if isinstance(self._movie, EncodedMovie) else None
        if movie is None:
            path, file, sound = self._next(EncodedMovie.kind, CountedFile, time_ms)
            movie = EncodedMovie(
                file, width=frame.width, height=frame.height, sound=sound, time_ms=time_ms
            )
            self._go_on(movie, path)
        movie.video(frame, time_ms)

    # ---- files

    def _next(
        self, kind: Kind, file_type: type[CountedFile], time_ms: float
    ) -> tuple[Path, CountedFile, SoundTrack | None]:
        """Open the next file; and the sound that is to go on in it."""
        number = len(self.names) + 1
        if number > MAX_FILES:
            raise RecordingError(
                f"the video changed its codec or its size too often: {MAX_FILES} files are the most"
            )
        stem = "video" if number == 1 else f"video-{number}"
        path = self._directory / f"{stem}.{kind.suffix}"
        file = create_file(path, file_type)
        if self._with_audio and self._sound is None:
            self._sound = SoundTrack(time_ms)
        return path, file, self._sound

    def _go_on(self, movie: EncodedMovie | PacketMovie, path: Path) -> None:
        before, before_path = self._movie, self._path
        self._movie, self._path = movie, path
        self.names.append(path.name)
        self._close(before, before_path)

    def _close(self, movie: EncodedMovie | PacketMovie | None, path: Path | None) -> None:
        if movie is None or path is None:
            return
        try:
            movie.close()
        finally:
            if movie is not self._movie:
                self._frames += movie.frames_written
                self._bytes += movie.bytes_written
            if not movie.frames_written:
                path.unlink(missing_ok=True)
                self.names.remove(path.name)
