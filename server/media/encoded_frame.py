"""A video's frame on its way, as whoever sent it encoded it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class EncodedFrame:
    """A frame as its sender's encoder made it.

    Attributes
    ----------
    codec
        "VP8" or "H264".
    payload_type
        Of its packets; 0 where none brought it.
    data
        A VP8 frame, or H264 as Annex B.
    timestamp
        In RTP's clock for video, 90 kHz.
    is_key_frame
        Whether it can be decoded without those before it.
    is_damaged
        Whether something that it builds on is missing.
    layer
        Its temporal layer: none of a lower layer builds on it (RFC 7741, section 4.2, TID).
    is_layer_sync
        Whether it builds on the lowest layer alone (Y).
    """

    codec: str
    payload_type: int
    data: bytes
    timestamp: int
    is_key_frame: bool
    is_damaged: bool = False
    layer: int = 0
    is_layer_sync: bool = False
