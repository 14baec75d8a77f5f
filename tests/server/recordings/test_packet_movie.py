"""Packets are really encoded, muxed as they are, and decoded; frames carry their number."""

from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest
from av.bitstream import BitStreamFilterContext

from server.media.encoded_frame import EncodedFrame
from server.recordings.counted_file import CountedFile, SeekableFile
from server.recordings.live_container import PIECE_MS, Kind
from server.recordings.packet_movie import NotWritable, PacketMovie, kind_of
from server.recordings.sound import SoundTrack
from tests.server.recordings.movies import play, silence, tone
from tests.server.recordings.packets import encode

CODECS = ["H264", "VP8"]


def begin(
    path: Path, frame: EncodedFrame, time_ms: float, sound: SoundTrack | None = None
) -> PacketMovie:
    kind = kind_of(frame)
    file = SeekableFile(path) if kind is Kind.WEBM else CountedFile(path)
    return PacketMovie(file, frame, sound, time_ms)


def write(path: Path, video: list[tuple[EncodedFrame, float]]) -> PacketMovie:
    movie = begin(path, *video[0])
    for frame, time_ms in video:
        movie.video(frame, time_ms)
    movie.close()
    return movie


def packets_in(path: Path) -> list[bytes]:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        packets = [packet for packet in container.demux(stream) if packet.size]
        if stream.codec_context.name == "h264":
            annex_b = BitStreamFilterContext("h264_mp4toannexb", stream)
            packets = [made for packet in packets for made in annex_b.filter(packet)]
        return [bytes(packet) for packet in packets]


@pytest.mark.parametrize("codec", CODECS)
def test_packets_are_written_as_they_came(tmp_path: Path, codec: str) -> None:
    video = encode(codec, range(30))

    movie = write(tmp_path / "video", video)

    assert packets_in(tmp_path / "video") == [frame.data for frame, _ in video]
    assert movie.frames_written == 30
    assert movie.bytes_written == (tmp_path / "video").stat().st_size


@pytest.mark.parametrize("codec", CODECS)
def test_nothing_is_decoded(tmp_path: Path, codec: str) -> None:
    """Behind what says how large it is stands what no decoder could make anything of."""
    head = 10 if codec == "VP8" else 80
    key, _ = encode(codec, range(1))[0]
    garbage = replace(key, data=key.data[:head] + bytes(range(1, 256)))
    delta = replace(garbage, data=b"\x01" * 50, is_key_frame=False)
    if codec == "H264":
        delta = replace(delta, data=b"\0\0\0\1\x41" + b"\x01" * 50)

    write(tmp_path / "video", [(garbage, 0.0), (delta, 40.0), (delta, 80.0)])

    with av.open(str(tmp_path / "video")) as container:
        assert len([packet for packet in container.demux(video=0) if packet.size]) == 3
        assert (container.streams.video[0].width, container.streams.video[0].height) == (320, 240)


@pytest.mark.parametrize("codec", [*CODECS, "H264 with B frames"])
def test_every_frame_keeps_its_own_time(tmp_path: Path, codec: str) -> None:
    video = encode(codec, range(60), keys=(0, 20))

    write(tmp_path / "video", video)

    movie = play(tmp_path / "video")
    assert movie.numbers == list(range(60))
    # WebM counts milliseconds; where frames are decoded before they are shown, all are later by
    # four ticks of 90 kHz.
    assert movie.times_ms == pytest.approx([40.0 * n for n in range(60)], abs=0.06)


@pytest.mark.parametrize("codec", CODECS)
def test_uneven_times_and_a_reconnect(tmp_path: Path, codec: str) -> None:
    random = np.random.default_rng(7)
    times = np.cumsum(random.uniform(5, 120, 40))
    times[20:] += 25_000
    video = [
        (frame, float(time))
        for (frame, _), time in zip(encode(codec, range(40)), times, strict=True)
    ]

    write(tmp_path / "video", video)

    assert play(tmp_path / "video").times_ms == pytest.approx(times, abs=0.51)


