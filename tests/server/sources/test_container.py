"""Files that are damaged, or made by somebody who wants them to be."""

from dataclasses import replace

import av
import numpy as np
import pytest

from server.sources.container import open_file, packets_of
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
