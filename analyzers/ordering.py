"""Which analyzers belong together, and in which order they run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from analyzers.base_model import BaseModel


class ChainError(ValueError):
    """Analyzers that cannot be put in order, or a session that is started twice."""


def closure(
    names: Iterable[str], analyzers: Sequence[BaseModel], *, elsewhere: bool = False
) -> tuple[str, ...]:
    """Add to some analyzers everything that they require.

    Parameters
    ----------
    names : iterable of str
        The analyzers asked for.
    analyzers : sequence of BaseModel
        All there are.
    elsewhere : bool
        Whether a requirement may be in another group; it is passed over here.

    Returns
    -------
    tuple of str
        Names in the order of `analyzers`.

    Raises
    ------
    ChainError
        When a name is not among `analyzers`.
    """
    by_name = {analyzer.name: analyzer for analyzer in analyzers}
    needed: set[str] = set()
    open_names = list(names)
    while open_names:
        name = open_names.pop()
        if name in needed:
            continue
        if name not in by_name:
            raise ChainError(f"unknown analyzer {name!r}; there are {', '.join(by_name)}")
        needed.add(name)
        requires = by_name[name].requires
        open_names.extend(r for r in requires if not elsewhere or r in by_name)
    return tuple(name for name in by_name if name in needed)


def is_consecutive(analyzer: BaseModel) -> bool:
    """Say whether an analyzer is to see every frame."""
    # An older one may have something else by this name.
    return getattr(type(analyzer), "consecutive", False) is True


def read_elsewhere(members: Sequence[BaseModel], analyzers: Sequence[BaseModel]) -> tuple[str, ...]:
    """Name what some analyzers of one group read that runs in other groups."""
    there = {analyzer.name for analyzer in analyzers} - {member.name for member in members}
    read = [name for member in members for name in (*member.requires, *member.after)]
    return tuple(dict.fromkeys(name for name in read if name in there))


def group(analyzers: Sequence[BaseModel]) -> list[list[BaseModel]]:
    """Split analyzers into groups that read each other's results, each in running order.

    What one requires, or comes after, runs before it; otherwise the order is
    that of the list, as is the order of the groups. Those that see every frame
    are in groups of their own, whatever they read.

    Raises
    ------
    ChainError
        When a name is there twice, a requirement is missing, they go round
        in a circle, or one that does not see every frame reads one that does.
    """
    by_name = _by_name(analyzers)
    return [_in_order(members) for members in _components(by_name)]


def _by_name(analyzers: Sequence[BaseModel]) -> dict[str, BaseModel]:
    for name, count in Counter(analyzer.name for analyzer in analyzers).items():
        if count > 1:
            raise ChainError(f"{count} analyzers are called {name!r}")
    by_name = {analyzer.name: analyzer for analyzer in analyzers}
    for analyzer in analyzers:
        for required in analyzer.requires:
            if required not in by_name:
                raise ChainError(
                    f"analyzer {analyzer.name!r} requires {required!r}, which is not in the list"
                )
        for read in (*analyzer.requires, *analyzer.after):
            other = by_name.get(read)
            if other and is_consecutive(other) and not is_consecutive(analyzer):
                raise ChainError(
                    f"analyzer {analyzer.name!r} reads {read!r}, which sees every frame and may be"
                    " late: only one with consecutive = True can read it"
                )
    return by_name


def _components(by_name: Mapping[str, BaseModel]) -> list[list[BaseModel]]:
    """Find the connected components, who reads whom taken as undirected edges."""
    neighbours = {name: _read_by(analyzer, by_name) for name, analyzer in by_name.items()}
    for name, analyzer in by_name.items():
        for read in _read_by(analyzer, by_name):
            neighbours[read].add(name)
    components: list[list[BaseModel]] = []
    seen: set[str] = set()
    for name in by_name:
        if name in seen:
            continue
        members = {name}
        frontier = [name]
        while frontier:
            found = neighbours[frontier.pop()] - members
            members |= found
            frontier.extend(found)
        seen |= members
        components.append([analyzer for other, analyzer in by_name.items() if other in members])
    return components


def _read_by(analyzer: BaseModel, by_name: Mapping[str, BaseModel]) -> set[str]:
    """Return what an analyzer reads of what there is and goes by the same frames."""
    there = (name for name in (*analyzer.requires, *analyzer.after) if name in by_name)
    own = is_consecutive(analyzer)
    return {name for name in there if is_consecutive(by_name[name]) is own}


def _in_order(members: Sequence[BaseModel]) -> list[BaseModel]:
    by_name = {analyzer.name: analyzer for analyzer in members}
    ordered: list[BaseModel] = []
    done: set[str] = set()
    waiting = list(members)
    while waiting:
        ready = next((a for a in waiting if done.issuperset(_read_by(a, by_name))), None)
        if ready is None:
            circle = ", ".join(repr(analyzer.name) for analyzer in waiting)
            raise ChainError(f"requirements go round in a circle among {circle}")
        ordered.append(ready)
        done.add(ready.name)
        waiting.remove(ready)
    return ordered