def test_times_that_repeat_or_go_back_are_moved_on(tmp_path: Path) -> None:
    times = [-20.0, 0, 33, 33, 33, 20, 66, 1000, 500, 1033]
    frames = [frame for frame, _ in encode("H264", range(10))]

    write(tmp_path / "video", list(zip(frames, times, strict=True)))

    assert play(tmp_path / "video").times_ms == pytest.approx(
        [0, 1, 33, 34, 35, 36, 66, 1000, 1001, 1033], abs=0.02
    )


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("sound", ["none", "silent", "spoken"])
def test_the_file_on_disk_trails_by_little(tmp_path: Path, codec: str, sound: str) -> None:
    track = None if sound == "none" else SoundTrack(0.0)
    video = encode(codec, range(100))
    movie = begin(tmp_path / "video", *video[0], track)
    for frame, time_ms in video:
        movie.video(frame, time_ms)
        if track is not None and sound == "spoken":
            track.put(tone(1920), time_ms)

    played = play(tmp_path / "video")
    assert played.numbers == list(range(len(played.numbers)))
    # A piece is closed by the frame after it, and one more may wait for its duration.
    assert 99 * 40 - played.times_ms[-1] < PIECE_MS + 3 * 40
    movie.close()
    assert play(tmp_path / "video").numbers == list(range(100))


@pytest.mark.parametrize("codec", CODECS)
def test_sound_is_in_time_with_the_picture(tmp_path: Path, codec: str) -> None:
    track = SoundTrack(1000.0)
    video = encode(codec, range(25, 75))
    movie = begin(tmp_path / "video", *video[0], track)
    for frame, time_ms in video:
        movie.video(frame, time_ms)
        loud = 2000 <= time_ms < 2200
        track.put(tone(1920) if loud else silence(1920), time_ms)
    movie.close()

    played = play(tmp_path / "video")
    assert played.times_ms[0] == 1000
    assert played.loud_ms() == pytest.approx([2000, 2200], abs=4)
    assert len(played.sound) / 48 == pytest.approx(3000, abs=25)


def test_a_finished_webm_knows_its_length(tmp_path: Path) -> None:
    write(tmp_path / "video", encode("VP8", range(50), keys=(0, 25)))

    with av.open(str(tmp_path / "video")) as container:
        assert container.duration == pytest.approx(2_000_000, abs=50_000)
        container.seek(1_500_000)
        assert next(container.decode(video=0)).time == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("first", "then", "takes"),
    [
        ("VP8", ("VP8", (320, 240)), True),
        ("VP8", ("VP8", (160, 120)), True),
        ("H264", ("H264", (320, 240)), True),
        # These have as many macroblocks.
        ("H264", ("H264", (320, 234)), False),
        ("H264", ("H264", (640, 480)), False),
        ("H264", ("VP8", (320, 240)), False),
        ("VP8", ("H264", (320, 240)), False),
    ],
)
def test_which_frames_belong_into_a_file(
    tmp_path: Path, first: str, then: tuple[str, tuple[int, int]], takes: bool
) -> None:
    movie = begin(tmp_path / "video", *encode(first, range(1))[0])

    assert movie.takes(encode(then[0], range(1), then[1])[0][0]) is takes


def test_vp8_may_change_its_size_in_a_file(tmp_path: Path) -> None:
    write(tmp_path / "video", encode("VP8", range(5)) + encode("VP8", range(5, 10), (640, 480)))

    played = play(tmp_path / "video")
    assert played.numbers == list(range(10))
    assert played.sizes == {(320, 240), (640, 480)}


@pytest.mark.parametrize("damage", ["cut", "no parameter sets", "another codec", "no size"])
def test_a_key_frame_that_says_nothing_is_refused(damage: str) -> None:
    vp8, h264 = (encode(codec, range(1))[0][0] for codec in ("VP8", "H264"))
    frame = {
        "cut": replace(h264, data=h264.data[:8]),
        "no parameter sets": replace(h264, data=b"\0\0\1\x65" + bytes(20)),
        "another codec": replace(vp8, codec="AV1"),
        "no size": replace(vp8, data=vp8.data[:6] + bytes(4) + vp8.data[10:]),
    }[damage]

    with pytest.raises(NotWritable):
        kind_of(frame)
