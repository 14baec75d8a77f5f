"""What the server and a worker say to each other, and how it is framed on their socket.

Both ends are ours and of one version, so a message is a pickled dataclass behind its length.
"""

from __future__ import annotations

import copyreg
import pickle
import struct
from dataclasses import dataclass, field, fields
from operator import attrgetter
from typing import Any

from analyzers.compact import Form
from analyzers.lane import Fragments, Problem
from server.workers.mailbox import FrameInfo

LENGTH = struct.Struct("<I")

MAX_LAG_S = 4.0
"""How long frames may wait for analyzers that see every one: what is made good after a stall."""


def pack(message: object) -> bytes:
    """The bytes that stand for a message."""
    body = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
    return LENGTH.pack(len(body)) + body


# ---- the server and what workers are forked from, each message in a datagram of its own

MAX_FORK_BYTES = 1 << 17
"""What is made room for; an analyzer's settings are the largest part."""


@dataclass(frozen=True, slots=True)
class Fork:
    """Fork a worker; its connection and its black box come along."""

    setup: str
    one_at_a_time_s: float


@dataclass(frozen=True, slots=True)
class Forked:
    """It is there."""

    pid: int


@dataclass(frozen=True, slots=True)
class Ended:
    """One has ended: its exit status, negative for a signal's number."""

    pid: int
    status: int


@dataclass(frozen=True, slots=True)
class Memory:
    """What a worker knows of a session that goes on in another one."""

    states: dict[str, bytes] = field(default_factory=dict)
    """By analyzer, of those that can tell."""
    told: dict[str, bytes] = field(default_factory=dict)
    """Key of an event: the value that was last sent."""
    lost: tuple[str, ...] = ()
    """Analyzers that a client has to know to begin anew."""


# ---- the server says


@dataclass(frozen=True, slots=True)
class Start:
    """Begin a session with these analyzers."""

    sid: str
    analyzers: tuple[str, ...]
    options: dict[str, dict[str, Any]]
    timestamp_ms: float
    memory: Memory | None = None
    """What another worker knew of it; None of a session that is new."""


@dataclass(frozen=True, slots=True)
class FrameAvailable:
    """There is a new frame in the session's mailbox."""

    sid: str
    mailbox: str


DECODING = "(decoding)"
"""What the decoding of videos is called where lanes are named; no analyzer can be."""

PICTURE = "picture"
"""The codec of what stands by itself: a JPEG or PNG."""


@dataclass(frozen=True, slots=True)
class EncodedInput:
    """A picture, or a video's next frame, as whoever sent it encoded it."""

    sid: str
    info: FrameInfo
    codec: str
    """`PICTURE`, or "VP8" or "H264" of a video's frame."""
    data: bytes
    """Nothing at a video's end: what its decoder holds back is shown then."""
    is_key_frame: bool = True
    is_damaged: bool = False
    """Whether it is to be decoded though something that it builds on may be missing."""
    is_wanted: bool = True
    """Whether analyzers are to see it: of a video, others build on one that they are not to."""
    layer: int = 0
    """Of a video with temporal layers, which one it is of: no lower one builds on it."""
    is_layer_sync: bool = False
    """Whether it builds on the lowest layer alone."""
    is_wanted_late: bool = True
    """Whether analyzers are to see it that see every frame, though it may be late for others."""


def is_of_video(message: object) -> bool:
    """Whether it is a frame that has to be decoded in its video's order."""
    return isinstance(message, EncodedInput) and message.codec != PICTURE


@dataclass(frozen=True, slots=True)
class Draw:
    """Show the session's frames in a mailbox of the worker's, or no longer."""

    sid: str
    wanted: bool
    annotated: bool
    """With what is found drawn in, or every frame as it is."""


@dataclass(frozen=True, slots=True)
class Shoot:
    """Make a small picture of what the session shows now; `Drawn` has it."""

    sid: str


