"""The chain of analyzers: lanes in the order that needs give, and their results merged.

    lanes = arrange([load(spec) for spec in find(["pose", "exercise", "my_models.thing:Thing"])])

Each lane is then driven by itself, with `start`, `frame`, `configure` and `end`;
a session merges what they report.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from analyzers.base_model import BaseModel
from analyzers.lane import Fragments, Lane
from analyzers.ordering import group


def arrange(analyzers: Sequence[BaseModel]) -> tuple[Lane, ...]:
    """Put analyzers into lanes.

    Parameters
    ----------
    analyzers : sequence of BaseModel
        In the order in which their results merge.

    Returns
    -------
    tuple of Lane
        One for each group of analyzers that read each other's results; in
        each, what is read comes first, otherwise the order is that of the list.

    Raises
    ------
    ChainError
        When two have the same name, a requirement is missing, or requirements
        go round in a circle.
    """
    return tuple(Lane(members) for members in group(analyzers))


class Merged:
    """What a session knows so far: the last result of each analyzer, as one object.

    On a key that several analyzers produce, the later one in the list wins. A
    key that is not produced this time keeps its last value, so that each
    message is complete although lanes run at different speeds.

    Parameters
    ----------
    order : sequence of str
        The session's analyzers in the order of the list; see `closure`.
    """

    def __init__(self, order: Sequence[str]) -> None:
        self._by_analyzer: dict[str, Fragments] = {name: {} for name in order}

    def update(self, fragments_by_analyzer: Mapping[str, Fragments]) -> None:
        """Take in what a lane reported.

        Raises
        ------
        KeyError
            When an analyzer is not in the session's order.
        """
        for name, fragments in fragments_by_analyzer.items():
            self._by_analyzer[name].update(fragments)

    def fragments(self) -> Fragments:
        """Return the JSON of every key known."""
        merged: Fragments = {}
        for fragments in self._by_analyzer.values():
            merged.update(fragments)
        return merged
