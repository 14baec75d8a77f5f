"""What a worker's dispatcher knows of one session, and of what its lanes are to do."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from analyzers.base_model import BaseModel
from analyzers.chain import Merged
from analyzers.lane import Fragments, Lane, LaneReport
from server.workers.lane_frame import LaneFrame
from server.workers.messages import Memory
from server.workers.newest_frame import NewestFrame
from server.workers.writing import Writing

# What analyzers said, for those that read it and may be late: 4 s of it at 30 frames a second.
_KEPT = 128
# What a key of an event says before there was one.
NOTHING = b"null"


@dataclass(slots=True, eq=False)
class LaneJob:
    """Something that lanes are to do for a session, each on its own thread."""

    sid: str
    run: Callable[[Lane], LaneReport]
    waiting: set[str]
    """Lanes that have not done it yet."""
    frame: LaneFrame | None = None
    """What is to be analyzed, if that is the job."""
    began_s: float = 0.0
    answered: bool = False
    """Whether a lane has said something of the frame."""


class LaneRunner(Protocol):
    """Something that runs a lane's jobs one after the other and tells when they are done."""

    lane: Lane
    outstanding: int

    def submit(self, job: LaneJob) -> None: ...


@dataclass(slots=True)
class AnalyzedSession:
    """One session."""

    sid: str
    lanes: list[LaneRunner]
    analyzers: list[BaseModel]
    """Those that it wants, in the order of the lanes: what reads others' results comes later."""
    merged: Merged
    newest: NewestFrame
    writing: Writing = field(default_factory=Writing)
    step: LaneJob | None = None
    """The frame that lanes work at in step."""
    taken: dict[str, int] = field(default_factory=dict)
    """Lane: number of the frame it was last given."""
    turns: dict[str, int] = field(default_factory=dict)
    """Slow lane: its turn when it last served this session."""
    seen: dict[str, int] = field(default_factory=dict)
    """Analyzer: number of the frame its values are of."""
    said: dict[str, Fragments] = field(default_factory=dict)
    """Analyzer: its last result. One that had nothing to say of its last frame is not in it."""
    served: int = 0
    sent: int = 0
    drawn: int | None = None
    """Number of the frame that was last given to be drawn; None while nobody watches."""
    is_shown: bool = False
    """Whether somebody watches its frames as they are."""
    ending: LaneJob | None = None
    """The last job."""
    earlier: dict[str, deque[tuple[int, Fragments | None]]] = field(default_factory=dict)
    """Analyzer that others read, which may be late: its last results, by number of the frame."""
    event_keys: tuple[str, ...] = field(init=False)
    told: dict[str, bytes] = field(default_factory=dict)
    """Key of an event: the value that was last sent."""
    timings_ms: dict[str, float] = field(default_factory=dict)
    """Analyzer: how long it took, of those that have finished since the last result."""
    saved: dict[str, bytes] = field(default_factory=dict)
    """Analyzer: what it remembers, when the session moves."""
    lost: tuple[str, ...] = ()
    """Analyzers that could not tell."""

    def __post_init__(self) -> None:
        self.event_keys = tuple(dict.fromkeys(_event_keys(self.analyzers)))

    def new_events(self, fragments: Fragments) -> tuple[str, ...]:
        """Keys of events that have another value than was last sent; what is given is sent now."""
        new = tuple(
            key
            for key in self.event_keys
            if fragments.get(key, NOTHING) != self.told.get(key, NOTHING)
        )
        self.told.update((key, fragments[key]) for key in new)
        return new

    def is_ahead_of(self, lane: str) -> bool:
        """Whether a frame has arrived that is newer than what a lane was last given."""
        frame = self.newest.frame
        newest = max(self.newest.arrived, frame.info.number if frame else 0)
        return newest > self.taken.get(lane, 0)

    @property
    def memory(self) -> Memory:
        """What another worker is to know."""
        return Memory(self.saved, self.told, self.lost)

    def remember(self, memory: Memory | None) -> dict[str, bytes] | None:
        """Go on from what another worker knew; returns what its analyzers did."""
        if memory is None:
            return None
        self.told.update(memory.told)
        return memory.states

    def take(self, report: LaneReport, number: int | None) -> None:
        """Take in what a lane reports, of a frame if it has a number."""
        if self.ending is not None:
            self.saved.update(report.states)
            self.lost += report.anew
        self.merged.update(report.fragments)
        self.timings_ms.update(report.timings_ms)
        if number is None:
            return
        for analyzer in report.timings_ms:
            self.said.pop(analyzer, None)
        for analyzer, fragments in report.fragments.items():
            self.said[analyzer] = fragments
            self.seen[analyzer] = number
        for analyzer in report.timings_ms.keys() & self.earlier.keys():
            self.earlier[analyzer].append((number, report.fragments.get(analyzer)))

    def keep_what_was_said(self, analyzers: Sequence[str]) -> None:
        """Keep the last results of some analyzers, for `said_before`."""
        for analyzer in analyzers:
            self.earlier.setdefault(analyzer, deque(maxlen=_KEPT))

    def said_before(self, analyzer: str, number: int) -> Fragments | None:
        """What an analyzer said last of a frame or those before, or else first after it."""
        kept = self.earlier[analyzer]
        before = next((said for seen, said in reversed(kept) if seen <= number), None)
        is_before = bool(kept) and kept[0][0] <= number
        return before if is_before or not kept else kept[0][1]


def _event_keys(analyzers: Sequence[BaseModel]) -> Iterator[str]:
    for analyzer in analyzers:
        # An older one may have something else by this name, most likely on itself.
        declared: object = type(analyzer).events
        if isinstance(declared, tuple):
            yield from (key for key in declared if isinstance(key, str))
