"""What the clips of a source are counted as when they were not there to choose anything on."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from typing import Any

from analyzers.exercise.sureness import CHOSEN, Judgement
from bench.parts.exercise_clips import Clip, Landmarks, figures_of, summary_of

Figures = dict[str, Any]

# Among these one is chosen: how much the conditions weigh, and how sure a repetition has to be.
_WEIGH = (0.5, 0.65)
_SURE = ((0.4, 0.5), (0.45, 0.55))


def judgements() -> list[Judgement]:
    """Return those among which one is chosen, what is shipped first."""
    others = (
        replace(CHOSEN, conditions_weigh=weigh, sure=sure, sure_by_phase=by_phase)
        for weigh, (sure, by_phase) in product(_WEIGH, _SURE)
    )
    return [CHOSEN, *(each for each in others if each != CHOSEN)]


def merit(figures: Sequence[Figures]) -> float:
    """Return how good the counts and the recognition of some clips are: the higher the better."""
    summary = summary_of(list(figures))
    wrong = sum(each["wrong"] > 0 for each in figures) / max(len(figures), 1)
    return summary["exact"] + summary["off_by_one"] + summary["recognised"] - wrong


def left_out(
    clips: Sequence[tuple[Clip, Landmarks]], shipped: list[Figures]
) -> dict[str, list[Figures]]:
    """Return by source how its clips are judged with what is best on the other sources'."""
    tried = (
        [figures_of(clip, seen, judgement) for clip, seen in clips]
        for judgement in judgements()[1:]
    )
    every = [shipped, *tried]
    out: dict[str, list[Figures]] = {}
    for source in sorted({clip.source for clip, _ in clips}):
        best = max(every, key=lambda all_: merit([e for e in all_ if e["source"] != source]))
        out[source] = [each for each in best if each["source"] == source]
    return out
