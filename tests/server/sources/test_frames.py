"""What is read of files: encoded where a worker decodes it, and then all of it, as it is."""

import itertools
import re
from fractions import Fraction

import av
import pytest

from server.media.encoded_frame import EncodedFrame
from server.media.picture import EncodedPicture
from server.sources.container import OpenVideo, open_file
from server.sources.errors import SourceRefused
from server.sources.frames import LivePace, frames_of
from server.workers.mailbox import FrameInfo
from server.workers.messages import EncodedInput
from server.workers.video_decoder import VideoDecoder
from tests.server.recordings.movies import number_of, numbered
from tests.support import pictures

PLENTY = 1 << 24
_ENCODERS = {
    "h264": ("libx264", {"bf": "3", "preset": "fast"}),
    "vp8": ("libvpx", {"deadline": "realtime", "lag-in-frames": "0"}),
    "vp9": ("libvpx-vp9", {"deadline": "realtime", "cpu-used": "8"}),
    "mjpeg": ("mjpeg", {}),
}


def movie(path, codec, count=30, size=(320, 240), first=0):
    """A clip at 25 frames a second, whose frames carry their number."""
    name, options = _ENCODERS[codec]
    with av.open(path, "w") as container:
        stream = container.add_stream(name, rate=25, options=options)
        stream.width, stream.height = size
        # libvpx's spin while they wait for each other.
        stream.codec_context.thread_count = 1
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        for number in range(count):
            frame = numbered(number, *size)
            frame.pts, frame.time_base = first + number, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def read(path, max_pixels=PLENTY, max_encoded_pixels=PLENTY):
    video = open_file(path)
    with video.container:
        return list(frames_of(video, max_pixels, max_encoded_pixels))


def decoded(frames):
    """What a worker makes of them."""
    decoder = VideoDecoder(PLENTY)
    made = []
    ends = [EncodedFrame(frames[-1].frame.codec, 0, b"", 0, False)]
    for number, frame in enumerate([*(each.frame for each in frames), *ends], 1):
        info = FrameInfo(number, 0.0, 0.0, 0.0, 0, 0)
        made.append(
            decoder.decode(EncodedInput("a", info, frame.codec, frame.data, frame.is_key_frame))
        )
    return [(told.info.number, number_of(picture)) for told, picture in filter(None, made)]


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("clip.mp4", "h264"),
        ("clip.mkv", "h264"),
        ("clip.ts", "h264"),
        ("clip.h264", "h264"),
        ("clip.webm", "vp8"),
        ("clip.ivf", "vp8"),
    ],
)
def test_what_a_worker_decodes_is_read_as_it_is(tmp_path, name, codec):
    frames = read(movie(tmp_path / name, codec))

    assert len(frames) == 30
    assert all(isinstance(each.frame, EncodedFrame) for each in frames)
    shown = decoded(frames)
    assert [number - 1 for number, _ in shown] == [code for _, code in shown]
    assert shown[:20] == [(n + 1, n) for n in range(20)]
    assert shown[-1] == (30, 29)
    due_s = [each.due_s for each in frames]
    assert due_s == sorted(due_s)
    assert due_s[-1] - due_s[0] == pytest.approx(29 * 0.04, abs=0.09)
    if name != "clip.h264":
        # It has no times.
        places = sorted(each.frame.timestamp - frames[0].frame.timestamp for each in frames)
        assert places == pytest.approx([3600 * n for n in range(30)], abs=100)


@pytest.mark.parametrize(("name", "codec"), [("clip.webm", "vp9"), ("clip.avi", "mjpeg")])
def test_other_codecs_are_decoded_here(tmp_path, name, codec):
    frames = read(movie(tmp_path / name, codec))

    assert [number_of(each.frame) for each in frames] == list(range(30))
    assert {each.frame.format.name for each in frames} == {"yuv420p"}


def test_pictures_are_read_as_they_are(tmp_path):
    jpegs = pictures.sample_jpegs(3)
    clip = tmp_path / "clip.mpjpeg"
    head = b"--next\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n"
    clip.write_bytes(b"".join(head % len(data) + data + b"\r\n" for data in jpegs))

    frames = read(clip)

    assert [each.frame for each in frames] == [EncodedPicture(data, 640, 480) for data in jpegs]
    with pytest.raises(SourceRefused, match="640 x 480"):
        read(clip, max_pixels=640 * 480 - 1)


def test_a_video_that_no_worker_decodes_is_decoded_here(tmp_path):
    clip = movie(tmp_path / "clip.mp4", "h264")

    frames = read(clip, max_encoded_pixels=320 * 240 - 1)

    assert [number_of(each.frame) for each in frames] == list(range(30))


