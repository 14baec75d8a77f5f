"""How sure a rate is, and from when on it is told."""

from __future__ import annotations

import math

from analyzers.vitals.evidence import Evidence

# A logistic curve of whether a rate is within 5 of the true one, fitted to synthetic clips
# (bench/parts/vitals_scene.py) through VP8 and H264 of two other faces than that with which
# docs/vitals.md was measured; some had no pulse, a nod, or too few bits.
_BRIGHTNESS_SNR, _BRIGHTNESS_AGREEMENT = 0.19, 7.8
_COLORS_SNR, _COLORS_AGREEMENT = 0.2, 1.2
_SPREAD, _BACKGROUND, _BIAS = -0.09, -3.1, -3.8
_WIDEST_SPREAD = 30.0
# From which on a rate is told, and below which no more: so it does not come and go.
TELL, KEEP = 0.85, 0.7
# The head moves, or what is behind it changes, at the same rate: that is what is seen then. Of
# light that flickers a tenth is left or less, in amplitude a third.
_MOVES, _FLICKERS = 0.5, 6.0
# Lamps that light the face more than what is behind it leave more. So where both change at that
# rate, a pulse has to stand out: people who keep still have 0.6 or less behind them, or so much.
# Chosen on three of the bench's photographs and two of its people under lamps.
_LIT, _STANDS_OUT_DB, _STANDS_OUT_AGREEMENT = 0.7, 2.5, 0.85
# What drifts slowly reaches up to rates as low as these, with 4 dB at the most in photographs whose
# light changes; a heart that slow has 5 dB and more.
_SLOW_BPM, _SLOW_DB = 52.0, 4.5


def confidence(evidence: Evidence) -> float:
    """Return how likely it is, 0..1, that a rate is within 5 a minute of the true one."""
    brightness, colors = evidence.brightness, evidence.colors
    behind = math.log10(min(max(evidence.background, 0.3), 30.0))
    logit = (
        _BIAS
        + _BRIGHTNESS_SNR * brightness.snr_db
        + _BRIGHTNESS_AGREEMENT * brightness.agreement
        + _COLORS_SNR * colors.snr_db
        + _COLORS_AGREEMENT * colors.agreement
        + _SPREAD * min(evidence.spread_bpm, _WIDEST_SPREAD)
        + _BACKGROUND * behind
    )
    return 1.0 / (1.0 + math.exp(-min(max(logit, -30.0), 30.0)))


def is_movement(evidence: Evidence) -> bool:
    """Tell whether it is the head's movement that has this rate."""
    return evidence.movement > _MOVES


def is_light(evidence: Evidence) -> bool:
    """Tell whether it may be the light that has this rate."""
    if evidence.background > _FLICKERS:
        return True
    seen = evidence.brightness
    stands_out = seen.snr_db >= _STANDS_OUT_DB and seen.agreement >= _STANDS_OUT_AGREEMENT
    return evidence.background > _LIT and not stands_out


def is_drift(bpm: float, evidence: Evidence) -> bool:
    """Tell whether a rate may be the quick end of something slow."""
    return bpm < _SLOW_BPM and evidence.brightness.snr_db < _SLOW_DB
