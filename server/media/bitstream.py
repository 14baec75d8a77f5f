"""What an encoded frame's own bytes tell about it."""

from __future__ import annotations

import itertools
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass

_START_CODE = b"\x00\x00\x01"
# NAL unit types (H.264, table 7-1); slices have those up to the IDR's.
_IDR = 5
_SPS = 7
_PPS = 8
_DELIMITER = 9
# Those whose parameter sets tell of chroma and scaling (H.264, section 7.3.2.1.1).
_HIGH_PROFILES = frozenset((100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135))
# Constrained Baseline, which browsers send, is the same with a flag.
_BASELINE = 66
# Each is looked for by C: a frame of a megabyte may have a quarter of a million units.
_ANY_UNIT = re.compile(rb"\x00\x00\x01(?=(.))", re.DOTALL)
_IDR_UNIT = re.compile(rb"\x00\x00\x01[\x05\x25\x45\x65\x85\xa5\xc5\xe5]")
_SPS_UNIT = re.compile(rb"\x00\x00\x01[\x07\x27\x47\x67\x87\xa7\xc7\xe7]")
# The longest that a camera or a browser makes has some 60; with all scaling lists, twice that.
_MAX_SPS_BYTES = 256
# A frame has one, of a video in layers a few; an identifier has 32 values (section 7.4.2.1.1).
_MAX_SPS = 4
# In front of a frame's slices, and in all; a picture parameter set has some 10 bytes.
_MAX_SETS, _MAX_SETS_BYTES = 64, 16 * 1024


def is_key_frame(codec: str, data: bytes) -> bool:
    """Whether an encoded frame can be decoded without those before it.

    VP8: the lowest bit of the first byte is 0 (RFC 6386, section 9.1). H264, as Annex B: it holds
    an IDR slice, NAL unit type 5.
    """
    if codec.upper() == "VP8":
        return bool(data) and not data[0] & 1
    return _IDR_UNIT.search(data) is not None


def temporal_layer(payload: bytes) -> tuple[int, bool]:
    """A VP8 packet's temporal layer, and whether its frame builds on the lowest layer alone.

    As the payload descriptor says (RFC 7741, section 4.2); (0, False) where it says nothing.
    """
    if len(payload) < 2 or not payload[0] & 0x80:
        return 0, False
    has = payload[1]
    if not has & 0x20:
        return 0, False
    at = 2
    if has & 0x80:
        # A picture's number has one byte or two.
        at += 2 if payload[at : at + 1] >= b"\x80" else 1
    at += bool(has & 0x40)
    if at >= len(payload):
        return 0, False
    return payload[at] >> 6, bool(payload[at] & 0x20)


def begins_frame(codec: str, data: bytes) -> bool:
    """Whether what a packet begins with stands at a frame's beginning only.

    VP8: the start code after a key frame's tag (RFC 6386, section 9.1). H264: a sequence parameter
    set, maybe behind an access unit delimiter.
    """
    if codec.upper() == "VP8":
        return data[3:6] == b"\x9d\x01\x2a" and not data[0] & 1
    return len(data) > 4 and data[4] & 0x1F in (_SPS, _DELIMITER)


def picture_size(codec: str, data: bytes) -> tuple[int, int] | None:
    """How large a picture a decoder makes room for when it is given this: width and height.

    VP8: as a key frame's head says (RFC 6386, section 9.1). H264, as Annex B: the largest of its
    sequence parameter sets (H.264, section 7.3.2.1.1), before cropping. None where nothing is said.

    Raises
    ------
    ValueError
        What should say it is cut off, or says nonsense.
    """
    if codec.upper() == "VP8":
        if not is_key_frame(codec, data):
            return None
        if len(data) < 10:
            raise ValueError("a VP8 key frame is cut off")
        width, height = struct.unpack_from("<HH", data, 6)
        # Two bits of each are for scaling.
        return width & 0x3FFF, height & 0x3FFF
    sizes = [found.decoded for found in _sequences(data)]
    return max(sizes, key=lambda size: size[0] * size[1], default=None)


def shown_size(codec: str, data: bytes) -> tuple[int, int] | None:
    """How large the picture is that a key frame shows: width and height; None where it says none.

    As `picture_size`, but after cropping.

    Raises
    ------
    ValueError
        What should say it is cut off, or says nonsense.
    """
    if codec.upper() == "VP8":
        return picture_size(codec, data)
    return next((found.shown for found in _sequences(data)), None)


def may_reorder(codec: str, data: bytes) -> bool:
    """Whether frames from this key frame on may be shown in another order than they come in.

    Those of VP8 may not, nor those of H264's Baseline profile (H.264, section A.2.1).
    """
    return codec.upper() != "VP8" and any(found.profile != _BASELINE for found in _sequences(data))


