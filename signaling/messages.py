"""What the two sides say to each other, and the checks that each client message passes.

The session description inside an offer is checked by `signaling.sdp`.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
)

from signaling.errors import BadMessage, quote
from signaling.ice import candidate_problem
from signaling.sdp import MAX_SDP_CHARS, check_offer_sdp

MAX_ANALYZERS = 32
MAX_NAME_CHARS = 256
MAX_RESUME_CHARS = 1024
# Names under which video is published stand in addresses.
PUBLISHED_NAME = r"[A-Za-z0-9_.-]{1,128}"
# What nobody may publish under: whoever watches a session by its id would see something else.
SESSION_ID = r"[0-9a-f]{16}"
RESERVED_NAMES = frozenset({"camera", ".", ".."})
MAX_CANDIDATE_CHARS = 1024
# Far deeper than options are; some hundred levels are more than Python can hand to a worker.
MAX_OPTIONS_DEPTH = 32


def _none_if_empty(text: str | None) -> str | None:
    return text or None


_Name = Annotated[str, Field(min_length=1, max_length=MAX_NAME_CHARS)]
_OptionalName = Annotated[
    str | None, Field(max_length=MAX_NAME_CHARS), AfterValidator(_none_if_empty)
]
_OptionalToken = Annotated[
    str | None, Field(max_length=MAX_RESUME_CHARS), AfterValidator(_none_if_empty)
]


def check_published_name(name: str) -> str:
    """Return a name that video may be published under.

    Raises
    ------
    ValueError
        It is none: one line that says what is due.
    """
    if not re.fullmatch(PUBLISHED_NAME, name):
        raise ValueError("a name has 1 to 128 of A-Z, a-z, 0-9, _, . and -")
    if re.fullmatch(SESSION_ID, name):
        raise ValueError("a name of 16 of 0-9 and a-f could be a session's id: choose another")
    if name in RESERVED_NAMES:
        raise ValueError(f"the name {quote(name)} is taken by the server itself: choose another")
    return name


def _published_name(name: str | None) -> str | None:
    return check_published_name(name) if name else None


class _Message(BaseModel):
    """What all messages share: unknown keys are ignored, and nothing is converted."""

    model_config = ConfigDict(extra="ignore", frozen=True, strict=True)


def _values(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


class Analysis(_Message):
    """What is to be made of video."""

    analyzers: list[_Name] | None = Field(
        default=None,
        max_length=MAX_ANALYZERS,
        description="Which analyzers to run, in the server's order; by default all that it has",
    )
    options: dict[_Name, dict[str, Any]] = Field(
        default={}, max_length=MAX_ANALYZERS, description="Options for each analyzer, by its name"
    )

    @field_validator("options")
    @classmethod
    def _not_too_deep(cls, options: dict[str, Any]) -> dict[str, Any]:
        level: list[Any] = [options]
        for _ in range(MAX_OPTIONS_DEPTH):
            level = [inner for outer in level for inner in _values(outer)]
        if level:
            raise ValueError(f"nested more than {MAX_OPTIONS_DEPTH} levels deep")
        return options


class Offer(Analysis):
    """A client's offer."""

    sdp: str = Field(max_length=MAX_SDP_CHARS, description="The session description")
    type: Literal["offer"] = "offer"
    resume: _OptionalToken = Field(None, description="Token of the session to continue")
    play: _OptionalName = Field(
        None, description="Name of a source whose video the client wants back"
    )
    publish: Annotated[str | None, AfterValidator(_published_name)] = Field(
        None, description="Name under which others may watch the video"
    )
    pace: bool = Field(
        False, description="Whether the client sends no more frames a second than it is told to"
    )
    results: Literal["json", "cbor"] | None = Field(
        None, description="How results are written on the data channel; by default as JSON"
    )


