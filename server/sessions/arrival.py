"""A session that comes from another node: it is there once its first frame is.

Until then the other node has it, and gives results; so there are some for as long as possible.
"""

from __future__ import annotations

from collections.abc import Callable

from server.media.encoded_frame import EncodedFrame
from server.rtc import IncomingVideo


class Arrival:
    """Waits for the first frame.

    Parameters
    ----------
    incoming
        The peer's video.
    fetch
        Begins to bring the session here; called once, with whether sound comes, too.
    """

    def __init__(self, incoming: IncomingVideo, fetch: Callable[[bool], None]) -> None:
        self._incoming = incoming
        self._fetch = fetch
        self._audio = False
        self._has_begun = False

    def expect(self, *, audio: bool) -> None:
        """There is a peer; its first frame brings the session here."""
        self._audio = audio
        self._incoming.unlisten(self._take)
        self._incoming.listen(self._take)

    def _take(self, _: EncodedFrame) -> None:
        self._incoming.unlisten(self._take)
        if not self._has_begun:
            self._has_begun = True
            self._fetch(self._audio)
