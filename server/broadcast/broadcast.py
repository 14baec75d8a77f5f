"""Pictures for many viewers: an encoder for each codec that is asked for, its packets for all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from server.broadcast.encoding import Encoding
from server.broadcast.feeds import Emptied, Feeds
from server.broadcast.source_encoding import PacketSource, SourceEncoding
from server.broadcast.viewer import Feed, Viewer
from server.media.capture import Pictures
from server.media.encoder import Codec, Packet

__all__ = ["Broadcast", "Packet", "Pictures", "Viewer"]


class Broadcast:
    """Pictures from one place to all who watch.

    Parameters
    ----------
    pictures
        Asked for while there are viewers.
    packets
        Tells for a codec where they can be had encoded already, and None where they can not.
    """

    # H264 costs half as much to encode.
    codecs: Sequence[Codec] = (Codec.H264, Codec.VP8)

    def __init__(
        self, pictures: Pictures, packets: Callable[[Codec], PacketSource | None] | None = None
    ) -> None:
        self._pictures = pictures
        self._packets = packets
        self._feeds = Feeds(self._make_feed)

    def watch(self, codec: Codec) -> Viewer:
        """Join.

        Raises
        ------
        CameraUnavailable
            There is nothing to see.
        NotFound
            It has ended.
        """
        return self._feeds.join(codec)

    @property
    def viewers(self) -> int:
        """How many watch."""
        return self._feeds.viewers

    def close(self) -> None:
        """For all who watch, it is over; nobody can join any more."""
        self._feeds.close()

    def _make_feed(self, codec: Codec, thread: ThreadPoolExecutor, emptied: Emptied) -> Feed:
        packets = self._packets(codec) if self._packets is not None else None
        return _EncodedFeed(self._pictures, packets, codec, thread, emptied)


class _EncodedFeed(Feed):
    def __init__(
        self,
        pictures: Pictures,
        packets: PacketSource | None,
        codec: Codec,
        thread: ThreadPoolExecutor,
        emptied: Callable[[Feed], None],
    ) -> None:
        super().__init__(codec, emptied)
        self._pictures = pictures
        self._thread = thread
        self._encoding: Encoding | SourceEncoding = (
            self._encode()
            if packets is None
            else SourceEncoding(packets, self._put, self._estimates, self._given_up)
        )

    def _encode(self) -> Encoding:
        return Encoding(self._pictures, self.codec, self._thread, self._put, self._estimates)

    def _given_up(self) -> None:
        """There are no packets any more: encode the pictures."""
        self._encoding = self._encode()

    def request_key_frame(self) -> None:
        self._encoding.request_key_frame()

    def _stop(self) -> None:
        self._encoding.stop()
