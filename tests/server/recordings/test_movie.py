"""MP4 of an encoder's own packets: every player gets every frame, at its own time."""

import itertools

import av
import cv2
import numpy as np
import pytest

from server.media.encoder import Codec, Encoder
from server.recordings.movie import Movie, NoParameterSets, PictureSizeChanged
from server.recordings.movie_file import MovieFile
from tests.server.recordings.pictures import FPS, encode, read

STEADY = [500 + index / FPS for index in range(60)]


def opencv_reads(path):
    """All pictures that OpenCV finds in a file."""
    capture = cv2.VideoCapture(str(path))
    pictures = [got[1] for got in itertools.takewhile(lambda got: got[0], iter(capture.read, None))]
    capture.release()
    return pictures


def write(path, packets, came=None):
    """A file of packets."""
    came = came or [float(packet.pts * packet.time_base) for packet in packets]
    file = MovieFile(path)
    movie = Movie(file, packets[0], came[0])
    for packet, at_s in zip(packets, came, strict=True):
        movie.write(packet, at_s)
    reckoned = movie.bytes_with_index
    movie.close()
    assert movie.frames == len(packets)
    # What it says that it will be is enough, and not much more.
    assert reckoned - 2000 - 24 * len(packets) < path.stat().st_size <= reckoned


def test_frames_come_out_as_they_went_in_at_their_own_times(tmp_path):
    path = tmp_path / "a.mp4"
    times = [500, 500.02, 500.1, 500.11, 500.5, 501, 501.033, 503]
    packets = encode(times)
    write(path, packets)
    got, sizes, blues = read(path)
    assert got == pytest.approx([t - 500 for t in times], abs=1e-4)
    assert sizes == {(160, 120)}
    assert blues == pytest.approx([8 * index for index in range(8)], abs=6)


def test_nothing_is_encoded_again(tmp_path):
    """What is in the file are the encoder's slices, bit by bit."""
    path = tmp_path / "a.mp4"
    packets = encode(STEADY)
    write(path, packets)
    with av.open(path) as container:
        extradata = container.streams.video[0].codec_context.extradata
        kept = [bytes(packet) for packet in container.demux(video=0) if packet.size]
    assert extradata[0] == 1, "avcC, as MP4 wants it"
    for ours, theirs in zip(packets, kept, strict=True):
        slices = bytes(ours).split(b"\0\0\1")[-1]
        assert theirs.endswith(slices)
        assert not theirs.startswith(b"\0\0\0\1"), "lengths, no start codes"


def test_other_players_count_and_seek(tmp_path):
    path = tmp_path / "a.mp4"
    write(path, encode(STEADY))
    capture = cv2.VideoCapture(str(path))
    assert capture.get(cv2.CAP_PROP_FRAME_COUNT) == 60
    assert capture.get(cv2.CAP_PROP_FPS) == pytest.approx(FPS, rel=0.05)
    assert len(opencv_reads(path)) == 60
    capture.set(cv2.CAP_PROP_POS_FRAMES, 20)
    found, shown = capture.read()
    assert found
    assert shown[..., 0].mean() == pytest.approx(160, abs=8)
    capture.release()
    with av.open(path) as container:
        assert container.duration / 1e6 == pytest.approx(3, abs=0.1)


def test_while_it_is_written_it_plays_and_is_less_than_half_a_second_behind(tmp_path):
    """So is what a killed server leaves: each write is complete."""
    path, seen = tmp_path / "a.mp4", tmp_path / "seen.mp4"
    packets = encode([500 + index / FPS for index in range(99)])
    file = MovieFile(path)
    movie = Movie(file, packets[0], 500)
    for number, packet in enumerate(packets, 1):
        movie.write(packet, float(packet.pts * packet.time_base))
        if number < 11 or number % 3:
            continue
        seen.write_bytes(path.read_bytes())
        times, _, blues = read(seen)
        assert number - len(times) < 0.5 * FPS
        assert times == pytest.approx([index / FPS for index in range(len(times))], abs=1e-4)
        assert blues[-1] == pytest.approx((len(blues) - 1) * 8 % 256, abs=6)
    assert len(opencv_reads(seen)) == len(times)
    movie.close()


def test_a_gap_stays_a_gap(tmp_path):
    path = tmp_path / "a.mp4"
    times = [500, 500.05, 512, 512.05]
    write(path, encode(times, key_every=2))
    assert read(path)[0] == pytest.approx([0, 0.05, 12, 12.05], abs=1e-4)


def test_a_publisher_that_counts_anew_does_not_go_back_in_time(tmp_path):
    path = tmp_path / "a.mp4"
    packets = encode([500, 500.05, 500.1]) + encode([3, 3.05, 3.1])
    write(path, packets, came=[70, 70.05, 70.1, 90, 90.05, 90.1])
    assert read(path)[0] == pytest.approx([0, 0.05, 0.1, 20, 20.05, 20.1], abs=1e-3)


def test_times_of_arrival_may_jitter(tmp_path):
    path = tmp_path / "a.mp4"
    jitter = np.random.default_rng(1).uniform(0, 2, len(STEADY))
    write(path, encode(STEADY), came=list(np.sort(np.array(STEADY) + jitter)))
    assert np.diff(read(path)[0]) == pytest.approx(1 / FPS, abs=1e-4)


def test_another_bitrate_is_the_same_file(tmp_path):
    """The encoder is opened anew for it, and describes itself in another way."""
    path = tmp_path / "a.mp4"
    encoder = Encoder(Codec.H264, 300_000)
    packets = encode(STEADY[:20], 640, 480, encoder=encoder)
    encoder.bitrate = 20_000_000
    packets += encode(STEADY[20:], 640, 480, encoder=encoder, first=20)
    before, after = (bytes(packets[index])[:30] for index in (0, 20))
    assert packets[20].is_keyframe
    assert before != after
    write(path, packets)
    times, _, blues = read(path)
    assert len(times) == 60
    assert blues == pytest.approx([8 * index % 256 for index in range(60)], abs=8)


def test_another_size_is_another_file(tmp_path):
    packets = encode(STEADY[:5]) + encode(STEADY[5:10], 320, 240)
    file = MovieFile(tmp_path / "a.mp4")
    movie = Movie(file, packets[0], 500)
    for packet in packets[:5]:
        movie.write(packet, 500)
    with pytest.raises(PictureSizeChanged, match="from 160x120 to 320x240"):
        movie.write(packets[5], 500)
    movie.close()
    assert len(read(tmp_path / "a.mp4")[0]) == 5


@pytest.mark.parametrize(
    "data", [b"", b"\0\0\1", b"\0\0\0\1\x65\x88\x84", b"\0\0\1\x67\x42", b"x" * 99]
)
def test_a_key_frame_that_does_not_describe_itself_is_refused(tmp_path, data):
    packet = av.Packet(data)
    packet.is_keyframe = True
    file = MovieFile(tmp_path / "a.mp4")
    with pytest.raises(NoParameterSets):
        Movie(file, packet, 0)
    # The next one does.
    packets = encode(STEADY[:3])
    movie = Movie(file, packets[0], 500)
    for one in packets:
        movie.write(one, 500)
    movie.close()
    assert len(read(tmp_path / "a.mp4")[0]) == 3


def test_packets_are_shared_and_not_changed(tmp_path):
    packets = encode(STEADY[:3])
    before = [(packet.pts, packet.dts, packet.time_base, bytes(packet)) for packet in packets]
    write(tmp_path / "a.mp4", packets)
    after = [(packet.pts, packet.dts, packet.time_base, bytes(packet)) for packet in packets]
    assert after == before
