"""What a stretch of still time says of the heart's rate, and what speaks against it.

It is looked at in two ways. POS is the best of the classical methods where colours come as they
are. Encoders save on colours first, and keep brightness: green, less some red, without what light
and movement explain, shows a pulse where POS has lost it. A rate that both see is sure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analyzers.vitals import pos, spectrum
from analyzers.vitals.cleaning import cleaned, quick_part, without_slow
from analyzers.vitals.history import Moment
from analyzers.vitals.resampling import RATE_HZ, resample
from analyzers.vitals.spectrum import Spectra

# Blood takes green away, and red the least; what both lose alike is light.
_GREEN_LESS_RED = np.array([0.3, -1.0, 0.0])
# Of a face's place all but its size: a pulse is seen in that, since a face that gets darker looks
# larger or smaller beside what is behind it, and would be taken away with it.
_SWAYS = [0, 1, 3]
# In widths of the face: what moves by less explains no pulse.
_LEAST_MOVED = 0.0012
_TINY = 1e-30


@dataclass(frozen=True, slots=True)
class View:
    """A rate as one of the two ways sees it.

    Attributes
    ----------
    snr_db : float
        Its power against all other.
    agreement : float
        Of forehead and cheeks on it, 0..1.
    """

    snr_db: float
    agreement: float


@dataclass(frozen=True, slots=True)
class Evidence:
    """Of one stretch.

    Attributes
    ----------
    likely : ndarray, shape (R,)
        For each rate of `spectrum.BPM`, sum 1.
    bpm : float
        The likeliest rate by itself.
    brightness, colors : View
        A rate as brightness has it, and as colours have it.
    spread_bpm : float
        How far the rates of the first and the last two thirds are from it, the farther one.
    movement : float
        How much of the head's own movement is at that rate, 0..1.
    background : float
        How strong that rate is in what is behind the face, against the face.
    wave : ndarray, shape (N,)
        The pulse, at RATE_HZ.
    """

    likely: NDArray[np.float64]
    bpm: float
    brightness: View
    colors: View
    spread_bpm: float
    movement: float
    background: float
    wave: NDArray[np.float64]


class Stretch:
    """A stretch of still time.

    Parameters
    ----------
    moments
        At least two, all of the same places of skin.
    end_s, seconds
        Which stretch.
    """

    def __init__(self, moments: Sequence[Moment], end_s: float, seconds: float) -> None:
        times_s = np.array([each.time_s for each in moments])
        # Joined, which takes a quarter of the time that an array of arrays does.
        rows = len(moments)
        skin = np.concatenate([each.reading.colors for each in moments]).reshape(rows, -1)
        count = skin.shape[1] // 3
        behind = np.concatenate([each.behind for each in moments]).reshape(rows, -1)
        places = np.concatenate([each.reading.place for each in moments]).reshape(rows, -1)
        columns = np.concatenate([skin, behind, places], axis=1)
        even = resample(times_s, columns, end_s, seconds)
        logarithms = np.log(np.maximum(even[:, : 3 * count + 3], 1.0))
        colors, around = logarithms[:, : 3 * count], logarithms[:, 3 * count :]
        self._places = even[:, 3 * count + 3 :]
        self._around = without_slow(spectrum.detrended(around, 3) @ _GREEN_LESS_RED[:, None])
        seen = quick_part(colors)
        swayed = self._places[:, _SWAYS]
        lit = cleaned(colors, np.concatenate([around, swayed], axis=1), seen)
        self._brightness = without_slow(lit.reshape(-1, count, 3) @ _GREEN_LESS_RED)
        self._colors = pos.pulse(np.exp(cleaned(colors, around, seen)).reshape(-1, count, 3))
        self._spectra = tuple(map(spectrum.spectra, (self._brightness, self._colors)))
        self.likely = _likely(self._spectra)
        self.bpm = spectrum.peak(self.likely)

    def weigh(self, bpm: float) -> Evidence:
        """Return what speaks for a rate and against it."""
        brightness, colors = (
            View(spectrum.snr_db(found.together()[0], bpm), spectrum.agreement(found, bpm))
            for found in self._spectra
        )
        # Both rise together; that of brightness has the better shape.
        wave = self._brightness if brightness.snr_db > colors.snr_db else self._colors
        return Evidence(
            likely=self.likely,
            bpm=self.bpm,
            brightness=brightness,
            colors=colors,
            spread_bpm=self._spread(bpm),
            # What comes at half the rate may have taken the rate's own half away with it.
            movement=self._movement((bpm, bpm / 2.0)),
            background=self._background(bpm),
            wave=wave.mean(axis=1),
        )

    def _spread(self, bpm: float) -> float:
        part = 2 * len(self._colors) // 3
        rates = []
        for piece in (slice(None, part), slice(-part, None)):
            # All places' mean, of which alone the power is asked.
            found = (
                spectrum.spectra(each[piece].mean(axis=1, keepdims=True))
                for each in (self._brightness, self._colors)
            )
            rates.append(spectrum.peak(_likely(tuple(found))))
        return max(abs(rate - bpm) for rate in rates)

    def _background(self, bpm: float) -> float:
        behind, _ = spectrum.spectra(self._around).together()
        face, _ = self._spectra[0].together()
        near = np.abs(spectrum.BPM - bpm) <= 4.0
        return float(behind[near].max() / max(float(face[near].max()), _TINY))

    def _movement(self, rates: Sequence[float]) -> float:
        """Return the largest part of a movement's power in the band that is at a rate.

        What moves by less than counts is none: a pulse is seen in the skin's brightness, and that
        moves the square that follows the face by half a thousandth of its width.
        """
        moved = without_slow(spectrum.detrended(self._places, 3))
        power = np.abs(spectrum.spectra(moved).first) ** 2
        near = np.any([np.abs(spectrum.BPM - bpm) <= 4.0 for bpm in rates], axis=0)
        shares = power[near].sum(axis=0) / np.maximum(power.sum(axis=0), _TINY)
        # A line of a window after Hann is a quarter of the wave's amplitude.
        shares[4.0 * np.sqrt(power[near].max(axis=0)) < _LEAST_MOVED] = 0.0
        return float(shares.max())


def _likely(found: tuple[Spectra, ...]) -> NDArray[np.float64]:
    total = np.sum([spectrum.likeness(*each.together()) for each in found], axis=0)
    likely: NDArray[np.float64] = total / max(float(total.sum()), _TINY)
    return likely


def curve(wave: NDArray[np.float64], seconds: float) -> NDArray[np.float64]:
    """Return the end of a wave for people to look at: without what is no pulse, within -1..1."""
    lines = np.fft.rfft(spectrum.detrended(wave[:, None])[:, 0])
    rates = np.fft.rfftfreq(len(wave), 1.0 / RATE_HZ) * 60.0
    lines[(rates < spectrum.LOWEST_BPM) | (rates > 2.0 * spectrum.HIGHEST_BPM)] = 0.0
    shown = np.fft.irfft(lines, len(wave))[-round(seconds * RATE_HZ) :]
    top = float(np.abs(shown).max())
    scaled: NDArray[np.float64] = shown / top if top > 0.0 else shown
    return scaled
