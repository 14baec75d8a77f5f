"""Somebody who reads a source, and notes all that is said."""

import asyncio

from server.sources.reader import SourceReader
from tests.support.server import ROOT

SAMPLE = ROOT / "sample-video.mp4"
MAX_PIXELS = 1 << 24
WITHIN_S = 60.0


class Viewer:
    """Notes all that a reader says."""

    def __init__(self):
        self.history = []
        self.frames = []
        self.packets = []
        self._news = asyncio.Condition()

    def opened(self):
        self._note("opened")

    def frame(self, frame, number):
        self.frames.append((number, frame.width, frame.height, frame.format.name))
        self._wake()

    def picture(self, picture, number):
        self.frames.append((number, picture.width, picture.height, "picture"))
        self._wake()

    def encoded(self, frame, number, is_wanted):
        self.packets.append((number, frame, is_wanted))
        self._wake()

    @property
    def wanted(self):
        """The numbers of encoded frames that are wanted."""
        return [number for number, _, is_wanted in self.packets if is_wanted]

    def lost(self, message, retry_in_s):
        self._note(("lost", message))

    def ended(self, message):
        self._note(("ended", message))

    def _note(self, what):
        self.history.append(what)
        self._wake()

    def _wake(self):
        async def wake():
            async with self._news:
                self._news.notify_all()

        self._task = asyncio.get_running_loop().create_task(wake())

    async def until(self, condition):
        async with asyncio.timeout(WITHIN_S), self._news:
            await self._news.wait_for(lambda: condition(self))


def read(
    opener,
    viewer,
    *,
    comes_back=True,
    fps_limit=30.0,
    max_pixels=MAX_PIXELS,
    max_encoded_pixels=MAX_PIXELS,
):
    reader = SourceReader(
        *(opener, viewer),
        comes_back=comes_back,
        fps_limit=fps_limit,
        max_pixels=max_pixels,
        max_encoded_pixels=max_encoded_pixels,
    )
    reader.start()
    return reader
