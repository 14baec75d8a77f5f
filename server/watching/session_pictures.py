"""A session's decoded frames, as pictures to be encoded."""

from __future__ import annotations

import asyncio
import contextlib
import time

import av

from server.media.capture import Capture, Listener, Listeners
from server.media.decoding import NotDecodable, decode
from server.media.newest import NewestWork
from server.media.picture import EncodedPicture
from server.sessions.session import Session


class SessionPictures:
    """Shows a session's frames to listeners, and follows it only while there are some.

    Parameters
    ----------
    session
        Whose.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._listeners = Listeners()
        self._newest = NewestWork(self._decode, "decode a picture to watch")

    def subscribe(self, listener: Listener) -> None:
        """Give every frame to someone, on the event loop."""
        if not self._listeners:
            self._session.subscribers.add_viewer(self)
        self._listeners.append(listener)

    def unsubscribe(self, listener: Listener) -> None:
        """Give them no more."""
        if listener in self._listeners:
            self._listeners.remove(listener)
        if not self._listeners:
            self._session.subscribers.remove_viewer(self)

    # ---- as the session's viewer

    def frame(self, frame: av.VideoFrame) -> None:
        """Show it."""
        self._listeners.give(Capture(frame, time.monotonic()))

    def picture(self, picture: EncodedPicture) -> None:
        """Decode it on a thread, unless one is decoded already: then the newest waits."""
        self._newest.put((picture, time.monotonic()))

    def over(self) -> None:
        """Whoever closes the broadcast tells the viewers."""

    async def _decode(self, arrival: tuple[EncodedPicture, float]) -> None:
        picture, at_s = arrival
        with contextlib.suppress(NotDecodable):
            rgb = await asyncio.to_thread(decode, picture.data)
            frame = av.VideoFrame.from_ndarray(rgb, format="rgb24")
            self._listeners.give(Capture(frame, at_s))
