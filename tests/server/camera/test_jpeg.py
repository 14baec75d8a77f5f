"""JPEGs of a camera: one encoding for all who want the same."""

import asyncio
import time

import pytest

from server.camera import jpeg as module
from server.camera.camera import Camera
from server.camera.jpeg import JpegCamera, JpegOptions
from server.camera.pattern import Pattern
from server.camera.source import Mode


@pytest.fixture
def encoded(monkeypatch):
    """The looks that were encoded, one for each encoding."""
    looks = []
    encode = module.encode

    def counted(frame, look):
        looks.append(look)
        return encode(frame, look)

    monkeypatch.setattr(module, "encode", counted)
    return looks


@pytest.fixture
async def camera():
    made = Camera(lambda: Pattern(Mode(160, 120, 50)))
    yield made
    await made.stop()


async def take(viewer, count):
    async with asyncio.timeout(60):
        return [await anext(viewer) for _ in range(count)]


async def test_each_picture_is_encoded_once_for_all(camera, encoded):
    jpegs = JpegCamera(camera)
    viewers = [jpegs.watch(JpegOptions()) for _ in range(5)]
    taken = await asyncio.gather(*(take(viewer, 10) for viewer in viewers))
    shown = {jpeg.captured_s for jpegs_of_one in taken for jpeg in jpegs_of_one}
    # One more may have been encoded that nobody has taken yet.
    assert len(encoded) <= len(shown) + 1
    assert taken[0] == taken[-1]
    jpegs.close()


async def test_other_looks_are_other_encodings(camera, encoded):
    jpegs = JpegCamera(camera)
    viewers = [jpegs.watch(look) for look in (JpegOptions(), JpegOptions(width=80))]
    large, small = await asyncio.gather(*(take(viewer, 3) for viewer in viewers))
    assert len(large[0].data) > len(small[0].data)
    assert set(encoded) == {JpegOptions(), JpegOptions(width=80)}
    jpegs.close()


async def test_nothing_is_encoded_for_nobody(camera, encoded):
    jpegs = JpegCamera(camera)
    camera.start()
    viewer = jpegs.watch(JpegOptions())
    await take(viewer, 2)
    viewer.close()
    await asyncio.sleep(0.1)
    mark, began_s = len(encoded), time.monotonic()
    seen = []
    camera.subscribe(seen.append)
    async with asyncio.timeout(60):
        while len(seen) < 5:
            await asyncio.sleep(0.01)
    assert time.monotonic() > began_s
    assert len(encoded) == mark
    jpegs.close()
    with pytest.raises(StopAsyncIteration):
        await anext(ended(jpegs.watch(JpegOptions())))


def ended(viewer):
    viewer.end()
    return viewer
