"""Reading over RTSP: what is asked, what is refused, and its parts however they arrive."""

import asyncio

import pytest

from server.media.bitstream import picture_size
from server.sources import rtsp
from server.sources.allowed import AllowList
from server.sources.errors import SourceError, SourceRefused
from server.sources.rtsp import Parts, open_checked_rtsp
from server.sources.url import SourceUrl
from tests.server.sources.viewing import SAMPLE, Viewer, read
from tests.support import sources


async def test_rtsp():
    with sources.RtspServer(SAMPLE).running() as server:
        url = SourceUrl.parse(f"rtsp://anna:geheim@127.0.0.1:{server.port}/live")
        allowed = AllowList([f"rtsp://127.0.0.1:{server.port}/*"])
        viewer = Viewer()
        reader = read(lambda: open_checked_rtsp(url, allowed), viewer)
        await viewer.until(lambda v: len(v.wanted) > 1)
        assert picture_size("H264", viewer.packets[0][1].data) == (640, 480)
        # It plays once: whoever watches tries again.
        await viewer.until(lambda v: v.history.count("opened") == 2)
        reader.close()
    assert server.methods[:4] == ["OPTIONS", "DESCRIBE", "SETUP", "PLAY"]


async def test_rtsp_redirects_are_not_followed():
    with sources.RtspServer(SAMPLE).running() as other:
        location = f"rtsp://127.0.0.1:{other.port}/live"
        with sources.RtspServer(SAMPLE, location).running() as server:
            url = SourceUrl.parse(f"rtsp://127.0.0.1:{server.port}/live")
            allowed = AllowList(["rtsp://127.0.0.1:*/*"])
            with pytest.raises(SourceError, match="redirects"):
                await asyncio.to_thread(open_checked_rtsp, url, allowed)
        assert other.methods == []


def test_rtsp_where_it_is_not_allowed():
    with sources.RtspServer(SAMPLE).running() as server:
        url = SourceUrl.parse(f"rtsp://localhost:{server.port}/live")
        with pytest.raises(SourceRefused, match="private"):
            open_checked_rtsp(url, AllowList(["rtsp://*:*/*"]))
        assert server.methods == []


def test_rtsp_parts_however_they_arrive():
    message = b"RTSP/1.0 200 OK\r\ncontent-length: 5\r\n\r\nhello"
    packet = b"$\0\0\4abcd"
    everything = message + packet + message
    for size in range(1, len(everything)):
        parts = Parts()
        got = [
            part
            for start in range(0, len(everything), size)
            for part in parts.take(everything[start : start + size])
        ]
        assert got == [message, packet, message]
    with pytest.raises(ConnectionError):
        list(Parts().take(b"x" * (rtsp._MAX_HEAD + 1)))