class IceCandidate(_Message):
    """One ICE candidate of the client's.

    Attributes
    ----------
    candidate : str
        The candidate without ``candidate:`` in front, fields separated by single spaces,
        for example ``1 1 udp 2130706431 192.0.2.1 50000 typ host``.
    sdpMid : str or None
        Which media section it belongs to, by name.
    sdpMLineIndex : int or None
        The same by position, from 0. At least one of the two is given.
    """

    candidate: str
    sdpMid: str | None = Field(default=None, max_length=MAX_NAME_CHARS)
    sdpMLineIndex: int | None = Field(default=None, ge=0, le=65535)


class SessionInfo(_Message):
    """Which session an answer belongs to, and the token that resumes it."""

    id: str
    resume: str


class Answer(_Message):
    """The server's answer to an offer."""

    sdp: str
    type: Literal["answer"] = "answer"
    session: SessionInfo | None = Field(description="None for those who only watch")


class _CandidateData(_Message):
    # Clients older than the "candidate" key send the line as "sdp".
    sdp: str | None = Field(default=None, max_length=MAX_CANDIDATE_CHARS)
    candidate: str | None = Field(default=None, max_length=MAX_CANDIDATE_CHARS)
    sdpMid: str | None = Field(default=None, max_length=MAX_NAME_CHARS)
    sdpMLineIndex: int | None = Field(default=None, ge=0, le=65535)


def parse_offer(data: object) -> Offer:
    """Return the offer in `data`, its session description checked.

    Parameters
    ----------
    data : object
        Decoded JSON. Optional keys may be null.

    Raises
    ------
    BadMessage
        `data` is not an offer; the text names the key and, where it is one, the limit.
    BadSdp
        The session description is malformed, or has nothing that we can use.
    """
    if isinstance(data, Mapping) and data.get("options", ...) is None:
        data = {**data, "options": {}}
    offer = _validate(Offer, data, "offer")
    check_offer_sdp(offer.sdp, play=offer.play is not None)
    return offer


def parse_candidate(data: object) -> IceCandidate | None:
    """Return the candidate in `data`, or None if it says that no more candidates come.

    Parameters
    ----------
    data : object
        Decoded JSON: the line under ``candidate`` or ``sdp``, as a browser has it or as it
        stands in a session description. An empty or null line, and an empty object, end the
        candidates.

    Raises
    ------
    BadMessage
        The candidate is malformed.
    """
    message = _validate(_CandidateData, data, "ice-candidate")
    if data and not {"sdp", "candidate"} & message.model_fields_set:
        raise BadMessage('ice-candidate: the line is missing: give it as "candidate" or "sdp"')
    line = (message.candidate or message.sdp or "").strip()
    line = line.removeprefix("a=").removeprefix("candidate:")
    if line in ("", "end-of-candidates"):
        return None
    if message.sdpMid is None and message.sdpMLineIndex is None:
        raise BadMessage('ice-candidate: "sdpMid" or "sdpMLineIndex" must say where it belongs')
    fields = line.split()
    problem = candidate_problem(fields)
    if problem is not None:
        raise BadMessage(f"ice-candidate: {problem}")
    return IceCandidate(
        candidate=" ".join(fields), sdpMid=message.sdpMid, sdpMLineIndex=message.sdpMLineIndex
    )


_MessageT = TypeVar("_MessageT", bound=_Message)


def _validate(model: type[_MessageT], data: object, what: str) -> _MessageT:
    if not isinstance(data, Mapping):
        raise BadMessage(f"{what}: an object is due")
    try:
        return model.model_validate(data)
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False)
        raise BadMessage(f"{what}: {_describe(details[0])}") from None


def _describe(detail: Mapping[str, Any]) -> str:
    """Return one of pydantic's errors as a clause about a key of the message."""
    key = quote(".".join(str(part) for part in detail["loc"] if part != "[key]"))
    context = detail.get("ctx", {})
    match detail["type"]:
        case "missing":
            return f"{key} is missing"
        case "string_type":
            return f"{key} must be a string"
        case "string_too_long":
            return f"{key} is too long: at most {context['max_length']} characters"
        case "too_long":
            return f"{key} has too many entries: at most {context['max_length']}"
        case "literal_error":
            return f"{key} must be {context['expected']}"
    text = str(detail["msg"]).removeprefix("Value error, ")
    return f"{key}: {text[0].lower()}{text[1:]}"
