"""Everything that can be watched, by name, and everyone who watches and sends nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from server.broadcast.broadcast import Broadcast
from server.broadcast.stream import VideoStream
from server.camera.camera import Camera
from server.camera.source import CameraUnavailable
from server.security.identity import Identity
from server.security.places import Places
from server.sessions.manager import SessionManager
from server.sessions.session import Session
from server.tasks import Tasks
from server.watching.elsewhere import Elsewhere
from server.watching.names import ANNOTATED, CAMERA_NAME
from server.watching.session_video import SessionVideo
from server.watching.viewer_peer import ViewerPeer
from signaling.errors import Busy, NotFound, quote
from signaling.ice import IceServer

RETRY_AFTER_S = 5


class _Views:
    """What there is to see of one session."""

    def __init__(self, session: Session) -> None:
        self.video = SessionVideo(session)
        self._session = session
        self._annotated: Broadcast | None = None

    @property
    def annotated(self) -> Broadcast:
        if self._annotated is None:
            self._annotated = Broadcast(self._session.annotated)
        return self._annotated

    def close(self) -> None:
        self.video.close()
        if self._annotated is not None:
            self._annotated.close()


class StreamRegistry:
    """What can be watched, and who does.

    Parameters
    ----------
    sessions
        Their video can be watched.
    camera
        This machine's, or the reason why there is none.
    ice_servers
        STUN and TURN servers for our own candidates.
    places
        For peers that watch and send nothing.
    """

    def __init__(
        self,
        sessions: SessionManager,
        camera: Camera | str,
        ice_servers: Sequence[IceServer],
        places: Places,
    ) -> None:
        self._sessions = sessions
        self._no_camera = camera if isinstance(camera, str) else ""
        self._camera = None if isinstance(camera, str) else Broadcast(camera, camera.packets)
        self._ice_servers = ice_servers
        self._places = places
        self._views: dict[str, _Views] = {}
        # Oldest first.
        self._peers: dict[ViewerPeer, None] = {}
        self._tasks = Tasks("streams")
        self._leaving = Tasks("viewers who leave")
        self.elsewhere: Elsewhere | None = None
        """What the other nodes have, where several are one server."""

    async def find(self, name: str, by: Identity) -> VideoStream:
        """What a name stands for, wherever it is.

        Raises
        ------
        SignalingError
            As `find_here` says, or another node does; Busy if that one does not answer.
        """
        if self.elsewhere is not None:
            stream = await self.elsewhere.find(name, by)
            if stream is not None:
                return stream
        return self.find_here(name, by)

    def find_here(self, name: str, by: Identity) -> VideoStream:
        """What a name stands for at this node.

        Parameters
        ----------
        name
            ``camera``, a name that something is published under, or a session's id; with
            ``/annotated`` behind it, the same with what was found drawn in.
        by
            Who wants to watch.

        Raises
        ------
        NotFound
            There is nothing by that name; the id of a session of somebody else's, who did not
            publish it, is no name.
        Busy
            There is no camera.
        """
        source = name.removesuffix(ANNOTATED)
        annotated = source != name
        if source == CAMERA_NAME and not annotated:
            if self._camera is None:
                raise Busy(f"no camera: {self._no_camera}", retry_after_s=RETRY_AFTER_S)
            return self._camera
        views = self._views_of(self._session(source, by))
        return views.annotated if annotated else views.video

    def _session(self, name: str, by: Identity) -> Session:
        session = self._sessions.known.viewable(name, by)
        if session is not None:
            return session
        if name == CAMERA_NAME:
            raise NotFound(
                'the camera is not being analyzed: POST /sessions {"source": "camera"} first'
            )
        raise NotFound(f"nothing is published as {quote(name)}")

    def _views_of(self, session: Session) -> _Views:
        views = self._views.get(session.sid)
        if views is None:
            views = self._views[session.sid] = _Views(session)
            self._tasks.spawn(self._forget_at_end(session), f"end of {session.sid}")
        return views

    async def _forget_at_end(self, session: Session) -> None:
        await session.ended.wait()
        self._views.pop(session.sid).close()

    # ---- those who only watch

    async def answer(self, stream: VideoStream, offer: str, by: Identity) -> tuple[ViewerPeer, str]:
        """Answer an offer that only watches.

        Returns
        -------
        The peer and the answer's SDP.

        Raises
        ------
        UnsupportedSdp
            The offer has no video that we can send.
        Busy
            All places are taken, no UDP port is left, or there is nothing to see.
        TooMany
            The subject has as many places as one gets.
        """
        if (leaving := self._places.make_room([p.place for p in self._peers], by)) is not None:
            self.forget(leaving)
        peer = ViewerPeer(stream, offer, self._ice_servers, self.forget, by.client)
        self._peers[peer] = None
        try:
            sdp = await peer.answer()
            if peer.ended:
                raise _place_taken()
            return peer, sdp
        except BaseException as error:
            was_sent_away = peer.ended
            self._peers.pop(peer, None)
            await peer.close()
            if was_sent_away and isinstance(error, Exception):
                raise _place_taken() from error
            if isinstance(error, CameraUnavailable):
                raise Busy(f"no camera: {error}", retry_after_s=RETRY_AFTER_S) from error
            raise

    def forget(self, peer: ViewerPeer) -> None:
        """Someone has left, or is sent away."""
        self._peers.pop(peer, None)
        self._leaving.spawn(peer.close(), "close")

    async def close(self) -> None:
        """For all who watch, it is over."""
        if self._camera is not None:
            self._camera.close()
        peers = list(self._peers)
        self._peers.clear()
        await asyncio.gather(*(peer.close() for peer in peers))
        if self.elsewhere is not None:
            await self.elsewhere.close()
        # With the camera, those who watched it have begun to leave by themselves.
        await self._leaving.join()
        await self._tasks.cancel()
        for views in self._views.values():
            views.close()


def _place_taken() -> Busy:
    return Busy("another offer took this place meanwhile: offer again", retry_after_s=1)
