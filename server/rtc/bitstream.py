"""What an encoded frame's own bytes tell about it."""

from __future__ import annotations

from collections.abc import Iterator

_START_CODE = b"\x00\x00\x01"
# NAL unit types (H.264, table 7-1); slices have those up to the IDR's.
_IDR = 5
_SPS = 7
_PPS = 8
_DELIMITER = 9


def is_key_frame(codec: str, data: bytes) -> bool:
    """Whether an encoded frame can be decoded without those before it.

    VP8: the lowest bit of the first byte is 0 (RFC 6386, section 9.1). H264, as Annex B: it holds
    an IDR slice, NAL unit type 5.
    """
    if codec.upper() == "VP8":
        return bool(data) and not data[0] & 1
    return any(kind == _IDR for kind, _ in _nal_units(data))


def begins_frame(codec: str, data: bytes) -> bool:
    """Whether what a packet begins with stands at a frame's beginning only.

    VP8: the start code after a key frame's tag (RFC 6386, section 9.1). H264: a sequence parameter
    set, maybe behind an access unit delimiter.
    """
    if codec.upper() == "VP8":
        return data[3:6] == b"\x9d\x01\x2a" and not data[0] & 1
    return len(data) > 4 and data[4] & 0x1F in (_SPS, _DELIMITER)


class ParameterSets:
    """What a decoder has to know of an H264 video, remembered: some senders tell it once only.

    x264 does, for one; whoever joins later could not decode anything.
    """

    def __init__(self) -> None:
        self._known: dict[int, bytes] = {}

    def complete(self, data: bytes, is_key_frame: bool) -> bytes:
        """A frame, as Annex B, with what is missing in front of it, if it is a key frame."""
        own = _parameter_sets(data)
        self._known |= own
        if not is_key_frame or _SPS in own:
            return data
        return b"".join((*(self._known[kind] for kind in sorted(self._known)), data))


def _parameter_sets(data: bytes) -> dict[int, bytes]:
    """The parameter sets in front of a frame's slices, all of one type put together."""
    found: dict[int, list[bytes]] = {}
    for kind, at in _nal_units(data):
        if kind <= _IDR:
            break
        if kind in (_SPS, _PPS):
            end = data.find(_START_CODE, at)
            # No unit ends with a 0: that belongs to the start code of the next one.
            unit = data[at : end if end >= 0 else None].rstrip(b"\x00")
            found.setdefault(kind, []).append(b"\x00" + _START_CODE + unit)
    return {kind: b"".join(units) for kind, units in found.items()}


def _nal_units(data: bytes) -> Iterator[tuple[int, int]]:
    """The type of each NAL unit of an H264 frame, and where it begins (RFC 6184, section 1.3)."""
    at = data.find(_START_CODE) + len(_START_CODE)
    while len(_START_CODE) <= at < len(data):
        yield data[at] & 0x1F, at
        at = data.find(_START_CODE, at) + len(_START_CODE)
