"""What a client hands to whoever uses it."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Result(Mapping[str, Any]):
    """What the server's analyzers say of one frame, or in the end of the session.

    A mapping of all that was sent: ``result["landmarks"]``, ``result.get("reps")``; see
    docs/protocol.md.

    Attributes
    ----------
    sent
        The same as a dict.
    latency_ms
        From the frame's arrival at the server to the result's arrival here; NaN until clocks have
        been compared, and in the final result.
    """

    sent: dict[str, Any]
    latency_ms: float = math.nan

    def __getitem__(self, key: str) -> Any:
        return self.sent[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self.sent)

    def __len__(self) -> int:
        return len(self.sent)

    @property
    def is_final(self) -> bool:
        """Whether it is of the whole session."""
        return bool(self.sent.get("final"))

    @property
    def number(self) -> int | None:
        """The frame's number in its session, from 1; None where there was no frame."""
        frame = self.sent.get("frame")
        return int(frame["number"]) if frame else None

    @property
    def pts_ms(self) -> float:
        """The frame's own time, milliseconds since the session's first; NaN without a frame."""
        frame = self.sent.get("frame")
        return float(frame["pts"]) if frame else math.nan

    @property
    def dropped(self) -> int:
        """Frames of the session that were skipped so far."""
        return int(self.sent.get("dropped") or 0)


EventType = Literal["state", "notice", "repetition"]


@dataclass(frozen=True, slots=True)
class Event:
    """Something that is no result.

    Attributes
    ----------
    type
        "state": `code` is "connecting", "live", "reconnecting" (`detail`: "in_s", "problem"),
        "new_session" (the one before could not be continued) or "ended". "notice": something that
        the server says, `code` its type, such as "analyzer_error", and `detail` all of it.
        "repetition": `code` is the exercise, `detail` the repetition; each once.
    """

    type: EventType
    code: str
    detail: Mapping[str, Any] = field(default_factory=dict)
