"""What can be watched at other nodes, where several are one server."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from server.broadcast.stream import VideoStream
from server.broadcast.viewer import Feed, Viewer
from server.cluster.feed import feed_path, stream_path
from server.cluster.link import Link, starting_again
from server.cluster.member import Member
from server.media.encoder import Codec
from server.security.identity import Identity
from server.tasks import Tasks
from server.watching.names import ANNOTATED, CAMERA_NAME, FIRST
from server.watching.remote_feed import RemoteFeed, Socket
from signaling.errors import NotFound, quote
from signaling.messages import SESSION_ID


@dataclass(frozen=True, slots=True)
class _RemoteStream:
    """What one viewer may watch, as the node that has it has told."""

    elsewhere: Elsewhere
    name: str
    by: Identity
    codecs: Sequence[Codec]

    def watch(self, codec: Codec) -> Viewer:
        return self.elsewhere.join(self.name, codec, self.by)


class Elsewhere:
    """Finds videos at other nodes, and pulls each once for all who watch it here.

    Parameters
    ----------
    member
        Knows the other nodes.
    """

    def __init__(self, member: Member) -> None:
        self._member = member
        own = member.node.number
        # What was watched at another node may come back at this one.
        self._own = Link(own, member.network.way_to(own, member.network.address))
        self._feeds: dict[tuple[str, Codec], RemoteFeed] = {}
        self._tasks = Tasks("feeds from other nodes")
        self._is_closed = False

    async def find(self, name: str, by: Identity) -> VideoStream | None:
        """What a name stands for at another node; None if none of them has it.

        Raises
        ------
        SignalingError
            What that node says: that its owner alone may watch it, say.
        """
        number = await node_with(self._member, name.removesuffix(ANNOTATED))
        if number is None or number == self._member.node.number:
            return None
        link = self._link(number)
        if link is None:
            if not self._member.may_come(number):
                return None
            raise starting_again()
        told = await link.ask(stream_path(name), by)
        return _RemoteStream(self, name, by, [Codec(codec) for codec in told["codecs"]])

    def join(self, name: str, codec: Codec, by: Identity) -> Viewer:
        """Watch.

        Raises
        ------
        NotFound
            This node is about to end.
        """
        if self._is_closed:
            raise NotFound("what was to be seen has ended")
        feed = self._feeds.get((name, codec))
        if feed is None:
            feed = self._feeds[name, codec] = self._make_feed(name, codec, by)
        return feed.add()

    @property
    def feeds(self) -> int:
        """How many are pulled."""
        return len(self._feeds)

    async def close(self) -> None:
        """Pull nothing any more; for all who watch, it is over."""
        self._is_closed = True
        for feed in list(self._feeds.values()):
            feed.end()
        await self._tasks.cancel()
        await self._own.close()

    def _make_feed(self, name: str, codec: Codec, by: Identity) -> RemoteFeed:
        source = name.removesuffix(ANNOTATED)
        is_session = re.fullmatch(SESSION_ID, source) is not None

        async def open_feed(codec: Codec) -> Socket | None:
            number = known_node_with(self._member, source)
            link = self._link(number) if number is not None else None
            return await link.open_socket(feed_path(name, codec), by) if link else None

        def emptied(feed: Feed) -> None:
            if self._feeds.get((name, codec)) is feed:
                del self._feeds[name, codec]

        return RemoteFeed(
            *(codec, open_feed, self._member.news, f"what is published as {quote(source)}"),
            *(self._tasks, emptied),
            may_come_back=not is_session,
        )

    def _link(self, number: int) -> Link | None:
        if number == self._member.node.number:
            return self._own
        return self._member.links[number] if number in self._member.states else None


async def node_with(member: Member, source: str) -> int | None:
    """The node that has what is watched by a name, without ``/annotated``.

    Raises
    ------
    Busy
        It is not known here, and the registry does not answer.
    """
    if source == CAMERA_NAME or re.fullmatch(SESSION_ID, source):
        return known_node_with(member, source)
    return await member.holder(source)


def known_node_with(member: Member, source: str) -> int | None:
    """The same, as far as is known here."""
    if source == CAMERA_NAME:
        return FIRST
    # A name can not look so.
    if re.fullmatch(SESSION_ID, source):
        return member.of_session(source)
    return member.publisher(source)
