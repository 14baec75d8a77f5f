"""A part of a video file as a file of its own: its packets as they are, nothing encoded anew."""

from __future__ import annotations

import contextlib
import threading
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
from av.error import FFmpegError

from server.search.video import IndexedVideo, give_way
from server.sources.container import OpenVideo, open_file, packets_of
from server.sources.errors import SourceError


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of file.

    Attributes
    ----------
    format
        FFmpeg's name of it.
    suffix
        Of its files' names, with the dot.
    content_type
        What HTTP calls it.
    sound
        Codecs of sound that go into it.
    """

    format: str
    suffix: str
    content_type: str
    sound: frozenset[str]


MP4 = Kind("mp4", ".mp4", "video/mp4", frozenset({"aac", "mp3", "opus", "ac3"}))
WEBM = Kind("webm", ".webm", "video/webm", frozenset({"opus", "vorbis"}))
# What browsers play in which.
_KINDS = dict.fromkeys(("h264", "hevc", "av1", "mpeg4"), MP4) | dict.fromkeys(("vp8", "vp9"), WEBM)


class NoRoom(SourceError):
    """There is not enough room for the part."""


@dataclass(frozen=True, slots=True)
class Cut:
    """What was cut out.

    Attributes
    ----------
    start_s, end_s
        Seconds from the video's first frame: of the key frame that it begins with, and of its last
        frame.
    kind
        What kind of file it is.
    """

    start_s: float
    end_s: float
    kind: Kind


def cut(
    source: Path,
    target: Path,
    from_s: float,
    to_s: float,
    *,
    max_pixels: int,
    max_bytes: int,
    stop: threading.Event,
) -> Cut:
    """Write a part of a video to a file; in a thread.

    It begins with the key frame before, since nothing can be shown from elsewhere on. Reads the
    file twice, and holds one packet at a time.

    Parameters
    ----------
    source
        The video.
    target
        Where to; what is there is written over.
    from_s, to_s
        Seconds from the video's first frame.
    max_pixels
        Of a frame.
    max_bytes
        Of pictures and sound in the part.
    stop
        When this is set, nobody waits for it any more.

    Raises
    ------
    NoRoom
        The part has more bytes.
    SourceError
        It can not be read, has no such part, or is of a codec that no file for browsers has.
    """
    give_way()
    video = IndexedVideo.read(source, max_pixels, stop)
    if from_s > video.duration_s:
        raise SourceError(f"it is over after {video.duration_s:.1f} s: take an earlier part")
    keys_s = video.keys_s
    start_s = keys_s[max(bisect_right(keys_s, from_s) - 1, 0)]
    end_s = video.times_s[max(bisect_right(video.times_s, to_s) - 1, 0)]
    opened = open_file(source)
    try:
        with contextlib.closing(opened.container):
            name = _codec(opened.stream)
            kind = _KINDS.get(name)
            if kind is None:
                raise SourceError(f"no clip is made of {name}: H264, HEVC, AV1, VP8 or VP9 is")
            times = video.at(start_s), video.at(end_s)
            _write(opened, target, kind, times, max_bytes, stop)
    except FFmpegError as error:
        raise SourceError(f"no clip can be made of it: {error.strerror}") from error
    return Cut(start_s, max(end_s, start_s), kind)


def _write(
    opened: OpenVideo,
    target: Path,
    kind: Kind,
    times: tuple[int, int],
    max_bytes: int,
    stop: threading.Event,
) -> None:
    """Write what is shown from one of the video's times to another, in ticks of its stream."""
    video, (first, last), left = opened.stream, times, max_bytes
    tick = video.time_base
    assert tick is not None
    sound = [each for each in opened.container.streams.audio if _codec(each) in kind.sound][:1]
    begin, end = first * tick, last * tick
    with av.open(str(target), "w", format=kind.format) as file:
        written: dict[int, Any] = {
            stream.index: file.add_stream_from_template(stream) for stream in (video, *sound)
        }
        is_there = False
        for packet in _packets(opened, sound, stop):
            time = packet.pts * packet.time_base
            if packet.stream.index == video.index:
                is_there = is_there or (packet.is_keyframe and packet.pts == first)
                # In the order of decoding what is shown comes later still.
                if packet.dts is not None and packet.dts > last:
                    return
            # Frames that are decoded after the key frame, but shown before, need what is left out.
            if not is_there or not begin <= time <= end:
                continue
            left -= packet.size
            if left < 0:
                raise NoRoom("there is no room for so long a part: take a shorter one")
            shift = round(begin / packet.time_base)
            packet.pts -= shift
            if packet.dts is not None:
                packet.dts -= shift
            packet.stream = written[packet.stream.index]
            file.mux(packet)


def _packets(opened: OpenVideo, sound: Sequence[Any], stop: threading.Event) -> Iterator[Any]:
    for packet in packets_of(opened, *sound):
        if stop.is_set():
            raise SourceError("nobody waits for it any more")
        if packet.size and packet.pts is not None and packet.time_base is not None:
            yield packet


def _codec(stream: Any) -> str:
    """The codec's own name, whatever decodes it here."""
    context = stream.codec_context
    return context.codec.canonical_name if context is not None else ""
