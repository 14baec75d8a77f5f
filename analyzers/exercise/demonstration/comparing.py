"""Scores a repetition against what was shown, and names where it differs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analyzers.exercise.demonstration.definition import ShownExercise
from analyzers.exercise.demonstration.motion import ANGLES, TRUNK
from analyzers.exercise.demonstration.path import HALF, warped
from analyzers.exercise.demonstration.regularity import Span

Floats = NDArray[np.float64]

# A joint's range differs when it does by so many degrees, and by so many spreads of what was shown:
# BlazePose's angles are off by three degrees from the side and by ten from in front.
_RANGE_DEG, _RANGE_SPREADS = 12.0, 2.5
# So far off its way on average is a fault of alignment; the first costs nothing in the score, the
# second everything.
_OFF_DEG = 22.0
_NEAR_DEG, _FAR_DEG = 6.0, 45.0
# Out of these times what was shown, a way is too fast or too slow.
_FAST, _SLOW = 0.6, 1.8
# A range of less than this part of the shown one is a fault; the second costs all of the depth.
_SHORT, _SHORTEST = 0.8, 0.4
# The first costs nothing, the second everything, in degrees that the sides differ more than shown.
_EVEN_DEG, _UNEVEN_DEG = 8.0, 40.0
# Landmarks of less visibility are guesses: nothing is said of them.
_SEEN = 0.5
# Joints that move by less in what was shown are held still.
_STILL_DEG = 15.0
CODES = (
    "shown_too_short",
    *(f"shown_{verb}_{word}" for verb in ("opens", "bends") for word in ("less", "more")),
    *("shown_way_out", "shown_way_back", "shown_faster", "shown_slower"),
)
"""The code of each difference that is told."""
# So many are told of one repetition: who hears more does nothing of it.
_MOST = 3


@dataclass(frozen=True, slots=True)
class Difference:
    """Something that was done otherwise than shown.

    Attributes
    ----------
    code : str
        Stable, for translation.
    text : str
        What differs, in English.
    joint : str
        Which joint, as `left_elbow`; empty if it is none.
    degrees : int
        By how much; 0 where it is no angle.
    part : str
        Which part of the score suffers.
    """

    code: str
    text: str
    joint: str = ""
    degrees: int = 0
    part: str = "alignment"


@dataclass(frozen=True, slots=True)
class Compared:
    """What a comparison says: parts of the score, 0 to 100, and what differs."""

    parts: dict[str, float]
    differences: tuple[Difference, ...]


def compared(
    exercise: ShownExercise, path: Floats, seen: Floats, span: Span, far: float, way: float
) -> Compared:
    """Compare a repetition with what was shown.

    Parameters
    ----------
    exercise : ShownExercise
        What was shown.
    path : ndarray, shape (POINTS, joints)
        The repetition's way, degrees.
    seen : ndarray, shape (joints,)
        How well each joint was seen, 0 to 1.
    span : Span
        When it was.
    far : float
        How far it went, in parts of what was shown.
    way : float
        How far its signal went in all, in parts of there and back: 1 is straight.
    """
    shown = np.array([joint.path_deg for joint in exercise.joints]).T
    weights = np.array([joint.weight for joint in exercise.joints]) * seen
    told = (np.array([joint.weight for joint in exercise.joints]) >= _SEEN) & (seen >= _SEEN)
    off = np.abs(warped(path, shown, weights)).mean(axis=0)
    total = max(float(weights.sum()), 1e-9)
    out, back = (
        taken / max(asked, 0.1)
        for taken, asked in (
            (span.turn_s - span.start_s, exercise.out_s),
            (span.end_s - span.turn_s, exercise.back_s),
        )
    )
    differences = [
        *_ranges(exercise, path, shown, told),
        *_ways(path, shown, off, told),
        *_tempos(out, back),
    ]
    if far < _SHORT and not any(each.part == "depth" for each in differences):
        differences.insert(0, Difference("shown_too_short", "Move as far as shown", part="depth"))
    return Compared(
        {
            "depth": _percent(far, 0.95, _SHORTEST),
            "alignment": _percent(float((off * weights).sum()) / total, _NEAR_DEG, _FAR_DEG),
            "symmetry": _symmetry(path, shown, told),
            "tempo": 100.0 * min(1.0, out / _FAST, back / _FAST, _SLOW / out, _SLOW / back),
            "steadiness": _percent(way, 1.15, 2.2),
        },
        tuple(differences[:_MOST]),
    )


def _ranges(
    exercise: ShownExercise, path: Floats, shown: Floats, told: NDArray[np.bool_]
) -> Iterator[Difference]:
    """Yield where joints open or bend less or more than shown, the most first."""
    found = []
    for number, joint in enumerate(exercise.joints[:TRUNK]):
        if not told[number] or np.ptp(shown[:, number]) < _STILL_DEG:
            continue
        least = max(_RANGE_DEG, _RANGE_SPREADS * joint.spread_deg)
        ours, theirs = path[:, number], shown[:, number]
        for verb, more in (
            ("opens", ours.max() - theirs.max()),
            ("bends", theirs.min() - ours.min()),
        ):
            if abs(more) < least:
                continue
            word = "more" if more > 0 else "less"
            degrees = round(abs(float(more)))
            found.append(
                Difference(
                    f"shown_{verb}_{word}",
                    f"{_said(joint.name)} {verb} {degrees} degrees {word} than shown",
                    joint.name,
                    degrees,
                    "depth" if more < 0 else "alignment",
                )
            )
    # Too little is what most people can mend.
    return iter(sorted(found, key=lambda each: (each.part != "depth", -each.degrees)))


def _ways(
    path: Floats, shown: Floats, off: Floats, told: NDArray[np.bool_]
) -> Iterator[Difference]:
    """Yield the joint whose way is furthest from the shown one, if that is far."""
    off = np.where(told, off, 0.0)
    number = int(off.argmax())
    if off[number] < _OFF_DEG:
        return
    apart = np.abs(path[:, number] - shown[:, number])
    half = "out" if apart[:HALF].sum() >= apart[HALF:].sum() else "back"
    degrees = round(float(off[number]))
    words = {"out": "on the way out", "back": "on the way back"}[half]
    yield Difference(
        f"shown_way_{half}",
        f"{_said(ANGLES[number])} is {degrees} degrees off the way shown, {words}",
        ANGLES[number],
        degrees,
    )


def _tempos(out: float, back: float) -> Iterator[Difference]:
    if min(out, back) < _FAST:
        yield Difference("shown_faster", "Slower: it was shown with more time", part="tempo")
    elif max(out, back) > _SLOW:
        yield Difference("shown_slower", "Quicker: it was shown in less time", part="tempo")


def _symmetry(path: Floats, shown: Floats, told: NDArray[np.bool_]) -> float:
    """Return 100 where the sides differ as they did when it was shown."""
    both = told[0:TRUNK:2] & told[1:TRUNK:2]
    if not both.any():
        return 100.0
    ours, theirs = (way[:, 0:TRUNK:2] - way[:, 1:TRUNK:2] for way in (path, shown))
    uneven = np.abs(ours - theirs)
    return _percent(float(uneven.mean(axis=0)[both].max()), _EVEN_DEG, _UNEVEN_DEG)


def _percent(value: float, all_right: float, all_wrong: float) -> float:
    return 100.0 * min(1.0, max(0.0, (value - all_wrong) / (all_right - all_wrong)))


def _said(joint: str) -> str:
    return joint.replace("_", " ").capitalize()
