"""The H264 encoder of a Raspberry Pi, through picamera2. Importing this imports picamera2."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import av
from picamera2 import Platform, encoders, get_platform
from picamera2.outputs import Output

from server.camera.sensor_clock import SensorClock
from server.camera.source import CameraError, SourceEncoder
from server.media.encoder import TIME_BASE, VIDEO_CLOCK_HZ, Codec, Packet

logger = logging.getLogger(__name__)

# What picamera2 opens. A Pi 5 has no such encoder, and a machine that is no Pi at all is taken for
# a Pi 4 by picamera2: so the device is looked for.
_DEVICE = Path("/dev/video11")
# Key frames are asked for when someone needs one. These are for the case that one gets lost.
_KEY_FRAME_EVERY_S = 10.0
# An encoder that fails so often in a row, without a packet, is left alone.
_TRIES = 3


def hardware_encoder(fps: float) -> PiEncoder | None:
    """The encoder of this Pi, None if it has none."""
    if get_platform() is not Platform.VC4 or not _DEVICE.exists():
        return None
    return PiEncoder(encoders.H264Encoder, fps)


@dataclass(frozen=True, slots=True)
class _Order:
    """What is to be done."""

    bitrate: int
    deliver: Callable[[Packet], None]
    give_up: Callable[[], None]


class PiEncoder(SourceEncoder):
    """Drives one of picamera2's encoders, from the thread that reads the camera.

    picamera2 would call it on its own thread, which ends for good with whatever an encoder raises,
    and so does the camera. Called from here, an encoder that raises is replaced by a new one, which
    begins with a key frame.

    Parameters
    ----------
    make
        One of picamera2's encoder classes for H264.
    fps
        Pictures a second.
    """

    codec = Codec.H264

    def __init__(self, make: Callable[..., Any], fps: float) -> None:
        self._make = make
        self._fps = fps
        self._order: _Order | None = None
        self._done: _Order | None = None
        self._key_frame_wanted = False
        self._encoder: Any = None
        self._failures = 0

    # ---- on any thread

    def start(
        self, bitrate: int, deliver: Callable[[Packet], None], give_up: Callable[[], None]
    ) -> None:
        self._order = _Order(bitrate, deliver, give_up)

    def stop(self) -> None:
        self._order = None

    def request_key_frame(self) -> None:
        self._key_frame_wanted = True

    # ---- on the camera's thread

    def encode(self, request: Any, configuration: dict[str, Any], clock: SensorClock) -> None:
        """Encode a picture, if that is wanted.

        Parameters
        ----------
        request
            picamera2's; held until it is encoded.
        configuration
            The main stream's.
        clock
            Of the times.

        Raises
        ------
        CameraError
            The encoder does not work. It may keep some of the camera's buffers.
        """
        order = self._order
        if order is not self._done:
            self.close()
            self._done, self._failures = order, 0
        if order is None or self._failures == _TRIES:
            return
        try:
            if self._encoder is None:
                self._open(order, configuration, clock)
            elif self._key_frame_wanted:
                self._encoder.force_key_frame()
            self._key_frame_wanted = False
            self._encoder.encode("main", request)
        except Exception as error:
            self._failed(error, order)

    def close(self) -> None:
        """Let go of the encoder."""
        encoder, self._encoder = self._encoder, None
        if encoder is None:
            return
        try:
            encoder.stop()
        except Exception as error:
            logger.warning("The Pi's encoder could not be stopped: %s", error)

    def _open(self, order: _Order, configuration: dict[str, Any], clock: SensorClock) -> None:
        encoder = self._make(
            bitrate=order.bitrate,
            # In front of every key frame, or a viewer who comes later could not begin with it.
            repeat=True,
            iperiod=round(_KEY_FRAME_EVERY_S * self._fps),
            # As every browser decodes it.
            profile="constrained baseline",
        )
        # Nominal: the pictures' own times count. The software encoder takes no fraction of one.
        encoder.framerate = round(self._fps)
        encoder.width, encoder.height = configuration["size"]
        encoder.format, encoder.stride = configuration["format"], configuration["stride"]
        self._encoder = encoder
        encoder.output = _Packets(encoder, clock, lambda packet: self._deliver(packet, order))
        encoder.start()

    def _deliver(self, packet: Packet, order: _Order) -> None:
        self._failures = 0
        order.deliver(packet)

    def _failed(self, error: Exception, order: _Order) -> None:
        self._failures += 1
        self.close()
        if self._failures < _TRIES:
            logger.warning("The Pi's encoder failed (%s): opening it anew", error)
            return
        order.give_up()
        raise CameraError(f"its encoder does not work: {error}") from error


class _Packets(Output):  # type: ignore[misc]  # picamera2 has no types.
    """Where picamera2's encoder puts what it makes.

    Parameters
    ----------
    encoder
        Counts from its first picture.
    clock
        Of the sensor's times.
    deliver
        Takes the packets.
    """

    def __init__(self, encoder: Any, clock: SensorClock, deliver: Callable[[Packet], None]) -> None:
        super().__init__()
        self._encoder = encoder
        self._clock = clock
        self._deliver = deliver

    def outputframe(
        self,
        frame: bytes,
        keyframe: bool = True,
        timestamp: int | None = None,
        packet: Any = None,
        audio: bool = False,
    ) -> None:
        """Take what was made of one picture; its time is in microseconds since the first."""
        taken_ns = (self._encoder.firsttimestamp + (timestamp or 0)) * 1000
        made = cast(Packet, av.Packet(frame))
        made.is_keyframe = keyframe
        made.pts = made.dts = int(self._clock.monotonic_s(taken_ns) * VIDEO_CLOCK_HZ)
        made.time_base = TIME_BASE
        self._deliver(made)
