"""One person's heart and breath over time: what is told of them, or why nothing is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from analyzers.vitals import sureness
from analyzers.vitals.breathing import LONGEST_S, SHORTEST_S, breathing
from analyzers.vitals.evidence import Evidence, Stretch, curve
from analyzers.vitals.face_tracker import is_turned_away
from analyzers.vitals.history import Moment, StillTime
from analyzers.vitals.rate_track import RateTrack
from analyzers.vitals.reasons import Reason
from analyzers.vitals.resampling import frame_rate

# Eight beats at 75; what is shorter does not tell 60 from 67.
FIRST_S, WINDOW_S = 7.0, 12.0
# So often it is looked at, and less often once there is a number: looks are a third of the cost.
_EVERY_S, _EVERY_TOLD_S = 0.9, 1.2
# Breathing is slower, and looked at with every second look.
_BREATH_EVERY_S = 1.7
# So many times in a row it has to be sure before the first number.
_FIRST_TIMES = 3
# Moved, or no frames, within so long: that is why there is nothing.
_LATELY_S = 4.0
_MIN_FPS = 14.0
_MIN_WIDTH_PX = 60.0
_DARK, _CLIPPED = 45.0, 0.25
_SAME_BPM = 4.0
# Of the last seconds, for a curve.
CURVE_S = 6.0


@dataclass(frozen=True, slots=True)
class Told:
    """What is said of one person.

    Attributes
    ----------
    heart_rate_bpm : float or None
        Beats a minute; None with a `reason`.
    confidence : float
        That it is within 5 of the true one, 0..1.
    reason : Reason or None
        Why there is none.
    respiration_per_min : float or None
        Breaths a minute.
    signal : ndarray or None
        The pulse of the last `CURVE_S`, -1..1, at `RATE_HZ`.
    """

    heart_rate_bpm: float | None
    confidence: float
    reason: Reason | None
    respiration_per_min: float | None = None
    signal: Any = None


class PersonPulse:
    """Measures one person."""

    def __init__(self) -> None:
        self._still = StillTime()
        self._track = RateTrack()
        self._told = Told(None, 0.0, Reason.NO_FACE)
        self._looked_s = self._breath_s = float("-inf")
        self._sure = 0

    def nobody(self) -> Told:
        """The face is not there."""
        self._still.forget()
        return self._nothing(Reason.NO_FACE)

    def see(self, moment: Moment) -> Told:
        """Take a frame; return what is known after it, which changes about once a second."""
        self._still.add(moment)
        every_s = _EVERY_S if self._told.heart_rate_bpm is None else _EVERY_TOLD_S
        if moment.time_s - self._looked_s < every_s:
            return self._told
        after_s = min(moment.time_s - self._looked_s, 5.0)
        self._looked_s = moment.time_s
        against = self._against(moment)
        if against is not None:
            return self._nothing(against)
        self._told = self._measure(moment.time_s, after_s)
        return self._told

    def _against(self, moment: Moment) -> Reason | None:
        """Return what makes looking for a pulse useless."""
        reading = moment.reading
        if reading.width_px < _MIN_WIDTH_PX:
            return Reason.TOO_SMALL
        if is_turned_away(reading):
            return Reason.TURNED_AWAY
        if float(reading.colors.mean()) < _DARK:
            return Reason.MORE_LIGHT
        if reading.clipped > _CLIPPED:
            return Reason.LESS_LIGHT
        recent_s = np.array([each.time_s for each in self._still.last(4.0)])
        if self._still.seconds > 2.0 and frame_rate(recent_s) < _MIN_FPS:
            return Reason.TOO_FEW_FRAMES
        if self._still.seconds < FIRST_S:
            return self._why_short(moment.time_s)
        return None

    def _why_short(self, now_s: float) -> Reason:
        """Return why there is not enough of still time yet."""
        if now_s - self._still.moved_s < _LATELY_S:
            return Reason.HOLD_STILL
        if now_s - self._still.paused_s < _LATELY_S:
            return Reason.TOO_FEW_FRAMES
        return Reason.MEASURING

    def _measure(self, now_s: float, after_s: float) -> Told:
        seconds = min(self._still.seconds, WINDOW_S)
        stretch = Stretch(self._still.last(seconds + 0.2), now_s, seconds)
        rate = self._track.follow(stretch.likely, after_s)
        # The track knows whole rates only; its fraction is where the spectrum has it.
        if abs(stretch.bpm - rate) <= _SAME_BPM:
            rate = stretch.bpm
        found = stretch.weigh(rate)
        sure = sureness.confidence(found)
        against = _caused_by(found)
        told = self._sure >= _FIRST_TIMES
        enough = sure >= (sureness.KEEP if told else sureness.TELL)
        enough = enough and not sureness.is_drift(rate, found)
        self._sure = self._sure + 1 if enough and against is None else 0
        breath = self._breath(now_s)
        shown = curve(found.wave, CURVE_S)
        if self._sure < _FIRST_TIMES:
            return Told(None, sure, against or self._unsure(), breath, shown)
        return Told(round(rate, 1), sure, None, breath, shown)

    def _unsure(self) -> Reason:
        """Return why a pulse is not seen, when nothing else is wrong."""
        if self._still.seconds < WINDOW_S + 2.0:
            return Reason.MEASURING
        # Sensors tremble; what is as still as a picture was made so by an encoder.
        return Reason.TOO_COMPRESSED if self._is_frozen() else Reason.NO_PULSE

    def _is_frozen(self) -> bool:
        green = np.array([each.reading.colors[:, 1] for each in self._still.last(WINDOW_S)])
        return bool((np.abs(np.diff(green, axis=0)) < 0.02).mean() > 0.3)

    def _breath(self, now_s: float) -> float | None:
        seconds = min(self._still.seconds, LONGEST_S)
        if seconds < SHORTEST_S:
            return None
        if now_s - self._breath_s < _BREATH_EVERY_S:
            return self._told.respiration_per_min
        self._breath_s = now_s
        found = breathing(self._still.last(seconds), now_s, seconds)
        return round(found.per_minute, 1) if found.is_sure else None

    def _nothing(self, reason: Reason) -> Told:
        self._sure = 0
        self._track.forget()
        self._told = Told(None, 0.0, reason)
        return self._told


def _caused_by(found: Evidence) -> Reason | None:
    if sureness.is_movement(found):
        return Reason.HOLD_STILL
    if sureness.is_light(found):
        return Reason.LIGHT_FLICKERS
    return None
