"""How many bits a second one encoder makes for many viewers."""

from __future__ import annotations

from collections.abc import Sequence

START_BITRATE = 2_000_000
LEAST_BITRATE = 300_000
MOST_BITRATE = 4_000_000
# An encoder is opened anew for another bitrate, which costs a key frame: small changes are left
# alone.
_WORTH_A_KEY_FRAME = 0.2


def choose_bitrate(estimates: Sequence[int]) -> int:
    """Follow the better half of the viewers: what all of them can take, within bounds.

    One viewer on a bad line must not spoil the picture for all; it loses packets, and gets key
    frames instead.

    Parameters
    ----------
    estimates
        What each viewer's side thinks its line carries, in bits a second (REMB).
    """
    carried = better_half(estimates)
    if carried is None:
        return START_BITRATE
    return max(LEAST_BITRATE, min(carried, MOST_BITRATE))


def better_half(estimates: Sequence[int]) -> int | None:
    """What all lines of the better half carry, in bits a second; None if nobody has said."""
    return sorted(estimates)[len(estimates) // 2] if estimates else None


def worth_changing(bitrate: int, wanted: int) -> bool:
    """Whether an encoder should be opened anew for another bitrate."""
    return abs(wanted - bitrate) > _WORTH_A_KEY_FRAME * wanted