@pytest.mark.parametrize("max_encoded_pixels", [1, PLENTY])
@pytest.mark.parametrize(("name", "codec"), [("clip.mp4", "h264"), ("clip.webm", "vp8")])
def test_too_many_pixels_are_refused(tmp_path, name, codec, max_encoded_pixels):
    clip = movie(tmp_path / name, codec)

    with pytest.raises(SourceRefused, match="the source has 320 x 240 pixels"):
        read(clip, 320 * 240 - 1, max_encoded_pixels)


def test_a_video_that_grows_is_refused_when_it_does(tmp_path):
    """FFmpeg has looked at the first frames only."""
    for name, size in (("a.ivf", (320, 240)), ("b.ivf", (640, 480))):
        movie(tmp_path / name, "vp8", 5, size)
    both = tmp_path / "both.ivf"
    both.write_bytes((tmp_path / "a.ivf").read_bytes() + (tmp_path / "b.ivf").read_bytes()[32:])

    video = open_file(both)
    frames = frames_of(video, 640 * 480 - 1, PLENTY)
    assert len(list(itertools.islice(frames, 5))) == 5
    with pytest.raises(SourceRefused, match="640 x 480"):
        next(frames)
    video.container.close()


def test_a_stream_that_is_joined_late_begins_with_a_key_frame(tmp_path):
    clip = movie(tmp_path / "clip.ts", "h264")
    video = open_file(clip)
    late = OpenVideo(_WithoutFirst(video.container), video.stream, True, video.abort)

    assert list(frames_of(late, PLENTY, PLENTY)) == []


class _WithoutFirst:
    """A container without its first packet, which is the only key frame."""

    def __init__(self, container):
        self._container = container

    def demux(self, stream):
        return itertools.islice(self._container.demux(stream), 1, None)


def test_parameter_sets_that_only_the_container_has_are_put_in_front(tmp_path):
    """As RTSP's description of a session has them."""
    video = open_file(movie(tmp_path / "clip.ts", "h264"))
    bare = OpenVideo(_WithoutSets(video.container), video.stream, True, video.abort)

    frames = list(frames_of(bare, PLENTY, PLENTY))
    assert {7, 8} <= set(_kinds(frames[0].frame.data))
    assert not any(kind in (7, 8) for each in frames[1:] for kind in _kinds(each.frame.data))
    assert decoded(frames)[:5] == [(n + 1, n) for n in range(5)]


class _WithoutSets:
    """A container whose packets lack their parameter sets."""

    def __init__(self, container):
        self._container = container

    def demux(self, stream):
        for packet in self._container.demux(stream):
            units = re.split(rb"\x00?\x00\x00\x01", bytes(packet))[1:]
            kept = [unit for unit in units if unit[0] & 31 not in (7, 8)]
            bare = av.Packet(b"".join(b"\0\0\0\1" + unit for unit in kept))
            bare.pts, bare.dts, bare.time_base = packet.pts, packet.dts, packet.time_base
            bare.is_keyframe = packet.is_keyframe
            yield bare


def _kinds(data):
    return [unit[0] & 31 for unit in re.split(rb"\x00\x00\x01", data)[1:]]


def test_a_live_source_may_send_what_it_has_kept_and_no_film():
    pace = LivePace()
    assert all(pace.due_s(n / 25) <= 0 for n in range(25 * 10))
    due_s = [pace.due_s(n / 25) for n in range(25 * 10, 25 * 20)]
    assert due_s[0] == pytest.approx(0, abs=0.01)
    assert due_s[-1] == pytest.approx(10, abs=0.1)


@pytest.mark.parametrize("jump_s", [100_000.0, -100_000.0])
def test_times_that_jump_keep_nobody_waiting(jump_s):
    pace = LivePace()
    times_s = [n / 25 + (jump_s if n > 100 else 0.0) for n in range(200)]
    assert max(pace.due_s(time_s) for time_s in times_s) < 0


@pytest.mark.parametrize("time_s", [None, 7.0])
def test_times_that_stand_still_or_lack_let_nobody_send_without_end(time_s):
    pace = LivePace()
    due_s = [pace.due_s(time_s) for _ in range(240 * 12)]
    assert due_s[-1] == pytest.approx(2.0, abs=0.01)


def test_what_a_decoder_makes_room_for_counts(tmp_path):
    """320 x 234 take as much as 320 x 240: it is decoded here, not refused."""
    clip = movie(tmp_path / "clip.mp4", "h264", 5, (320, 234))
    frames = read(clip, max_encoded_pixels=320 * 234)
    assert [number_of(each.frame) for each in frames] == list(range(5))


def test_a_file_that_does_not_say_how_long_it_is_has_an_end(tmp_path):
    """As one that a killed server has left."""
    clip = movie(tmp_path / "clip.ts", "h264")
    raw = movie(tmp_path / "clip.h264", "h264")
    assert not any(map(is_live, (clip, raw)))


def is_live(path):
    video = open_file(path)
    video.container.close()
    return video.is_live
