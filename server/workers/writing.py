"""In which forms a session's results are wanted, and what was written in them already."""

from __future__ import annotations

from analyzers.compact import Form, compact
from analyzers.lane import Fragments, LaneReport


class Writing:
    """Writes values in the forms that somebody wants, and the same value once."""

    def __init__(self) -> None:
        self.forms: frozenset[Form] = frozenset({Form.JSON})
        self._written: dict[str, tuple[bytes, bytes]] = {}

    def prepare(self, report: LaneReport) -> LaneReport:
        """Write what a lane reports.

        Called on the lane's own thread, so that `compact` finds all written while the others wait
        for it. Lanes may do so at once: each key is looked up and set in one step.
        """
        if Form.CBOR in self.forms:
            for fragments in report.fragments.values():
                self._compact(fragments)
        return report

    def json(self, fragments: Fragments) -> Fragments | None:
        """The values as JSON, if that is wanted."""
        return fragments if Form.JSON in self.forms else None

    def compact(self, fragments: Fragments) -> Fragments | None:
        """The values as CBOR, if that is wanted."""
        return self._compact(fragments) if Form.CBOR in self.forms else None

    def _compact(self, fragments: Fragments) -> Fragments:
        return {key: self._written_once(key, value) for key, value in fragments.items()}

    def _written_once(self, key: str, value: bytes) -> bytes:
        before = self._written.get(key)
        if before is not None and before[0] == value:
            return before[1]
        written = compact(value)
        self._written[key] = (value, written)
        return written