@dataclass(frozen=True, slots=True)
class ChangeOptions:
    """The client changed analyzers' options."""

    sid: str
    options: dict[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Write:
    """Write results in these forms from now on; at first it is JSON."""

    sid: str
    forms: frozenset[Form]


@dataclass(frozen=True, slots=True)
class End:
    """End the session, answer with Final."""

    sid: str
    timestamp_ms: float
    moves: bool = False
    """Whether another worker is to know what is remembered of it."""


# ---- a worker says


@dataclass(frozen=True, slots=True)
class Ready:
    """The analyzers are loaded, but for those that can not run here."""

    names: dict[str, str]
    """What each is called, by the name it was asked for with."""
    unavailable: dict[str, str]
    """Why it can not run, by the name it was asked for with."""
    consecutive: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Those that see every frame, by the name they were asked for with, and what each requires."""


@dataclass(frozen=True, slots=True)
class Refused:
    """An analyzer that was asked for can not be loaded: a mistake in the command line."""

    message: str


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """Sent every second. ``busy`` is what each running lane is at: (lane, sid, seconds)."""

    busy: tuple[tuple[str, str, float], ...]


@dataclass(frozen=True, slots=True)
class Seen:
    """What an analyzer that sees every frame has seen since the worker began with the session."""

    number: int
    """Of the last frame; 0 before there was one."""
    count: int
    """How many."""
    lag_ms: float
    """From the last one's arrival until the analyzer was given it."""


@dataclass(frozen=True, slots=True)
class FrameResult:
    """One frame's merged result."""

    sid: str
    frame: FrameInfo
    fragments: Fragments | None
    """As JSON; None if nobody wants it."""
    timings_ms: dict[str, float]
    """Analyzers that have finished since the last result: how long each took."""
    held: dict[str, int]
    """Analyzers that did not see this frame: whose values are from the frame of this number."""
    taken_s: float
    finished_s: float
    compact: Fragments | None = None
    """As CBOR; None if nobody wants it."""
    events: tuple[str, ...] = ()
    """Keys whose every new value must arrive, and that have one."""
    seen: dict[str, Seen] = field(default_factory=dict)
    """By analyzer, of those that see every frame."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """There is a new frame to be shown in a mailbox of the worker's, or what `Shoot` asked for."""

    sid: str
    mailbox: str
    annotated: bool
    small: bytes | None = None
    """A JPEG, and nothing in a mailbox; empty where there is no frame that is new."""


@dataclass(frozen=True, slots=True)
class KeyFrameNeeded:
    """The session's video can be decoded from its next key frame on only."""

    sid: str


@dataclass(frozen=True, slots=True)
class KeyFrameWanted:
    """Lanes that see every frame can go on from a key frame; the others need none."""

    sid: str


@dataclass(frozen=True, slots=True)
class LaneIsBehind:
    """Analyzers that are to see every frame are too slow for that, or keep up again."""

    sid: str
    analyzers: tuple[str, ...]
    is_behind: bool
    seen: Seen
    left_out: int
    """How many frames were left out just now, after those that were seen."""
    is_blind: bool = False
    """Whether they could go on, but no key frame comes to do so from."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A frame came as a picture that can not be decoded; no analyzer saw it."""

    sid: str
    frame: FrameInfo
    message: str


@dataclass(frozen=True, slots=True)
class Problems:
    """Something went wrong in analyzers; the session goes on."""

    sid: str
    problems: tuple[Problem, ...]
    anew: tuple[str, ...] = ()
    """Those that could not go on with what another worker knew, and that a client would miss."""


@dataclass(frozen=True, slots=True)
class Final:
    """The session has ended; the last word of every analyzer, merged."""

    sid: str
    fragments: Fragments | None = field(default_factory=dict)
    timings_ms: dict[str, float] = field(default_factory=dict)
    compact: Fragments | None = None
    seen: dict[str, Seen] = field(default_factory=dict)
    memory: Memory | None = None
    """Where the session moves."""


# ---- how they are pickled


def _pickle_quickly(*kinds: type) -> None:
    """Have these pickled as a call with their fields' values.

    A dataclass with slots is asked for its fields one by one, which takes twice as long, for what
    crosses with each frame of each session.
    """
    values = {kind: attrgetter(*(each.name for each in fields(kind))) for kind in kinds}
    for kind in kinds:
        copyreg.pickle(kind, lambda message: (type(message), values[type(message)](message)))


_pickle_quickly(FrameInfo, EncodedInput, FrameResult, Seen)
