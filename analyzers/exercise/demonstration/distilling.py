"""Makes a definition of what was shown."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from analyzers.exercise.demonstration.definition import JointPath, ShownExercise, SignalRange
from analyzers.exercise.demonstration.learner import Seen
from analyzers.exercise.demonstration.motion import ANGLES, NUMBER, SIGNALS, angles_seen
from analyzers.exercise.demonstration.path import apart_deg, path_of, warped
from analyzers.exercise.demonstration.regularity import Span

Floats = NDArray[np.float64]

# Heights that tell which way a body goes first.
_HEIGHTS = [NUMBER[name] for name in ("nose_high", "hips_high", "wrists_high")]


def distilled(seen: Seen, name: str) -> ShownExercise:
    """Return the definition of what was shown; of the same landmarks always the same.

    Parameters
    ----------
    seen : Seen
        What a `Learner` found.
    name : str
        What it is to be called.
    """
    spans = seen.signals[0][1].spans
    times_s = np.array(seen.times_s)
    angles_deg = np.array([moment.angles_deg for moment in seen.moments])
    values = np.array([moment.values for moment in seen.moments])
    first, last = np.searchsorted(times_s, (spans[0].start_s, spans[-1].end_s))
    seen_well = angles_seen(np.array([m.seen for m in seen.moments[first : last + 1]]))
    weights = seen_well.mean(axis=0).clip(0.02, 1.0)
    paths = np.array([path_of(times_s, angles_deg, span) for span in spans])
    shown = _typical(paths, weights)
    spread = np.max([np.abs(warped(path, shown, weights)).mean(axis=0) for path in paths], axis=0)
    out_s = float(np.median([span.turn_s - span.start_s for span in spans]))
    back_s = float(np.median([span.end_s - span.turn_s for span in spans]))
    return ShownExercise(
        name,
        len(spans),
        "up" if _rises(times_s, values, spans) else "down",
        round(out_s, 2),
        round(back_s, 2),
        tuple(
            SignalRange(SIGNALS[signal].name, round(each.rest, 3), round(each.turn, 3))
            for signal, each in seen.signals
        ),
        tuple(
            JointPath(
                joint,
                round(float(weights[number]), 2),
                round(float(spread[number]), 1),
                tuple(round(float(angle), 1) for angle in shown[:, number]),
            )
            for number, joint in enumerate(ANGLES)
        ),
    )


def _typical(paths: Floats, weights: Floats) -> Floats:
    """Return the mean way, without one of three or more that is unlike the others."""
    mean: Floats = paths.mean(axis=0)
    if len(paths) < 3:
        return mean
    apart = np.array([apart_deg(path, mean, weights) for path in paths])
    kept: Floats = paths[apart <= 2.0 * np.median(apart)].mean(axis=0)
    return kept


def _rises(times_s: Floats, values: Floats, spans: tuple[Span, ...]) -> bool:
    rests, turns = (
        values[np.searchsorted(times_s, at_s)][:, _HEIGHTS].mean(axis=0)
        for at_s in ([span.start_s for span in spans], [span.turn_s for span in spans])
    )
    change = turns - rests
    return bool(change[np.abs(change).argmax()] > 0.0)
