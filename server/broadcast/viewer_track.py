"""Sending what somebody watches over a peer connection: the packets as they are."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from server import rtc
from server.broadcast.stream import VideoStream
from server.broadcast.viewer import Viewer
from server.media.encoder import Codec
from server.rtc import PacketTrack, RTCPeerConnection, RTCRtpSender
from signaling.errors import UnsupportedSdp
from signaling.sdp import video_directions


class Sending:
    """What one peer connection sends back.

    Parameters
    ----------
    connection
        Has not been given the offer yet: what is sent must stand before; afterwards it has no
        effect in aiortc.
    offer
        Its SDP; the first video section that receives gets the video.
    stream
        What is sent.
    """

    def __init__(self, connection: RTCPeerConnection, offer: str, stream: VideoStream) -> None:
        self._stream = stream
        self._track = ViewerTrack()
        self._sender: RTCRtpSender | None = None
        # aiortc gives video sections to transceivers in their order.
        for direction in video_directions(offer):
            sends = self._sender is None and direction in ("recvonly", "sendrecv")
            if not sends:
                connection.addTransceiver("video", "recvonly")
                continue
            transceiver = connection.addTransceiver(
                self._track, "sendonly" if direction == "recvonly" else "sendrecv"
            )
            rtc.prefer_codecs(transceiver, stream.codecs)
            self._sender = transceiver.sender

    def begin(self, answer: str) -> None:
        """Join, in the codec that an answer has.

        Raises
        ------
        UnsupportedSdp
            The offer has no video that we can send.
        CameraUnavailable
            There is nothing to see.
        NotFound
            It has ended.
        """
        codec = rtc.sent_codec(answer)
        if codec is None or self._sender is None:
            names = " or ".join(self._stream.codecs)
            raise UnsupportedSdp(f"the offer has no video that it wants to receive as {names}")
        self._track.show(self._stream.watch(Codec(codec)), self._sender)

    def on_over(self, over: Callable[[], None]) -> None:
        """Hear when there is nothing more to send."""
        self._track.on("ended", over)

    @property
    def why_over(self) -> str:
        """Why there is nothing more to send; empty where there is nothing to say."""
        return self._track.viewer.why_over if self._track.viewer is not None else ""

    def close(self) -> None:
        """Leave."""
        if self._track.viewer is not None:
            self._track.viewer.leave()


class ViewerTrack(PacketTrack):
    """Sends what a viewer gets."""

    def __init__(self) -> None:
        super().__init__()
        self.viewer: Viewer | None = None

    def show(self, viewer: Viewer, sender: RTCRtpSender) -> None:
        """Have the track's sender send what this viewer gets, and tell it what its peer says.

        What comes before the connection stands waits.
        """
        self.viewer = viewer
        viewer.estimate = partial(rtc.estimated_bitrate, sender)
        rtc.on_key_frame_request(sender, viewer.request_key_frame)
        viewer.listen(self.flow)
        self.flow()

    def flow(self) -> None:
        """Send what waits, as far as there is room."""
        if self.viewer is None:
            return
        self.viewer.give(self.send)
        if self.viewer.is_over:
            self.stop()
