"""Reading sources: files and URLs; what is refused, lost, and comes back."""

import asyncio
import functools
import itertools
import resource
import shutil
import threading

import pytest

from server.sources.allowed import AllowList
from server.sources.container import open_camera, open_file, open_readable
from server.sources.errors import SourceError, SourceRefused
from server.sources.http_file import HttpFile
from server.sources.reader import RateLimit
from server.sources.url import SourceUrl
from tests.server.sources.viewing import SAMPLE, WITHIN_S, Viewer, read
from tests.support import pictures, sources


@pytest.fixture
def site():
    with sources.Site().running() as running:
        yield running


def over_http(site, path="/clip.mp4", allow=None):
    allowed = AllowList([allow or f"{site.url}/*"])
    url = SourceUrl.parse(site.url + path)

    def opener():
        file = HttpFile(url, allowed)
        return open_readable(file, file.close, file.abort)

    return opener


async def test_a_file_to_its_end():
    viewer = Viewer()
    clip = functools.partial(open_file, SAMPLE)
    reader = read(clip, viewer, comes_back=False, fps_limit=2.0)
    await viewer.until(lambda v: len(v.wanted) > 4)
    reader.close()
    assert [number for number, *_ in viewer.packets] == list(range(1, len(viewer.packets) + 1))
    # Of 30 frames a second every fifteenth, at the clip's own speed.
    assert viewer.wanted[0] == 1
    assert all(14 <= b - a <= 17 for a, b in itertools.pairwise(viewer.wanted))
    assert not viewer.frames, "nothing is decoded"


async def test_a_file_says_when_it_ends(tmp_path):
    clip = tmp_path / "clip.ts"
    clip.write_bytes(sources.transport_stream(SAMPLE, 1.0))
    viewer = Viewer()
    read(functools.partial(open_file, clip), viewer, comes_back=False)
    await viewer.until(lambda v: ("ended", None) in v.history)
    assert viewer.history == ["opened", ("ended", None)]


async def test_what_is_no_video(tmp_path):
    (tmp_path / "text.mp4").write_text("no video\n" * 100)
    playlist = f"#EXTM3U\n#EXTINF:1,\nfile://{SAMPLE}\n#EXT-X-ENDLIST\n"
    (tmp_path / "list.m3u8").write_text(playlist)
    (tmp_path / "list.txt").write_text(f"ffconcat version 1.0\nfile {SAMPLE}\n")
    for name in ("text.mp4", "list.m3u8", "list.txt"):
        with pytest.raises(SourceError, match="no video"):
            open_file(tmp_path / name)
    with pytest.raises(SourceError, match="No such file"):
        open_file(tmp_path / "concat:a.mp4|b.mp4")


def test_a_camera_that_is_not_there():
    with pytest.raises(SourceError, match=r"there is no camera 250 \(/dev/video250\)"):
        open_camera(250)


async def test_frames_that_are_too_large():
    viewer = Viewer()
    read(functools.partial(open_file, SAMPLE), viewer, max_pixels=640 * 480 - 1)
    await viewer.until(lambda v: len(v.history) == 2)
    assert "640 x 480" in viewer.history[1][1]
    assert not viewer.frames
    assert not viewer.packets


@pytest.mark.parametrize("ranges", [True, False])
async def test_a_file_over_http(site, ranges):
    site.answers["/clip.mp4"] = sources.file(SAMPLE, ranges=ranges)
    viewer = Viewer()
    reader = read(over_http(site), viewer, fps_limit=10)
    await viewer.until(lambda v: len(v.wanted) > 5)
    assert viewer.history == ["opened"]
    reader.close()


async def test_a_file_whose_index_is_at_its_end(site, tmp_path):
    """It is read from there by asking for parts."""
    data = SAMPLE.read_bytes()
    moov = data.find(b"moov") - 4
    mdat = data.find(b"mdat") - 4
    clip = tmp_path / "late.mp4"
    if moov < mdat:
        _remux_with_late_index(clip)
    else:
        shutil.copy(SAMPLE, clip)
    site.answers["/clip.mp4"] = sources.file(clip)
    viewer = Viewer()
    reader = read(over_http(site), viewer, fps_limit=10)
    await viewer.until(lambda v: len(v.wanted) > 3)
    reader.close()
    starts = [asked for _, asked in site.asked]
    assert starts[0] == "bytes=0-"
    assert len(starts) > 1


def _remux_with_late_index(path):
    import av

    with av.open(SAMPLE) as source, av.open(path, "w") as copy:
        stream = copy.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(source.streams.video[0]):
            if packet.dts is not None:
                packet.stream = stream
                copy.mux(packet)


async def test_pictures_without_end_come_back_after_a_loss(site):
    camera = site.answers["/cam"] = sources.Pictures(pictures.sample_jpegs(5))
    viewer = Viewer()
    reader = read(over_http(site, "/cam"), viewer)
    await viewer.until(lambda v: len(v.frames) > 3)
    camera.cut()
    await viewer.until(lambda v: v.history.count("opened") == 2)
    before = len(viewer.frames)
    await viewer.until(lambda v: len(v.frames) > before + 3)
    kinds = [entry if isinstance(entry, str) else entry[0] for entry in viewer.history]
    assert kinds == ["opened", "lost", "opened"]
    assert camera.connections == 2
    numbers = [number for number, *_ in viewer.frames]
    assert numbers == sorted(set(numbers)), "numbers go on"
    reader.close()