@dataclass(frozen=True, slots=True)
class _Sequence:
    """What a sequence parameter set says; sizes are width and height."""

    profile: int
    decoded: tuple[int, int]
    shown: tuple[int, int]


def _sequences(data: bytes) -> list[_Sequence]:
    ends = [unit.end() for unit in itertools.islice(_SPS_UNIT.finditer(data), _MAX_SPS + 1)]
    if len(ends) > _MAX_SPS:
        raise ValueError(f"a frame has more than {_MAX_SPS} sequence parameter sets")
    return [_sequence(data[end : end + _MAX_SPS_BYTES]) for end in ends]


def _sequence(sps: bytes) -> _Sequence:
    """Read a sequence parameter set, its NAL unit's head left out."""
    # It is shorter, whatever follows it; a byte 3 keeps it from looking like a start code.
    bits = _Bits(sps.replace(b"\x00\x00\x03", b"\x00\x00"))
    profile = bits.take(8)
    bits.take(16)
    bits.golomb()
    chroma = 1
    is_split = 0
    if profile in _HIGH_PROFILES:
        chroma = bits.golomb()
        if chroma == 3:
            is_split = bits.take(1)
        bits.golomb()
        bits.golomb()
        bits.take(1)
        if bits.take(1):
            for at in range(8 if chroma != 3 else 12):
                if bits.take(1):
                    _skip_scaling_list(bits, 16 if at < 6 else 64)
    bits.golomb()
    order = bits.golomb()
    if order == 0:
        bits.golomb()
    elif order == 1:
        bits.take(1)
        bits.golomb()
        bits.golomb()
        for _ in range(min(bits.golomb(), 255)):
            bits.golomb()
    bits.golomb()
    bits.take(1)
    width, map_units = bits.golomb() + 1, bits.golomb() + 1
    frames_only = bits.take(1)
    if not frames_only:
        bits.take(1)
    bits.take(1)
    width, height = width * 16, map_units * 16 * (2 - frames_only)
    left, right, top, bottom = [bits.golomb() for _ in range(4)] if bits.take(1) else [0] * 4
    # Cropping counts samples of chroma; of a picture without, or in separate planes, of luma.
    chroma = 0 if is_split else chroma
    across = 2 if chroma in (1, 2) else 1
    down = (2 if chroma == 1 else 1) * (2 - frames_only)
    shown = (width - across * (left + right), height - down * (top + bottom))
    if min(shown) < 1:
        raise ValueError("a sequence parameter set crops the whole picture")
    return _Sequence(profile, (width, height), shown)


def _skip_scaling_list(bits: _Bits, size: int) -> None:
    last = following = 8
    for _ in range(size):
        if following:
            code = bits.golomb()
            following = (last + ((code + 1) // 2 if code % 2 else -(code // 2))) % 256
        last = following or last


class _Bits:
    """Reads bits, the highest first, and Exp-Golomb codes (H.264, section 9.1)."""

    def __init__(self, data: bytes) -> None:
        self._value = int.from_bytes(data)
        self._left = len(data) * 8

    def take(self, count: int) -> int:
        if count > self._left:
            raise ValueError("a sequence parameter set is cut off")
        self._left -= count
        return self._value >> self._left & (1 << count) - 1

    def golomb(self) -> int:
        rest = self._value & (1 << self._left) - 1
        zeros = self._left - rest.bit_length()
        if zeros > 32 and rest:
            raise ValueError("a sequence parameter set has a number that is too large")
        self.take(zeros + 1)
        return (1 << zeros) - 1 + self.take(zeros)


class ParameterSets:
    """What a decoder has to know of an H264 video, remembered: some senders tell it once only.

    x264 does, for one; whoever joins later could not decode anything.
    """

    def __init__(self) -> None:
        self._known: dict[int, bytes] = {}

    def complete(self, data: bytes, is_key_frame: bool) -> bytes:
        """A frame, as Annex B, with what is missing in front of it, if it is a key frame."""
        own = _parameter_sets(data)
        if sum(map(len, own.values())) <= _MAX_SETS_BYTES:
            self._known |= own
        if not is_key_frame or _SPS in own:
            return data
        return b"".join((*(self._known[kind] for kind in sorted(self._known)), data))


def _parameter_sets(data: bytes) -> dict[int, bytes]:
    """The parameter sets in front of a frame's slices, all of one type put together."""
    found: dict[int, list[bytes]] = {}
    for kind, at in itertools.islice(_nal_units(data), _MAX_SETS):
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
    for unit in _ANY_UNIT.finditer(data):
        yield unit[1][0] & 0x1F, unit.end()
