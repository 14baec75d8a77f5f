"""Files that are damaged, or made by somebody who wants them to be."""

from dataclasses import replace

import av
import numpy as np
import pytest

from server.sources.container import MAX_STREAMS, open_file, packets_of
from server.sources.errors import SourceError

FRAMES = 10


@pytest.fixture
def film(tmp_path):
    path = tmp_path / "film.mkv"
    with av.open(path, "w") as video:
        video.metadata["title"] = "Ten pictures"
        stream = video.add_stream("libvpx", rate=10)
        stream.codec_context.thread_count = 1
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for _ in range(FRAMES):
            picture = np.zeros((48, 64, 3), np.uint8)
            video.mux(stream.encode(av.VideoFrame.from_ndarray(picture)))
        video.mux(stream.encode(None))
    return path


def changed(path, before, after):
    data = path.read_bytes()
    assert before in data
    path.write_bytes(data.replace(before, after))
    return path


def pictures_in(video):
    return sum(1 for packet in packets_of(video) if packet.size)


def test_a_title_that_is_no_text(film):
    video = open_file(changed(film, b"Ten pictures", b"\xff\xfepictures\xff\xfe"))
    with video.container:
        assert pictures_in(video) == FRAMES


def test_a_codec_that_nobody_knows(film):
    with pytest.raises(SourceError, match="codec that is not known"):
        open_file(changed(film, b"V_VP8", b"V_XX8"))


def test_a_stream_that_nobody_knew_of_is_the_end(film):
    class Late:
        """As PyAV does where a stream has begun in the middle, for which chance is needed."""

        def demux(self, streams):
            yield from video.container.demux(streams)
            raise IndexError("list index out of range")

    video = open_file(film)
    with video.container:
        assert pictures_in(replace(video, container=Late())) == FRAMES


def test_there_are_no_more_streams_than_are_counted_in_bounds(tmp_path):
    """PyAV has a byte for each stream that there is, and looks up later ones there, too."""
    for sounds, is_taken in ((MAX_STREAMS - 1, True), (MAX_STREAMS, False)):
        path = tmp_path / "film.ts"
        with av.open(path, "w") as file:
            streams = [file.add_stream("mpeg2video", rate=10)]
            streams[0].width, streams[0].height, streams[0].pix_fmt = 64, 48, "yuv420p"
            streams += [file.add_stream("mp2", rate=48000) for _ in range(sounds)]
            picture = av.VideoFrame.from_ndarray(np.zeros((48, 64, 3), np.uint8))
            file.mux(streams[0].encode(picture))
            for stream in streams[1:]:
                sound = av.AudioFrame.from_ndarray(np.zeros((1, 2304), np.int16), "s16", "stereo")
                sound.sample_rate = 48000
                file.mux(stream.encode(sound))
            for stream in streams:
                file.mux(stream.encode(None))
        video = open_file(path)
        with video.container:
            assert len(video.container.streams) == MAX_STREAMS
            assert (len(video.container.streams) == sounds + 1) is is_taken
