"""What a session takes along to another node, beside what the book of sessions has of it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

import cbor2

from server.workers.messages import Memory

# Each analyzer may have a mebibyte.
MAX_LUGGAGE_BYTES = 8 << 20


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
    """

    frames: int
    analyzed: int
    unreadable: int
    elapsed_s: float
    restarts: int
    health: dict[str, Any] | None
    notes: list[dict[str, Any]]
    memory: Memory
    every_frame: dict[str, list[int]] = field(default_factory=dict)

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
        """What `write` wrote.

        Raises
        ------
        ValueError
            It is something else: of another version perhaps.
        """
        try:
            told = cbor2.loads(data)
            memory = told.pop("memory")
            lost = tuple(memory.pop("lost"))
            return cls(**told, memory=Memory(**memory, lost=lost))
        except (cbor2.CBORDecodeError, TypeError, KeyError, AttributeError) as error:
            raise ValueError(f"no luggage: {type(error).__name__}: {error}") from error
