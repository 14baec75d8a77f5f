"""How sure a rate is, and from when on it is told."""

from __future__ import annotations

import math

from analyzers.vitals.evidence import Evidence

# A logistic curve of whether a rate is within 5 of the true one, fitted to 22 synthetic clips
# (bench/parts/vitals_scene.py) through VP8 and H264 of another face than that with which
# docs/vitals.md was measured; a third of them had no pulse, a nod, or too few bits.
_BRIGHTNESS_SNR, _BRIGHTNESS_AGREEMENT = 0.105, 5.6
_COLORS_SNR, _COLORS_AGREEMENT = 0.04, 0.63
_SPREAD, _BACKGROUND, _BIAS = -0.054, -2.44, -3.65
_WIDEST_SPREAD = 30.0
# From which on a rate is told, and below which no more: so it does not come and go.
TELL, KEEP = 0.85, 0.7
# The head moves, or what is behind it changes, at the same rate: that is what is seen then.
MOVEMENT, BACKGROUND = 0.5, 2.0


def confidence(evidence: Evidence) -> float:
    """Return how likely it is, 0..1, that a rate is within 5 a minute of the true one."""
    brightness, colors = evidence.brightness, evidence.colors
    behind = math.log10(min(max(evidence.background, 0.1), 10.0))
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
