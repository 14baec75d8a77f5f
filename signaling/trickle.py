"""ICE candidates as WHIP and WHEP clients send them later on: SDP fragments (RFC 8840)."""

from __future__ import annotations

from dataclasses import dataclass

from signaling.errors import BadMessage
from signaling.ice import candidate_problem

CONTENT_TYPE = "application/trickle-ice-sdpfrag"
MAX_FRAGMENT_CHARS = 16 * 1024


@dataclass(frozen=True, slots=True)
class Fragment:
    """What one fragment says.

    Attributes
    ----------
    username
        The ICE user name that the candidates belong to; None when it does not say.
    candidates
        Each as the line without ``candidate:``, and the media section that it belongs to.
    """

    username: str | None
    candidates: tuple[tuple[str, str | None], ...]


def parse_fragment(text: str) -> Fragment:
    """Read a fragment.

    Raises
    ------
    BadMessage
        A candidate in it is malformed, or it is too long.
    """
    if len(text) > MAX_FRAGMENT_CHARS:
        raise BadMessage(f"the fragment is longer than {MAX_FRAGMENT_CHARS} characters")
    username: str | None = None
    mid: str | None = None
    candidates: list[tuple[str, str | None]] = []
    for line in text.splitlines():
        name, _, value = line.strip().partition(":")
        match name:
            case "a=ice-ufrag":
                username = value
            case "a=mid":
                mid = value
            case "a=candidate":
                problem = candidate_problem(value.split())
                if problem is not None:
                    raise BadMessage(f"a candidate of the fragment is malformed: {problem}")
                candidates.append((value, mid))
    return Fragment(username, tuple(candidates))
