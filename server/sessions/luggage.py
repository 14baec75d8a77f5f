"""What a session takes along to another node, beside what the book of sessions has of it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Annotated, Any

import cbor2
from pydantic import Field, TypeAdapter

from server.workers.messages import Memory

# Each analyzer may have a mebibyte.
MAX_LUGGAGE_BYTES = 8 << 20
Count = Annotated[int, Field(ge=0)]


@dataclass(frozen=True, slots=True)
class Luggage:
    """One session's.

    Attributes
    ----------
    frames, analyzed, unreadable
        How many there were.
    elapsed_s
        Since its first frame; 0 before that.
    restarts
        How often its worker was replaced.
    health
        What a camera that feeds it has last said of itself.
    notes
        What the client said.
    memory
        What its worker knew.
    every_frame
        Of analyzers that see every frame: what `EveryFrame.counts` says.
    training
        What is kept of it as a training, if trainings are kept.
    """

    frames: Count
    analyzed: Count
    unreadable: Count
    elapsed_s: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    restarts: Count
    health: dict[str, Any] | None
    notes: list[dict[str, Any]]
    memory: Memory
    every_frame: dict[str, tuple[Count, Count]] = field(default_factory=dict)
    training: dict[str, Any] | None = None

    def write(self) -> bytes:
        """As bytes; no more than `MAX_LUGGAGE_BYTES`, without what analyzers knew if need be."""
        whole: bytes = cbor2.dumps(asdict(self))
        if len(whole) <= MAX_LUGGAGE_BYTES:
            return whole
        lost = Memory(lost=(*self.memory.lost, *self.memory.states))
        less: bytes = cbor2.dumps({**asdict(self), "memory": asdict(lost)})
        return less

    @classmethod
    def read(cls, data: bytes) -> Luggage:
        """What `write` wrote; what a newer version adds is passed over.

        Raises
        ------
        ValueError
            It is something else: of another version perhaps.
        """
        try:
            return _LUGGAGE.validate_python(cbor2.loads(data))
        except (cbor2.CBORDecodeError, ValueError, TypeError) as error:
            raise ValueError(f"no luggage: {type(error).__name__}: {error}") from error


_LUGGAGE = TypeAdapter(Luggage)
