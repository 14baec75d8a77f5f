"""MJPEG as servers send it, however the network cuts it up."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client_test import mjpeg
from client_test.mjpeg import MjpegParser, NotMjpeg, boundary_of

PICTURES = [b"\xff\xd8" + bytes([number]) * 50 * number + b"\xff\xd9" for number in range(1, 5)]


def with_length(boundary=b"--frame"):
    return b"".join(
        boundary + b"\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n"
        b"X-Timestamp: %d.25\r\n\r\n%s\r\n" % (len(picture), number, picture)
        for number, picture in enumerate(PICTURES, 1)
    )


def without_length(boundary=b"--frame", newline=b"\r\n"):
    head = boundary + newline + b"Content-Type: image/jpeg" + newline + newline
    return b"".join(head + picture + newline for picture in PICTURES)


STREAMS = {
    "with lengths": with_length(),
    "without": without_length(),
    "without, bare newlines": without_length(newline=b"\n"),
    "a preamble": b"hello\r\n" + with_length(),
    "an end": without_length() + b"--frame--\r\n",
    "dashes twice": without_length(b"----frame"),
}


def parse(data, cuts=(), boundary="frame"):
    """The pictures in a stream that comes in pieces, each a second after the other."""
    parser = MjpegParser(boundary)
    edges = [0, *sorted(cuts), len(data)]
    parts = []
    for at_s, (start, end) in enumerate(itertools.pairwise(edges)):
        parts += parser.feed(data[start:end], float(at_s))
    return parts + list(parser.end())


@pytest.mark.parametrize("stream", STREAMS.values(), ids=STREAMS)
@given(data=st.data())
def test_every_picture_comes_out_wherever_it_is_cut(stream, data):
    cuts = data.draw(st.lists(st.integers(0, len(stream)), max_size=20))
    pictures = [part.data.removesuffix(b"\r\n--") for part in parse(stream, cuts)]
    assert pictures == PICTURES


def test_byte_by_byte():
    for stream in STREAMS.values():
        pictures = [part.data for part in parse(stream, range(1, len(stream)))]
        assert [picture.removesuffix(b"\r\n--") for picture in pictures] == PICTURES


def test_the_boundary_may_be_in_a_picture_of_known_length():
    picture = b"\xff\xd8 --frame\r\n\r\n \xff\xd9"
    stream = b"--frame\r\nContent-Length: %d\r\n\r\n%s\r\n--frame\r\n" % (len(picture), picture)
    assert [part.data for part in parse(stream)] == [picture]


def test_times():
    stamped = parse(with_length())
    assert [part.stamp_s for part in stamped] == [1.25, 2.25, 3.25, 4.25]
    data = without_length()
    second = data.index(b"--frame", 10)
    # A picture's time is that of its beginning, though its end is only seen with the next one.
    parts = parse(data, [second + 45, second + 60])
    assert [part.at_s for part in parts] == [0, 0, 2, 2]
    assert parts[0].stamp_s is None


@pytest.mark.parametrize("stamp", [b"", b"yesterday", b"-1", b"nan", b"inf", b"1e999"])
def test_a_stamp_that_is_none(stamp):
    stream = b"--frame\r\nContent-Length: 1\r\nX-Timestamp: " + stamp + b"\r\n\r\nx\r\n"
    assert parse(stream)[0].stamp_s is None


@pytest.mark.parametrize("stream", [with_length()[:-30], without_length()[:-30]])
def test_a_picture_that_was_cut_off_is_left_out(stream):
    assert [part.data for part in parse(stream)] == PICTURES[:-1]


def test_what_never_ends_is_refused(monkeypatch):
    with pytest.raises(NotMjpeg, match="--frame"):
        list(MjpegParser("frame").feed(b"x" * 70_000, 0))
    monkeypatch.setattr(mjpeg, "MAX_PICTURE_BYTES", 1000)
    with pytest.raises(NotMjpeg, match="a picture has more"):
        parse(b"--frame\r\n\r\n" + b"x" * 2000)
    with pytest.raises(NotMjpeg, match="a picture has more"):
        parse(b"--frame\r\nContent-Length: 1001\r\n\r\n")


@pytest.mark.parametrize(
    ("content_type", "boundary"),
    [
        ("multipart/x-mixed-replace; boundary=frame", "frame"),
        ("multipart/x-mixed-replace;boundary=--frame", "frame"),
        ('Multipart/X-Mixed-Replace; charset=x; boundary="a b"', "a b"),
    ],
)
def test_the_boundary(content_type, boundary):
    assert boundary_of(content_type) == boundary


@pytest.mark.parametrize(
    "content_type", ["", "text/html", "image/jpeg", "multipart/x-mixed-replace", "multipart/form"]
)
def test_no_mjpeg(content_type):
    with pytest.raises(NotMjpeg, match="MJPEG"):
        boundary_of(content_type)


def test_a_boundary_that_the_header_does_not_name():
    assert boundary_of("multipart/x-mixed-replace", "frame") == "frame"
    assert boundary_of("multipart/x-mixed-replace; boundary=other", "frame") == "other"
    with pytest.raises(NotMjpeg):
        boundary_of("text/html", "frame")
