"""What crosses between nodes for those who watch: whole encoded frames one way, wishes the other.

A feed is one name's video in one codec, over a WebSocket from the node that watches to the one that
has the video. Frames are binary messages, wishes are JSON. Nothing here knows which way a node is
reached.
"""

from __future__ import annotations

import json
import struct
from dataclasses import asdict, dataclass
from urllib.parse import urlencode

from server.media.encoded_frame import EncodedFrame

# Where a node answers others: how a name's video is encoded, and the video.
STREAM_PATH = "/node/stream"
FEED_PATH = "/node/feed"
# The video has ended, as its publisher or the server has it. Whatever else closes a feed, a node's
# death or its going, is no end: the publisher may come back (RFC 6455, section 7.4.2).
OVER = 4000
# When it was sent, in RTP's clock for video, as the sending node counts; and what it is.
_HEAD = struct.Struct("!QB")
_KEY_FRAME = 1


@dataclass(frozen=True, slots=True)
class Wish:
    """What the watching node says of all its viewers together.

    Attributes
    ----------
    key_frame
        Whether somebody can not decode what comes.
    estimate
        What the better half of their lines carry, in bits a second; None before they say.
    """

    key_frame: bool = False
    estimate: int | None = None

    def write(self) -> str:
        """As JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def read(cls, text: str) -> Wish:
        """From JSON.

        Raises
        ------
        ValueError, TypeError
            It is none.
        """
        return cls(**json.loads(text))


def stream_path(name: str) -> str:
    """Where to ask how a name's video is encoded."""
    return f"{STREAM_PATH}?{urlencode({'name': name})}"


def feed_path(name: str, codec: str) -> str:
    """Where a name's video is to be had."""
    return f"{FEED_PATH}?{urlencode({'name': name, 'codec': codec})}"


def write_frame(data: bytes, ticks: int, *, is_key_frame: bool) -> bytes:
    """A message of one frame.

    Parameters
    ----------
    data
        A VP8 frame, or H264 as Annex B.
    ticks
        Its time, in RTP's clock for video, 90 kHz; rises from frame to frame.
    """
    return _HEAD.pack(ticks, _KEY_FRAME if is_key_frame else 0) + data


def read_frame(message: bytes, codec: str) -> EncodedFrame:
    """What `write_frame` wrote.

    Raises
    ------
    struct.error
        It is none.
    """
    ticks, flags = _HEAD.unpack_from(message)
    return EncodedFrame(codec, 0, message[_HEAD.size :], ticks, bool(flags & _KEY_FRAME))
