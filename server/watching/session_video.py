"""A session's own video, to be watched: as its publisher encoded it where the codec fits."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from server.broadcast.encoding import Encoding
from server.broadcast.feeds import Emptied, Feeds
from server.broadcast.relay import Relay
from server.broadcast.viewer import Feed, Viewer
from server.media.capture import Pictures
from server.media.encoded_frame import EncodedFrame
from server.media.encoder import Codec, Packet
from server.rtc import IncomingVideo
from server.sessions.session import Session


class SessionVideo:
    """What a session's publisher sends.

    Viewers of the publisher's codec get its frames as they came, which takes no decoder and no
    encoder. The others, and all of a session that is fed with pictures, get its decoded frames,
    encoded once for each codec. A publisher who comes back with another codec changes who is who.

    Parameters
    ----------
    session
        Whose. Whoever holds this closes it when the session is over.
    """

    def __init__(self, session: Session) -> None:
        self._incoming = session.incoming
        self._pictures = session.pictures
        self._feeds = Feeds(self._make_feed)

    @property
    def codecs(self) -> Sequence[Codec]:
        """The publisher's own first; then H264, which costs half as much to encode as VP8."""
        return sorted(Codec, key=lambda codec: (codec != self._incoming.codec, codec != Codec.H264))

    def watch(self, codec: Codec) -> Viewer:
        """Join.

        Raises
        ------
        NotFound
            It has ended.
        """
        return self._feeds.join(codec)

    def close(self) -> None:
        """For all who watch, it is over; nobody can join any more."""
        self._feeds.close()

    def _make_feed(self, codec: Codec, thread: ThreadPoolExecutor, emptied: Emptied) -> Feed:
        return _SessionFeed(codec, self._incoming, self._pictures, thread, emptied)


class _SessionFeed(Feed):
    """One codec's packets: the publisher's own, or encoded while those are of another codec."""

    def __init__(
        self,
        codec: Codec,
        incoming: IncomingVideo,
        pictures: Pictures,
        thread: ThreadPoolExecutor,
        emptied: Callable[[Feed], None],
    ) -> None:
        super().__init__(codec, emptied)
        self._incoming = incoming
        self._pictures = pictures
        self._thread = thread
        self._relay = Relay()
        self._encoding: Encoding | None = None
        self._connection = incoming.connections
        self._choose(incoming.codec)
        incoming.listen(self._take)

    def request_key_frame(self) -> None:
        if self._encoding is not None:
            self._encoding.request_key_frame()
        else:
            self._incoming.request_key_frame()

    def _stop(self) -> None:
        self._incoming.unlisten(self._take)
        self._choose(self.codec)

    def _choose(self, incoming: str | None) -> None:
        """Encode if what comes in is of another codec."""
        fits = incoming == self.codec
        if fits and self._encoding is not None:
            self._encoding.stop()
            self._encoding = None
            self._begin_anew()
        elif not fits and self._encoding is None:
            self._encoding = Encoding(
                self._pictures, self.codec, self._thread, self._put_encoded, self._estimates
            )
            self._begin_anew()

    def _begin_anew(self) -> None:
        for viewer in self.viewers:
            viewer.begin_anew()

    def _take(self, frame: EncodedFrame) -> None:
        if self._connection != self._incoming.connections:
            self._connection = self._incoming.connections
            self._relay.begin_anew()
            self._begin_anew()
        self._choose(frame.codec)
        # What builds on frames that were lost would be grey or smeared. After it comes a key frame,
        # which the receiver asks for by itself.
        if self._encoding is None and not frame.is_damaged:
            self._put(self._relay.packet(frame, time.monotonic()))

    def _put_encoded(self, packet: Packet) -> None:
        self._put(self._relay.in_order(packet))
