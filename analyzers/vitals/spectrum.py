"""How strong each rate is in a signal, and which one a pulse would be."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from analyzers.vitals.resampling import RATE_HZ

LOWEST_BPM, HIGHEST_BPM = 40.0, 220.0
# The rates that are told apart, one a minute from the next.
BPM = np.arange(LOWEST_BPM, HIGHEST_BPM + 1.0)
# A transform this long has lines 0.88 a minute apart; what lies between is interpolated.
_LENGTH = 2048
# The nearest line is at most 0.44 a minute away.
_FIRST_LINES = np.round(BPM * _LENGTH / (RATE_HZ * 60.0)).astype(int)
_SECOND_LINES = np.round(2.0 * BPM * _LENGTH / (RATE_HZ * 60.0)).astype(int)
# How far from a rate its power may lie, as in de Haan and Jeanne (2013) who take 0.1 Hz.
_WIDTH_BPM = 6.0
# The second harmonic of a pulse has a tenth to a third of the first one's power.
_HARMONIC = 0.5


@dataclass(frozen=True, slots=True)
class Spectra:
    """Spectra of several places at the rates of `BPM` and their doubles.

    Attributes
    ----------
    first, second : ndarray, shape (R, K), complex
        At each rate, and at twice the rate.
    """

    first: NDArray[np.complex128]
    second: NDArray[np.complex128]

    def together(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the power of all places' mean: at each rate, and at twice it; shape (R,)."""
        return np.abs(self.first.mean(axis=1)) ** 2, np.abs(self.second.mean(axis=1)) ** 2


def detrended(signal: NDArray[np.float64], degree: int = 2) -> NDArray[np.float64]:
    """Take away what a polynomial in time explains, of each column of an (N, K) signal."""
    basis = _polynomials(len(signal), degree)
    left: NDArray[np.float64] = signal - basis @ (basis.T @ signal)
    return left


# Windows grow from frame to frame, and are of one length after that.
@lru_cache(maxsize=64)
def _polynomials(count: int, degree: int) -> NDArray[np.float64]:
    """Return an orthonormal basis of polynomials, (N, degree + 1)."""
    times = np.linspace(-1.0, 1.0, count)
    basis: NDArray[np.float64] = np.linalg.qr(np.polynomial.legendre.legvander(times, degree))[0]
    return basis


@lru_cache(maxsize=64)
def _taper(count: int) -> NDArray[np.float64]:
    """Return the window after Hann, (N, 1)."""
    window: NDArray[np.float64] = np.hanning(count)[:, None]
    return window


def spectra(waves: NDArray[np.float64]) -> Spectra:
    """Return the spectra of waves, shape (N, K), at RATE_HZ."""
    tapered = detrended(waves) * _taper(len(waves))
    lines = np.fft.rfft(np.ascontiguousarray(tapered.T), _LENGTH).T / len(waves)
    return Spectra(lines[_FIRST_LINES], lines[_SECOND_LINES])


def likeness(first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how much each rate looks like a pulse's, 1 for all of them together.

    A rate has its own power and some of its harmonic's, at most as much as its
    own: so the half of a rate, which has nothing itself, gains nothing by it.
    What has its half beside it with more power is that one's harmonic.

    Parameters
    ----------
    first, second : ndarray, shape (R,)
        Power at each rate of `BPM`, and at its double.
    """
    score = first + _HARMONIC * np.minimum(second, first)
    half = np.interp(BPM / 2.0, BPM, first, left=0.0)
    score = score * np.where(half > first, 0.3, 1.0)
    # What only rises towards the end of the band belongs to something beyond it.
    score[: _first_fall(score)] = 0.0
    score[len(score) - _first_fall(score[::-1]) :] = 0.0
    likely: NDArray[np.float64] = score / max(float(score.sum()), 1e-30)
    return likely


def _first_fall(score: NDArray[np.float64]) -> int:
    """Return how many rates there are from the end until the score stops falling."""
    rises = np.flatnonzero(np.diff(score) > 0.0)
    return int(rises[0]) if len(rises) else 0


def peak(score: NDArray[np.float64]) -> float:
    """Return the rate of the highest point, a minute, to a fraction by its neighbours."""
    top = int(score.argmax())
    if not 0 < top < len(score) - 1:
        return float(BPM[top])
    before, here, after = score[top - 1 : top + 2].tolist()
    bend = before - 2.0 * here + after
    between = 0.5 * (before - after) / bend if bend < 0.0 else 0.0
    return float(BPM[top]) + between


def snr_db(first: NDArray[np.float64], bpm: float) -> float:
    """Return the power at a rate and its double against all other, decibels.

    Parameters
    ----------
    first : ndarray, shape (R,)
        Power at each rate of `BPM`.
    """
    near = np.abs(BPM - bpm) <= _WIDTH_BPM
    near |= np.abs(BPM - 2.0 * bpm) <= _WIDTH_BPM
    signal, noise = float(first[near].sum()), float(first[~near].sum())
    return 10.0 * math.log10(max(signal, 1e-30) / max(noise, 1e-30))


def agreement(found: Spectra, bpm: float) -> float:
    """Return how much places agree on a rate, 0 (as by chance) to 1 (one wave).

    Power of the mean against mean of the power, about the rate: K places that
    have nothing to do with each other come to 1 / K.
    """
    near = np.abs(BPM - bpm) <= _WIDTH_BPM / 2.0
    places = found.first.shape[1]
    together = (np.abs(found.first[near].mean(axis=1)) ** 2).sum()
    apart = (np.abs(found.first[near]) ** 2).mean(axis=1).sum()
    by_chance = 1.0 / float(places)
    share = float(together / max(float(apart), 1e-30))
    return max(0.0, float((share - by_chance) / (1.0 - by_chance)))
