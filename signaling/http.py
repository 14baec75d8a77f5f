"""The one-request form of the negotiation, ``POST /offer``: bodies in, bodies out."""

from typing import Any

from signaling.errors import BadMessage, as_signaling_error
from signaling.json_text import parse_json
from signaling.messages import Answer, Offer, SessionInfo, parse_offer


def parse_body(raw: bytes) -> Offer:
    """Return the offer in the body of a request.

    Parameters
    ----------
    raw : bytes
        JSON: ``{"sdp", "type": "offer"}`` and the optional keys of the WebSocket's offer.

    Raises
    ------
    BadMessage
        The body is no JSON, or not an offer.
    BadSdp
        Its session description is of no use.
    """
    try:
        body = parse_json(raw)
    except BadMessage as error:
        raise BadMessage('the body is not JSON: send {"sdp": ..., "type": "offer"}') from error
    return parse_offer(body)


def answer_body(sdp: str, session: SessionInfo | None) -> dict[str, Any]:
    """Return the body of the answer, ``{"sdp", "type": "answer", "session"}``."""
    return Answer(sdp=sdp, session=session).model_dump()


def error_body(error: Exception) -> tuple[int, dict[str, str], dict[str, str | int]]:
    """Return status, headers and body that tell of `error`.

    An error that is no `SignalingError` is a fault of ours: 500, without details.
    """
    known = as_signaling_error(error)
    return known.code, known.headers(), known.to_data()
