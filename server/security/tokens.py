"""Bearer tokens: JSON Web Tokens, signed with a secret that only the server knows (HS256)."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Iterable

import jwt

from server.security.identity import Identity, Scope
from signaling.errors import Unauthorized

SUBPROTOCOL = "kinecast"
"""The WebSocket subprotocol of the server."""
BEARER_SUBPROTOCOL = "bearer."
"""Before a token among the subprotocols that a client offers; it is never selected."""

# RFC 7518, section 3.2: the key is at least as long as the hash.
MIN_SECRET_BYTES = 32
MAX_TTL_S = 10 * 365 * 86400
_ALGORITHM = "HS256"
_SUBJECT = re.compile(r"[\x21-\x7e]{1,128}")


class BadTokenRequest(ValueError):
    """A token can not be made: one line that says why."""


def check_secret(secret: str) -> None:
    """Refuse a secret that can be guessed.

    Raises
    ------
    ValueError
        One line that says what is wrong and how to make one.
    """
    if len(secret.encode()) < MIN_SECRET_BYTES:
        raise ValueError(
            f"the secret is shorter than {MIN_SECRET_BYTES} characters:"
            " make one with: openssl rand -hex 32"
        )


def issue(
    secret: str,
    scopes: Iterable[Scope],
    ttl_s: float,
    subject: str | None = None,
    *,
    now_s: float | None = None,
) -> str:
    """Make a token.

    Parameters
    ----------
    secret
        What it is signed with.
    scopes
        What it allows.
    ttl_s
        Seconds until it expires.
    subject
        Who holds it; sessions belong to a subject. None makes one up that nobody else has.
    now_s
        Seconds since the epoch; None is now.

    Raises
    ------
    BadTokenRequest
        There is no scope, the time is out of bounds, or the subject is not short printable ASCII.
    """
    allowed = sorted(set(scopes))
    if not allowed:
        raise BadTokenRequest("a token needs a scope: publish, view, control or coach")
    if not 1 <= ttl_s <= MAX_TTL_S:
        raise BadTokenRequest("a token is good for between a second and ten years")
    subject = subject if subject is not None else f"anyone-{secrets.token_hex(8)}"
    if not _SUBJECT.fullmatch(subject):
        raise BadTokenRequest("the subject is 1 to 128 printable ASCII characters without spaces")
    now = int(time.time() if now_s is None else now_s)
    claims = {
        "sub": subject,
        # As in RFC 8693, section 4.2.
        "scope": " ".join(allowed),
        "iat": now,
        "exp": now + int(ttl_s),
        "jti": secrets.token_urlsafe(12),
    }
    return jwt.encode(claims, secret, _ALGORITHM)


def verify(secret: str, token: str) -> Identity:
    """Who holds a token, and what it allows.

    Raises
    ------
    Unauthorized
        It is expired, or none that was signed with this secret.
    """
    try:
        claims = jwt.decode(
            token, secret, [_ALGORITHM], options={"require": ["exp", "sub"], "verify_aud": False}
        )
    except jwt.ExpiredSignatureError:
        raise Unauthorized("the token has expired: get a new one") from None
    except jwt.InvalidTokenError:
        raise Unauthorized("the token is none of this server's") from None
    subject, named = claims["sub"], claims.get("scope")
    if not _SUBJECT.fullmatch(subject) or not isinstance(named, str):
        raise Unauthorized("the token does not say who holds it and what it allows")
    scopes = frozenset(s for s in Scope if s.value in named.split())
    return Identity(subject, scopes, client=subject)
