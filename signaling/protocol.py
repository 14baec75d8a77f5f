"""The negotiation over a WebSocket as a state machine: text in, effects out."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

import orjson

from signaling.errors import BadMessage, SignalingError, as_signaling_error, quote
from signaling.ice import MAX_CANDIDATES
from signaling.json_text import parse_json
from signaling.messages import (
    Answer,
    IceCandidate,
    Offer,
    SessionInfo,
    parse_candidate,
    parse_offer,
)

# Four times the longest session description that is taken: room for JSON's escapes.
MAX_MESSAGE_CHARS = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Send:
    """Send this text to the client."""

    text: str


@dataclass(frozen=True, slots=True)
class Negotiate:
    """Take this offer; report with :meth:`Signaling.answered` or :meth:`Signaling.failed`."""

    offer: Offer


@dataclass(frozen=True, slots=True)
class AddCandidate:
    """Give this candidate to the connection that was answered last."""

    candidate: IceCandidate


@dataclass(frozen=True, slots=True)
class EndCandidates:
    """Tell the connection that was answered last that no more candidates come."""


Effect = Send | Negotiate | AddCandidate | EndCandidates


class _Phase(Enum):
    NO_OFFER = auto()
    NEGOTIATING = auto()
    ANSWERED = auto()


class Signaling:
    """One client's negotiation, without any I/O.

    Feed it what arrived and carry out what it returns, in that order. Nothing a client
    sends makes it raise; what can not be met is answered with an error message, and the
    conversation goes on.

    Parameters
    ----------
    ice_servers : callable
        Returns the list of ICE servers for this client. It is called for each request,
        since TURN credentials expire.
    """

    def __init__(self, *, ice_servers: Callable[[], list[dict[str, Any]]]) -> None:
        self._ice_servers = ice_servers
        self._phase = _Phase.NO_OFFER
        self._resume: str | None = None
        self._candidates = 0
        self._held: list[Effect] = []
        self._handlers: dict[str, Callable[[Any], list[Effect]]] = {
            "offer": self._on_offer,
            "ice-candidate": self._on_candidate,
            "ice-servers": self._on_ice_servers,
            "ice-servers-request": self._on_ice_servers,
        }

    def receive(self, message: str | bytes) -> list[Effect]:
        """Take one message from the client.

        Parameters
        ----------
        message : str or bytes
            What arrived: the text of a text message, the bytes of a binary one. The protocol
            has text only.
        """
        try:
            type_, data = _parse_envelope(message)
            handler = self._handlers.get(type_)
            if handler is None:
                known = ", ".join(self._handlers)
                raise BadMessage(f"unknown message type {quote(type_)}: known are {known}")
            return handler(data)
        except SignalingError as error:
            return [_send_error(error)]

    def answered(self, sdp: str, session: SessionInfo | None) -> list[Effect]:
        """Report that a `Negotiate` led to this answer.

        Parameters
        ----------
        sdp : str
            The answer's session description.
        session : SessionInfo or None
            The session that the offer opened or resumed; None when the client only watches.

        Raises
        ------
        RuntimeError
            No offer was being negotiated.
        """
        if self._phase is not _Phase.NEGOTIATING:
            raise RuntimeError("answered() without an offer that is being negotiated")
        self._phase = _Phase.ANSWERED
        if session is not None:
            self._resume = session.resume
        held, self._held = self._held, []
        return [_send("answer", Answer(sdp=sdp, session=session).model_dump()), *held]

    def failed(self, error: Exception) -> list[Effect]:
        """Report that an effect could not be carried out.

        While an offer is being negotiated, this ends the negotiation, and candidates that
        were held for it are dropped. The session of an earlier answer can still be resumed.

        Parameters
        ----------
        error : Exception
            A `SignalingError` is told to the client as it is. Anything else is a fault of
            ours, of which the client learns no details; the caller logs it.
        """
        if self._phase is _Phase.NEGOTIATING:
            self._phase = _Phase.NO_OFFER
            self._held = []
        return [_send_error(as_signaling_error(error))]

    def _on_offer(self, data: Any) -> list[Effect]:
        if self._phase is _Phase.NEGOTIATING:
            raise BadMessage("an offer is being negotiated already: wait for its answer")
        offer = parse_offer(_require_object("offer", data))
        if offer.resume is None and self._resume is not None:
            offer = offer.model_copy(update={"resume": self._resume})
        self._phase = _Phase.NEGOTIATING
        self._candidates = 0
        return [Negotiate(offer)]

    def _on_candidate(self, data: Any) -> list[Effect]:
        if self._phase is _Phase.NO_OFFER:
            raise BadMessage("a candidate without an offer in force: send the offer first")
        # A client that passes on the browser's last event as it is sends null.
        candidate = parse_candidate(_require_object("ice-candidate", {} if data is None else data))
        if self._candidates >= MAX_CANDIDATES:
            raise BadMessage(f"too many candidates: the limit is {MAX_CANDIDATES} for one offer")
        self._candidates += 1
        effect = EndCandidates() if candidate is None else AddCandidate(candidate)
        acknowledged = _send("success", None)
        if self._phase is _Phase.NEGOTIATING:
            self._held.append(effect)
            return [acknowledged]
        return [effect, acknowledged]

    def _on_ice_servers(self, data: Any) -> list[Effect]:
        return [_send("ice-servers", self._ice_servers())]


def _parse_envelope(message: str | bytes) -> tuple[str, Any]:
    if isinstance(message, bytes):
        raise BadMessage("text is due, but a binary message came: send JSON as text")
    if len(message) > MAX_MESSAGE_CHARS:
        raise BadMessage(
            f"the message is too long: {len(message)} characters, at most {MAX_MESSAGE_CHARS}"
        )
    try:
        envelope = parse_json(message)
    except BadMessage as error:
        raise BadMessage(f"the message is not JSON: {quote(message)}") from error
    if not isinstance(envelope, dict):
        raise BadMessage('the message must be an object: {"type": ..., "data": ...}')
    type_ = envelope.get("type")
    if not isinstance(type_, str):
        raise BadMessage('the message needs a "type" that is a string')
    return type_, envelope.get("data")


def _require_object(type_: str, data: Any) -> Mapping[str, Any]:
    if not isinstance(data, dict):
        raise BadMessage(f'the message "{type_}" needs "data" that is an object')
    return data


def _send(type_: str, data: Any) -> Send:
    return Send(orjson.dumps({"type": type_, "data": data}).decode())


def _send_error(error: SignalingError) -> Send:
    return _send("error", error.to_data())
