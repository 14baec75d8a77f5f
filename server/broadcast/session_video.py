"""A session's own video, to be watched."""

from __future__ import annotations

from server.broadcast.broadcast import Broadcast, Viewer
from server.broadcast.encoder import Codec
from server.broadcast.session_pictures import SessionPictures
from server.session import Session


class SessionVideo:
    """What a session's publisher sends.

    Parameters
    ----------
    session
        Whose.
    """

    codecs = (Codec.H264, Codec.VP8)

    def __init__(self, session: Session) -> None:
        self._encoded = Broadcast(SessionPictures(session))

    def watch(self, codec: Codec) -> Viewer:
        """Join."""
        return self._encoded.watch(codec)

    def close(self) -> None:
        """For all who watch, it is over."""
        self._encoded.close()
