"""The feeds of one thing that is watched: one a codec, each only while somebody watches it."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from server.broadcast.viewer import Feed, Viewer
from server.media.encoder import Codec
from signaling.errors import NotFound

Emptied = Callable[[Feed], None]
_ENDED = "what was to be seen has ended"


class Feeds:
    """Makes a codec's feed for its first viewer, and forgets it with the last.

    Parameters
    ----------
    make
        Makes a feed of a codec, which calls what it is given when nobody watches it any more.
    """

    def __init__(self, make: Callable[[Codec, ThreadPoolExecutor, Emptied], Feed]) -> None:
        self._make = make
        self._feeds: dict[Codec, Feed] = {}
        self._closed = False
        # One for all codecs: a frame's type and times are set for each encoder in turn.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="encoder")

    def join(self, codec: Codec) -> Viewer:
        """Watch.

        Raises
        ------
        NotFound
            It has ended.
        """
        if self._closed:
            raise NotFound(_ENDED)
        feed = self._feeds.get(codec)
        if feed is None:
            feed = self._feeds[codec] = self._make(codec, self._thread, self._emptied)
        return feed.add()

    @property
    def viewers(self) -> int:
        """How many watch."""
        return sum(len(feed.viewers) for feed in self._feeds.values())

    def close(self) -> None:
        """For all who watch, it is over; nobody can join any more."""
        self._closed = True
        for feed in list(self._feeds.values()):
            feed.end(_ENDED)
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _emptied(self, feed: Feed) -> None:
        if self._feeds.get(feed.codec) is feed:
            del self._feeds[feed.codec]
