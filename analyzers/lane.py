"""A lane: analyzers that read each other's results, run in order on the same frame.

Pure and synchronous: the worker that owns the lanes decides which thread runs
which. Lanes share nothing, so a slow one slows no other.
"""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, cast

from analyzers.base_model import BaseModel
from analyzers.encode import UnencodableResult, encode
from analyzers.faults import FaultLog, describe
from analyzers.going_on import is_missed, keeps_state, restored, saved
from analyzers.ordering import ChainError, closure, is_consecutive
from analyzers.signatures import AdaptedCall, adapted_calls

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

logger = logging.getLogger(__name__)

Fragments = dict[str, bytes]
"""Results as JSON, key by key."""

# An analyzer that goes on with what another process knew, and fails so soon, begins anew.
DOUBTED_FRAMES = 50

_NO_OPTIONS: Mapping[str, dict[str, Any]] = MappingProxyType({})

# What numpy and OpenCV say when someone draws on a read-only array.
_READ_ONLY_MARKS = ("read-only", "readonly")


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that went wrong in one analyzer, in words for the client.

    Attributes
    ----------
    analyzer : str
        Its name.
    phase : str
        ``start``, ``frame``, ``draw``, ``configure``, ``end``; ``encode`` for a result
        that was sent, but not as it was returned.
    message : str
        One line; no stack trace.
    """

    analyzer: str
    phase: str
    message: str


@dataclass(frozen=True, slots=True)
class LaneReport:
    """What came of one call of a lane.

    Attributes
    ----------
    fragments : dict of str to dict of str to bytes
        By analyzer: the JSON of each key that it produced. An analyzer that
        had nothing to say is left out.
    timings_ms : dict of str to float
        By analyzer: how long its own method took.
    problems : tuple of Problem
        What went wrong.
    states : dict of str to bytes
        By analyzer: what it remembers of a session that goes on elsewhere.
    anew : tuple of str
        Analyzers with events whose memory of the session is lost.
    """

    fragments: dict[str, Fragments] = field(default_factory=dict)
    timings_ms: dict[str, float] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    states: dict[str, bytes] = field(default_factory=dict)
    anew: tuple[str, ...] = ()


@dataclass(slots=True)
class _LaneSession:
    """What a lane remembers of a session."""

    faults: FaultLog
    analyzers: list[BaseModel] = field(default_factory=list)
    told: set[Problem] = field(default_factory=set)
    """Encoding problems come back on every frame, and are told once."""
    options: Mapping[str, dict[str, Any]] = field(default_factory=dict)
    doubted: dict[str, int] = field(default_factory=dict)
    """Those that go on with what another process knew, for so many more frames."""


class Lane:
    """Analyzers that depend on each other, run in order on the same frame.

    Not safe for several threads at once: a lane belongs to one.

    Parameters
    ----------
    analyzers : sequence of BaseModel
        Requirements before what requires them; see `arrange`.

    Raises
    ------
    SignatureError
        When a method of one of them cannot be called.
    """

    def __init__(self, analyzers: Sequence[BaseModel]) -> None:
        self.analyzers = tuple(analyzers)
        self.name = "+".join(analyzer.name for analyzer in analyzers)
        self.is_consecutive = any(is_consecutive(analyzer) for analyzer in analyzers)
        """Whether it is to see every frame."""
        self._calls = {analyzer.name: adapted_calls(analyzer) for analyzer in analyzers}
        self._sessions: dict[str, _LaneSession] = {}

    def start(
        self,
        sid: str,
        timestamp_ms: float,
        names: Collection[str],
        options: Mapping[str, dict[str, Any]] = _NO_OPTIONS,
        states: Mapping[str, bytes] | None = None,
    ) -> LaneReport:
        """Start a session on those analyzers of the lane that it wants.

        Parameters
        ----------
        sid : str
            The session.
        timestamp_ms : float
            Milliseconds since the session's first frame.
        names : collection of str
            The analyzers that the session wants, of this lane or not. Their
            requirements in this lane are added.
        options : mapping of str to dict
            The session's options by analyzer.
        states : mapping of str to bytes, optional
            What analyzers remembered of the session in another process, which
            it goes on from; None for a session that is new.

        Returns
        -------
        LaneReport
            An analyzer that raised gets no frames of this session, nor its end.

        Raises
        ------
        ChainError
            When the session has been started already.
        """
        if sid in self._sessions:
            raise ChainError(f"session {sid} is already started in lane {self.name}")
        session = self._sessions[sid] = _LaneSession(FaultLog(sid), options=options)
        wanted = closure(
            (name for name in names if name in self._calls), self.analyzers, elsewhere=True
        )
        run = _Run("start", session)
        for analyzer in self.analyzers:
            if analyzer.name not in wanted:
                continue
            begun = self._begin(run, analyzer, sid, timestamp_ms)
            if begun and states is not None and keeps_state(analyzer):
                if restored(analyzer, sid, states.get(analyzer.name)):
                    session.doubted[analyzer.name] = DOUBTED_FRAMES
                else:
                    # Half of what was known is worse than nothing.
                    begun = self._begin_anew(run, analyzer, sid, timestamp_ms)
            if begun:
                session.analyzers.append(analyzer)
        return run.report()

    def _begin(self, run: _Run, analyzer: BaseModel, sid: str, timestamp_ms: float) -> bool:
        return run.tell(
            analyzer,
            self._calls[analyzer.name]["start"],
            sid=sid,
            timestamp=timestamp_ms,
            options=dict(run.session.options.get(analyzer.name, {})),
        )

    def _begin_anew(self, run: _Run, analyzer: BaseModel, sid: str, timestamp_ms: float) -> bool:
        """Start a session once more on an analyzer, which is to forget what it has of it."""
        run.begins_anew(analyzer)
        with contextlib.suppress(Exception):
            self._calls[analyzer.name]["end"](sid=sid, timestamp=timestamp_ms)
        return self._begin(run, analyzer, sid, timestamp_ms)

    def frame(
        self,
        sid: str,
        rgb: NDArray[np.uint8],
        timestamp_ms: float,
        known: Mapping[str, dict[str, Any]] = _NO_OPTIONS,
    ) -> LaneReport:
        """Run the session's analyzers on one frame.

        Parameters
        ----------
        sid : str
            The session. One that is not started gets an empty report.
        rgb : ndarray, shape (H, W, 3), uint8
            RGB. The analyzers get a read-only view, which they may keep, so
            the caller gives the array away: it must not write into it again.
        timestamp_ms : float
            Milliseconds since the session's first frame.
        known : mapping of str to dict
            What analyzers of other lanes said that these may read.
        """
        session = self._sessions.get(sid)
        if session is None:
            return LaneReport()
        frame = rgb.view()
        frame.setflags(write=False)
        run = _Run("frame", session)
        results = dict(known)
        for analyzer in session.analyzers:
            offered = {"frame": frame, "timestamp": timestamp_ms, "results": dict(results)}
            ask = partial(
                run.ask, analyzer, self._calls[analyzer.name]["frame"], sid=sid, **offered
            )
            result = ask()
            if analyzer.name in session.doubted and self._is_broken(
                run, analyzer, sid, timestamp_ms
            ):
                result = ask()
            if result is not None:
                results[analyzer.name] = result
        return run.report()

    def _is_broken(self, run: _Run, analyzer: BaseModel, sid: str, timestamp_ms: float) -> bool:
        """See whether an analyzer fails over what it was given to go on with, and begin anew."""
        doubted, name = run.session.doubted, analyzer.name
        if not run.take_back(analyzer):
            doubted[name] -= 1
            if not doubted[name]:
                del doubted[name]
            return False
        del doubted[name]
        logger.warning("Session %s: %s can not go on with what it was given", sid, name)
        return self._begin_anew(run, analyzer, sid, timestamp_ms)

    def configure(self, sid: str, options: Mapping[str, dict[str, Any]]) -> LaneReport:
        """Hand changed options to the session's analyzers that have any.

        Parameters
        ----------
        sid : str
            The session. One that is not started gets an empty report.
        options : mapping of str to dict
            The changed options by analyzer; names of other lanes are ignored.
        """
        session = self._sessions.get(sid)
        if session is None:
            return LaneReport()
        run = _Run("configure", session)
        for analyzer in session.analyzers:
            if analyzer.name in options:
                call = self._calls[analyzer.name]["configure"]
                run.tell(analyzer, call, sid=sid, options=dict(options[analyzer.name]))
        return run.report()

    def end(self, sid: str, timestamp_ms: float, *, moves: bool = False) -> LaneReport:
        """End the session on every analyzer that it was started on, and forget it.

        Parameters
        ----------
        sid : str
            The session. One that is not started gets an empty report.
        timestamp_ms : float
            Milliseconds since the session's first frame.
        moves : bool
            Whether it goes on in another process, which is to know what is remembered of it.
        """
        session = self._sessions.pop(sid, None)
        if session is None:
            return LaneReport()
        run = _Run("end", session)
        for analyzer in filter(keeps_state, session.analyzers) if moves else ():
            state = saved(analyzer, sid)
            if state is None:
                run.begins_anew(analyzer)
            else:
                run.states[analyzer.name] = state
        for analyzer in session.analyzers:
            call = self._calls[analyzer.name]["end"]
            run.ask(analyzer, call, sid=sid, timestamp=timestamp_ms)
        return run.report()


class _Run:
    """One call of a lane: calls each analyzer's method and collects what comes of it."""

    def __init__(self, phase: str, session: _LaneSession) -> None:
        self._phase = phase
        self.session = session
        self.states: dict[str, bytes] = {}
        self._anew: list[str] = []
        self._fragments: dict[str, Fragments] = {}
        self._timings_ms: dict[str, float] = {}
        self._problems: list[Problem] = []

    def tell(self, analyzer: BaseModel, method: AdaptedCall, **offered: Any) -> bool:
        """Call a method that answers nothing; say whether it came back without an exception."""
        try:
            self._timed(analyzer, method, offered)
        except Exception as error:
            self._fail(analyzer, error)
            return False
        return True

    def ask(
        self, analyzer: BaseModel, method: AdaptedCall, **offered: Any
    ) -> dict[str, Any] | None:
        """Call a method and encode its answer; None when there is no usable one."""
        try:
            result = self._timed(analyzer, method, offered)
            if result is None:
                return None
            encoded = encode(result)
        except Exception as error:
            self._fail(analyzer, error)
            return None
        self._fragments[analyzer.name] = encoded.fragments
        self._tell_once(Problem(analyzer.name, "encode", text) for text in encoded.problems)
        return cast(dict[str, Any], result)

    def report(self) -> LaneReport:
        return LaneReport(
            *(self._fragments, self._timings_ms, tuple(self._problems)),
            *(self.states, tuple(self._anew)),
        )

    def begins_anew(self, analyzer: BaseModel) -> None:
        """Note that what an analyzer knew of the session is lost."""
        if is_missed(analyzer):
            self._anew.append(analyzer.name)

    def take_back(self, analyzer: BaseModel) -> bool:
        """Forget that an analyzer failed, if it did."""
        failed = [
            each
            for each in self._problems
            if each.analyzer == analyzer.name and each.phase == self._phase
        ]
        for each in failed:
            self._problems.remove(each)
        return bool(failed)

    def _timed(self, analyzer: BaseModel, method: AdaptedCall, offered: dict[str, Any]) -> Any:
        began = time.perf_counter()
        try:
            return method(**offered)
        finally:
            self._timings_ms[analyzer.name] = (time.perf_counter() - began) * 1000

    def _tell_once(self, problems: Iterable[Problem]) -> None:
        for problem in problems:
            if problem not in self.session.told:
                self.session.told.add(problem)
                self._problems.append(problem)

    def _fail(self, analyzer: BaseModel, error: Exception) -> None:
        self._problems.append(Problem(analyzer.name, self._phase, _explain(error)))
        self.session.faults.log(analyzer.name, self._phase, error)


def _explain(error: Exception) -> str:
    if isinstance(error, UnencodableResult):
        return str(error)
    text = describe(error)
    if any(mark in text for mark in _READ_ONLY_MARKS):
        text += " (the frame is shared by all analyzers and read-only: write on frame.copy())"
    return text
