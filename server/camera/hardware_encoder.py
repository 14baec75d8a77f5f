"""What a camera's own encoder makes, through all the runs of the camera."""

from __future__ import annotations

import logging
from collections.abc import Callable

from server.camera.run import Run
from server.camera.source import SourceEncoder
from server.media.capture import Capture, Pictures
from server.media.encoder import Codec, Packet

logger = logging.getLogger(__name__)


class HardwareEncoder:
    """One camera's; for one at a time, which shares them. The encoder works while it is taken.

    Parameters
    ----------
    pictures
        The camera's, which runs while somebody wants them.
    codec
        What its encoder makes.
    """

    def __init__(self, pictures: Pictures, codec: Codec) -> None:
        self._pictures = pictures
        self._codec = codec
        self._run: Run | None = None
        self._take: Callable[[Packet], None] | None = None
        self._given_up: Callable[[], None] | None = None
        self._bitrate = 0
        self._failed = False

    @property
    def taken(self) -> bool:
        """Whether somebody takes them now."""
        return self._take is not None

    def are_for(self, codec: Codec) -> bool:
        """Whether they can be had in this codec, and by someone else."""
        return codec is self._codec and not self.taken and not self._failed

    def start(
        self, bitrate: int, take: Callable[[Packet], None], given_up: Callable[[], None]
    ) -> None:
        """Take the packets, from a key frame on.

        Parameters
        ----------
        bitrate
            In bits a second.
        take
            Gets each packet, with its time in RTP's clock, on the event loop.
        given_up
            Called when the encoder does not work: there are no more packets.
        """
        # So that the camera runs; its pictures are not needed.
        self._pictures.subscribe(_not_needed)
        self._bitrate, self._take, self._given_up = bitrate, take, given_up
        self._encode()

    def stop(self) -> None:
        """Take no more."""
        if self._take is None:
            return
        self._take = self._given_up = None
        self._pictures.unsubscribe(_not_needed)
        if (encoder := self._encoder) is not None:
            encoder.stop()

    def change_bitrate(self, bitrate: int) -> None:
        """Have so many bits a second from now on; costs a key frame."""
        self._bitrate = bitrate
        self._encode()

    def request_key_frame(self) -> None:
        """Make the next picture one."""
        if (encoder := self._encoder) is not None:
            encoder.request_key_frame()

    # ---- for the camera

    def attach(self, run: Run) -> None:
        """The camera runs."""
        self._run = run
        self._encode()

    def detach(self) -> None:
        """It does not run any more."""
        self._run = None

    @property
    def _encoder(self) -> SourceEncoder | None:
        return self._run.source.encoder if self._run else None

    def _encode(self) -> None:
        run, encoder = self._run, self._encoder
        if run is None or encoder is None or self._take is None:
            return
        encoder.start(
            self._bitrate,
            lambda packet: run.on_loop(self._deliver, packet),
            lambda: run.on_loop(self._give_up),
        )

    def _deliver(self, packet: Packet) -> None:
        if self._take is not None:
            self._take(packet)

    def _give_up(self) -> None:
        logger.error("The camera's own encoder does not work: its pictures are encoded here")
        self._failed = True
        given_up = self._given_up
        self.stop()
        if given_up is not None:
            given_up()


def _not_needed(capture: Capture) -> None:
    """A camera's pictures, whose packets are taken."""