async def test_the_pauses_grow(site, monkeypatch):
    monkeypatch.setattr("server.sources.reader.FIRST_PAUSE_S", 0.01)
    site.answers["/cam"] = camera = sources.Pictures(pictures.sample_jpegs(1))
    pauses = []
    viewer = Viewer()
    viewer.lost = lambda message, pause_s: (pauses.append(pause_s), viewer._wake())
    reader = read(over_http(site, "/cam"), viewer)
    await viewer.until(lambda v: v.frames)
    del site.answers["/cam"]
    camera.cut()
    await viewer.until(lambda v: len(pauses) >= 5)
    reader.close()
    assert pauses[:5] == [0.01, 0.02, 0.04, 0.08, 0.16]


async def test_a_source_that_never_was_is_not_tried_again(site):
    viewer = Viewer()
    read(over_http(site, "/nothing"), viewer)
    await viewer.until(lambda v: v.history)
    assert viewer.history == [("ended", f"{site.url}/nothing answers 404 Not Found")]
    assert len(site.asked) == 1


async def test_nobody_listens():
    port = sources.unused_port()
    viewer = Viewer()
    url = f"http://127.0.0.1:{port}/a"
    allowed = AllowList([f"http://127.0.0.1:{port}/*"])
    read(lambda: HttpFile(SourceUrl.parse(url), allowed), viewer)
    await viewer.until(lambda v: v.history)
    assert viewer.history == [("ended", f"{url} can not be read: Connection refused")]


async def test_closing_ends_a_read_that_waits(site):
    """A camera that is connected and silent."""
    is_asked, is_over = threading.Event(), threading.Event()

    def silent(request):
        request.send_response(200)
        request.end_headers()
        is_asked.set()
        is_over.wait(WITHIN_S)

    site.answers["/cam"] = silent
    is_over_for_reader = asyncio.Event()
    loop = asyncio.get_running_loop()
    files = []

    def opener():
        file = HttpFile(SourceUrl.parse(f"{site.url}/cam"), AllowList([f"{site.url}/*"]))
        files.append(file)
        try:
            return open_readable(file, file.close, file.abort)
        finally:
            loop.call_soon_threadsafe(is_over_for_reader.set)

    viewer = Viewer()
    reader = read(opener, viewer)
    await asyncio.to_thread(is_asked.wait, WITHIN_S)
    while not files:
        await asyncio.sleep(0.01)
    reader.close()
    files[0].abort()
    async with asyncio.timeout(60):
        await is_over_for_reader.wait()
    assert viewer.history == []
    is_over.set()


async def test_a_redirect_is_followed_where_it_is_allowed(site):
    site.answers["/old"] = sources.redirect("/clip.mp4")
    site.answers["/clip.mp4"] = sources.file(SAMPLE)
    viewer = Viewer()
    reader = read(over_http(site, "/old"), viewer)
    await viewer.until(lambda v: v.packets)
    reader.close()


async def test_a_redirect_elsewhere_is_refused(site):
    with sources.Site().running() as other:
        other.answers["/clip.mp4"] = sources.file(SAMPLE)
        site.answers["/old"] = sources.redirect(f"{other.url}/clip.mp4")
        viewer = Viewer()
        read(over_http(site, "/old"), viewer)
        await viewer.until(lambda v: v.history)
        assert "none of the sources" in viewer.history[0][1]
        assert other.asked == [], "it was not even asked"


async def test_a_redirect_to_a_private_address_is_refused(site):
    """Any host is allowed by name, and this one is on a private network."""
    with sources.Site().running() as other:
        other.answers["/clip.mp4"] = sources.file(SAMPLE)
        site.answers["/old"] = sources.redirect(f"http://localhost:{other.port}/clip.mp4")
        allowed = AllowList([f"{site.url}/*", "http://*:*/*"])
        viewer = Viewer()
        read(lambda: HttpFile(SourceUrl.parse(f"{site.url}/old"), allowed), viewer)
        await viewer.until(lambda v: v.history)
        assert "localhost is on a private network" in viewer.history[0][1]
        assert other.asked == []


def test_redirects_without_end(site):
    site.answers["/a"] = sources.redirect("/a")
    with pytest.raises(SourceError, match="too often"):
        HttpFile(SourceUrl.parse(f"{site.url}/a"), AllowList([f"{site.url}/*"]))


def test_a_redirect_to_what_is_no_url(site):
    site.answers["/a"] = sources.redirect("http://[")
    with pytest.raises(SourceRefused, match="no URL"):
        HttpFile(SourceUrl.parse(f"{site.url}/a"), AllowList([f"{site.url}/*"]))


def test_a_redirect_out_of_http(site):
    site.answers["/a"] = sources.redirect("file:///etc/passwd")
    with pytest.raises(SourceRefused, match="file"):
        HttpFile(SourceUrl.parse(f"{site.url}/a"), AllowList([f"{site.url}/*"]))


def test_a_rate_is_even():
    limit = RateLimit(10)
    taken = [n for n in range(300) if limit.allow(n / 30)]
    assert len(taken) == 100
    assert {b - a for a, b in itertools.pairwise(taken)} <= {2, 3, 4}
    assert sum(limit.allow(20 + n / 5) for n in range(50)) == 50, "a slower source is all taken"


async def test_pictures_that_would_fill_the_memory_are_passed_over(site):
    """Among others, one that says to have 30000 x 30000 pixels."""
    jpegs = (*pictures.sample_jpegs(3), pictures.bomb_jpeg())
    site.answers["/cam"] = sources.Pictures(jpegs)
    viewer = Viewer()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    reader = read(over_http(site, "/cam"), viewer)
    await viewer.until(lambda v: len(v.frames) > 10)
    reader.close()
    assert {seen[1:] for seen in viewer.frames} == {(640, 480, "picture")}
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 500_000
