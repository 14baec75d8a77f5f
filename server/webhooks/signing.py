"""How a webhook is signed: as Standard Webhooks has it, so that its libraries can check it."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import secrets
import time
from dataclasses import dataclass

_PREFIX = "whsec_"
_LEAST_CHARS = 16


@dataclass(frozen=True, slots=True)
class SignedEvent:
    """A body and the headers that go with it."""

    body: bytes
    headers: dict[str, str]


def check_secret(text: str) -> None:
    """Refuse a secret that can not be used.

    Raises
    ------
    ValueError
        One line that says why.
    """
    if len(text) < _LEAST_CHARS:
        raise ValueError(
            f"the secret is shorter than {_LEAST_CHARS} characters: make one with openssl rand -hex"
            " 32"
        )
    _key(text)


def event_body(kind: str, data: object) -> bytes:
    """An event as it is sent, and kept until then."""
    now_ms = time.time_ns() // 1_000_000
    return json.dumps({"type": kind, "timestamp": now_ms, "data": data}).encode()


def new_id() -> str:
    """What an event is called; the same however often it is sent."""
    return f"msg_{secrets.token_hex(12)}"


def sign(secret: str, event_id: str, body: bytes) -> SignedEvent:
    """Sign an event as it is now sent.

    The signature is over id, time in seconds and body, with points between.
    """
    stamp = str(int(time.time()))
    signed = b".".join((event_id.encode(), stamp.encode(), body))
    digest = hmac.new(_key(secret), signed, hashlib.sha256).digest()
    return SignedEvent(
        body,
        {
            "Content-Type": "application/json",
            "webhook-id": event_id,
            "webhook-timestamp": stamp,
            "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
        },
    )


def _key(secret: str) -> bytes:
    if not secret.startswith(_PREFIX):
        return secret.encode()
    try:
        return base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except binascii.Error as error:
        raise ValueError(f"behind {_PREFIX} base64 is due") from error
