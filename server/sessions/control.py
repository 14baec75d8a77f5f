"""The control messages that come on a data channel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from server.sessions import notes
from signaling.errors import BadMessage


class Ping(BaseModel):
    """Asks for the server's time."""

    type: Literal["ping"]
    # What JSON can give back: 64-bit integers.
    t: Annotated[int, Field(ge=-(2**63), lt=2**64)] | float | str | None = None


class Configure(BaseModel):
    """Changes analyzers' options in mid-session."""

    type: Literal["configure"]
    options: dict[str, dict[str, Any]]


class Rate(BaseModel):
    """Limits results to so many a second; 0 is every frame."""

    type: Literal["rate"]
    hz: float = Field(ge=0, le=1000)


class Subscribe(BaseModel):
    """Wants only these of the analyzers' keys."""

    type: Literal["subscribe"]
    keys: list[str] = Field(max_length=256)


class HealthReport(BaseModel):
    """How a camera and its machine do; what is not known there is left out."""

    type: Literal["health"]
    temperature_c: float | None = Field(None, ge=-100, le=300)
    throttled: list[Annotated[str, Field(max_length=64, pattern=r"^[ -~]*$")]] | None = Field(
        None, max_length=16
    )
    fps: float | None = Field(None, ge=0, le=1000)
    bitrate: int | None = Field(None, ge=0, le=10**10)
    uptime_s: float | None = Field(None, ge=0, le=10**10)


class AskLayout(BaseModel):
    """Asks for what it takes to read results as CBOR."""

    type: Literal["layout"]


@dataclass(frozen=True, slots=True)
class Note:
    """Something to keep with the session."""

    values: dict[str, Any]


ControlMessage = Annotated[
    Ping | Configure | Rate | Subscribe | HealthReport | AskLayout, Field(discriminator="type")
]
_control: TypeAdapter[ControlMessage] = TypeAdapter(ControlMessage)


def read(text: str) -> ControlMessage | Note:
    """Read a control message.

    Raises
    ------
    BadMessage
        It is none; says what is wrong with it, and which there are.
    TooLarge
        It is a note with more values than are read.
    """
    if (values := notes.read(text)) is not None:
        return Note(values)
    try:
        return _control.validate_json(text)
    except ValidationError as error:
        raise BadMessage(_what_is_wrong(error)) from None


def _what_is_wrong(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    kinds = "type ping, configure, rate, subscribe, layout or health"
    what_is_due = f"send 'end session' or JSON with {kinds}"
    return f"{where + ': ' if where else ''}{first['msg']}; {what_is_due}"
